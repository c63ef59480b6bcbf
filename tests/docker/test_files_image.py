"""mode = stale inside images: what came with the image is kept, what changed since is judged."""

import json
import re
import uuid

import pytest

from containers import docker

MAIN = """import os, mod0
print("value", mod0.VALUE, flush=True)
if not os.path.exists("/srv/app/edited"):
    before = os.stat("mod0.py")
    text = open("mod0.py").read().replace("old", "new")
    open("mod0.py", "w").write(text)
    os.utime("mod0.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    open("/srv/app/edited", "w").close()
"""
RECIPE = """FROM {base}
COPY app /srv/app
WORKDIR /srv/app
RUN ["python3", "-m", "compileall", "-q", "/srv/app"]
RUN ["freshinit", "--version"]
ENTRYPOINT ["freshinit", "python3", "main.py"]
"""
MODULES = 40


@pytest.fixture(scope="module")
def warm(image, tmp_path_factory):
    """An image with warm bytecode that was saved, removed and loaded again."""
    folder = tmp_path_factory.mktemp("warm")
    (folder / "app").mkdir()
    for number in range(MODULES):
        (folder / "app" / f"mod{number}.py").write_text(f"VALUE = 'old'  # {number}\n")
    (folder / "app" / "main.py").write_text(MAIN)
    (folder / "Dockerfile").write_text(RECIPE.format(base=image("python")))
    name = f"freshinit-test:warm-{uuid.uuid4().hex[:6]}"
    docker("build", "--tag", name, folder)
    docker("save", "--output", folder / "image.tar", name)
    docker("rmi", name)
    docker("load", "--input", folder / "image.tar")
    yield name, folder
    docker("rmi", name, check=False)


def test_bytecode_of_a_loaded_image_is_kept(warm, container):
    one = container(warm[0])
    assert one.wait() == 0
    line = next(line for line in one.err if line.startswith("Clearing Python cache"))
    assert re.match(rf"Clearing Python cache: 0 of {MODULES + 1} files stale, nothing to remove below", line)
    assert one.out == ["value old"]


def test_an_edit_inside_is_seen_after_a_restart(warm):
    """A restart is no birth: the file changed since the container was made."""
    name = f"freshinit-test-{uuid.uuid4().hex[:12]}"
    try:
        docker("create", "--name", name, warm[0])
        first = docker("start", "--attach", name, check=False)
        second = docker("start", "--attach", name, check=False)
        assert "value old" in first.stdout and "value new" in second.stdout, second.stderr
        assert f"Clearing Python cache: 1 of {MODULES + 1} files stale" in second.stderr
    finally:
        docker("rm", "--force", name)


def test_an_edit_on_a_bind_mount_within_the_second_is_served_new(warm, container, tmp_path):
    app = tmp_path / "app"
    docker("run", "--rm", "--volume", f"{app}:/copy", "--entrypoint", "cp", warm[0], "-r", "/srv/app/.", "/copy")
    words = [f"--volume={app}:/srv/app"]
    for value in ("old", "new"):
        one = container(warm[0], options=words)
        assert one.wait() == 0
        assert one.out == [f"value {value}"]
    # Unchanged from now on: nothing but the first start after a change has to compile.
    one = container(warm[0], options=[*words, "--env", "FRESHINIT_LOG=json"])
    assert one.wait() == 0
    done = [json.loads(line) for line in one.err if '"stage.done"' in line]
    assert done[0]["done"] == 0 and done[0]["seen"] > 0
