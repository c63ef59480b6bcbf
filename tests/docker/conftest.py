"""Fixtures: `container` runs an image that holds freshinit; `image` makes each once a session."""

import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import uuid

import pytest

from containers import Container, docker

ROOT = pathlib.Path(__file__).resolve().parents[2]
HELPERS = ["signals", "stray", "end", "report", "orphans"]

# Which words of the page came from where; the same for every server.
APP = '''
import os


def app(environ, start_response):
    start_response("200 OK", [])
    return [f"worker {os.getpid()} of {os.getppid()} uid {os.getuid()}".encode()]
'''
ASGI_APP = '''
import os


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = f"worker {os.getpid()} of {os.getppid()} uid {os.getuid()}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
'''

# Few steps: each one takes seconds on some engines.
TREE = "COPY tree /\n"
ENTRY = 'ENTRYPOINT ["freshinit"]\n'
RECIPES = {
    "bookworm": "FROM freshinit-base:bookworm\n" + TREE + ENTRY,
    "python": "FROM freshinit-base:python\n" + TREE + ENTRY,
    "busybox": "FROM freshinit-base:busybox\n" + TREE + ENTRY,
    "scratch": "FROM scratch\nCOPY freshinit /freshinit\nCOPY tree/helpers /helpers\n"
               'ENTRYPOINT ["/freshinit"]\n',
    "as-docker-init": "FROM scratch\nCOPY freshinit /docker-init\nCOPY tree/helpers /helpers\n"
                      'ENTRYPOINT ["/docker-init"]\n',
}


@pytest.fixture(scope="session")
def engine():
    if not shutil.which("docker"):
        pytest.skip("no docker command")
    answer = docker("version", "--format", "{{.Server.Version}}", check=False)
    if answer.returncode:
        pytest.skip(f"no Docker engine answers: {answer.stderr.strip()}")
    return answer.stdout.strip()


def find_freshinit():
    path = pathlib.Path(os.environ.get("FRESHINIT") or ROOT / "build/static/freshinit").resolve()
    if not path.exists():
        pytest.fail(f"{path} is not built: make static")
    return path


@pytest.fixture(scope="session")
def freshinit():
    return find_freshinit()


@pytest.fixture(scope="session")
def context(tmp_path_factory, freshinit):
    """What the images are made of: the binary, static helpers, two small apps."""
    folder = tmp_path_factory.mktemp("context")
    shutil.copy(freshinit, folder / "freshinit")
    for name in ("usr/local/bin", "app", "helpers"):
        (folder / "tree" / name).mkdir(parents=True)
    shutil.copy(freshinit, folder / "tree/usr/local/bin/freshinit")
    (folder / "tree/app/wsgi.py").write_text(APP)
    (folder / "tree/app/asgi.py").write_text(ASGI_APP)
    for name in HELPERS:
        subprocess.run([os.environ.get("CC", "cc"), "-static", "-O1", "-std=c11", "-D_GNU_SOURCE", "-o",
                        folder / "tree/helpers" / name, ROOT / "tests/helpers" / f"{name}.c"],
                       check=True)
    return folder


@pytest.fixture(scope="session")
def image(engine, context):
    """image("scratch") is the name of that image; made at the first use."""
    made = {}
    session = f"{os.getpid()}-{uuid.uuid4().hex[:6]}"

    def build(name, *words):
        made[name] = f"freshinit-test:{name}-{session}"
        docker("build", "--tag", made[name], *words)
        keep_layers(name, made[name])

    def make(name):
        if name not in made:
            base = re.search(r"FROM freshinit-base:(\w+)", RECIPES[name])
            if base:
                make_base(base[1])
            (context / "Dockerfile").write_text(RECIPES[name])
            build(name, context)
        return made[name]

    def example(name):
        """The example's own Dockerfile, as it stands, and files as umask 002 makes them."""
        if name not in made:
            make_base("python")
            folder = context.parent / name
            shutil.copytree(ROOT / "examples" / name, folder)
            for path in (folder, *folder.rglob("*")):
                path.chmod(path.stat().st_mode | 0o020)
            with exclusive("freshinit"):
                docker("build", "--file", ROOT / "docker/Dockerfile.release", "--tag", "freshinit",
                       context)
                build(name, "--build-arg", "BASE=freshinit-base:python", "--build-arg",
                      "APP_RELEASE=3f2a9c1", folder)
        return made[name]

    make.example = example
    yield make
    for name in made.values():
        docker("rmi", name, check=False)


def keep_layers(name, image):
    """A tag that stays, so that the next session finds its layers; the one of before goes."""
    kept = f"freshinit-test:{name}"
    before = docker("images", "--quiet", "--no-trunc", kept)
    docker("tag", image, kept)
    if before and before != docker("images", "--quiet", "--no-trunc", kept):
        docker("rmi", before, check=False)


class exclusive:
    """One test session at a time, for names that are shared."""

    def __init__(self, name):
        folder = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
        (folder / "freshinit").mkdir(parents=True, exist_ok=True)
        self.path = folder / "freshinit" / f"{name}.lock"

    def __enter__(self):
        self.file = open(self.path, "w", encoding="ascii")
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_):
        self.file.close()


def make_base(name):
    with exclusive("base"):
        done = subprocess.run([ROOT / "docker/base.sh", name], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"the base image {name} can not be made here: {done.stderr.strip()[-300:]}")


@pytest.fixture
def container(image, tmp_path):
    """container(IMAGE, command..., options=[docker run's], config="[server]...")."""
    started = []

    def start(name, *command, options=(), config=None):
        words = [*options]
        if config is not None:
            path = tmp_path / f"freshinit-{len(started)}.ini"
            path.write_text(config, encoding="utf-8")
            path.chmod(0o644)
            words += ["--volume", f"{path}:/etc/freshinit.ini:ro"]
        known = name if ":" in name else image(name)
        one = Container([*words, known, *command])
        started.append(one)
        return one

    yield start
    for one in started:
        one.remove()
