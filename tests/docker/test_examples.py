"""The examples as they stand: their Dockerfiles built, their configurations read."""

import json
import pathlib
import re

import pytest

from containers import docker
from test_servers import wait_page

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The first is the one that make demo shows; the others take time to build.
EXAMPLES = ["flask-gunicorn"] + [
    pytest.param(name, marks=pytest.mark.matrix)
    for name in sorted(path.parent.name for path in (ROOT / "examples").glob("*/freshinit.ini"))
    if name != "flask-gunicorn"]


@pytest.mark.parametrize("ini", sorted((ROOT / "examples").glob("*/freshinit.ini")),
                         ids=lambda path: path.parent.name)
def test_its_configuration_is_without_fault(ini, container):
    """In another image than its own, so with a user of that one."""
    one = container("bookworm", "--set", "server.user=nobody", "check", config=ini.read_text())
    assert one.wait() == 0, one.err


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_serves_its_release_as_another_user_and_stops_in_time(name, container, image):
    one = container(image.example(name))
    code, text, headers = wait_page(one)
    assert code == 200 and "3f2a9c1" in text
    assert headers["X-Release"] == "3f2a9c1"
    assert one.page("/healthz")[0] == 200
    assert workers_uid(one) == {1000}
    took = one.stop()
    assert one.wait() == 0
    assert took < 5


def workers_uid(one):
    uids = set()
    for pid in one.host_pids():
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        if "freshinit" not in status.splitlines()[0]:
            uids.add(int(re.search(r"Uid:\t(\d+)", status)[1]))
    return uids


def test_docker_logs_tells_what_was_done(container, image):
    one = container(image.example("flask-gunicorn"))
    wait_page(one)
    one.stop()
    one.wait()
    log = docker("logs", one.name, check=False).stderr
    assert re.search(r"^freshinit \S+: pid 1, release 3f2a9c1, /etc/freshinit.ini$", log, re.M)
    for words in ("Clearing Python cache: ", "Forcing template recompilation: ",
                  "Cache cleared and templates refreshed: 3 stages", "Starting gunicorn app:app"):
        assert words in log


def test_a_configuration_that_others_may_write_is_refused(container, image, tmp_path):
    ini = tmp_path / "freshinit.ini"
    ini.write_text("[server]\ncommand = /bin/true\n")
    ini.chmod(0o666)
    one = container("bookworm", options=["--volume", f"{ini}:/etc/freshinit.ini:ro"])
    assert one.wait() == 78
    assert "COPY --chmod=644 freshinit.ini /etc/freshinit.ini" in "\n".join(one.err)


ALL = """
[env]
PYTHONDONTWRITEBYTECODE = 1

[stage bytecode]
clear = bytecode
in = /app
mode = all

[stage templates]
touch = *.html
in = /app/templates

[server]
command = gunicorn app:app --bind 0.0.0.0:8000
"""


def test_what_people_type_to_look_inside_works_as_it_stands(container, image):
    began = int(docker("run", "--rm", "freshinit-base:bookworm", "date", "+%s"))
    one = container(image.example("flask-gunicorn"), config=ALL)
    wait_page(one)
    log = docker("logs", one.name, check=False).stderr
    assert "Clearing Python cache" in log
    assert one.run("find", "/app", "-type", "d", "-name", "__pycache__") == ""
    assert int(one.run("stat", "-c", "%Y", "/app/templates/page.html")) >= began


def test_the_readme_s_configuration_is_without_fault(container):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    one = container("bookworm", "check", config=text.split("```ini\n")[1].split("```")[0])
    assert one.wait() == 0


@pytest.mark.matrix
def test_the_image_can_be_built_from_source_inside_docker(image):
    """With the network that apt needs."""
    image("bookworm")
    name = "freshinit-test:from-source"
    docker("build", "--build-arg", "BASE=freshinit-base:bookworm", "--file",
           ROOT / "docker/Dockerfile", "--tag", name, ROOT, within=900)
    assert docker("run", "--rm", name, "--version").startswith("freshinit ")
    docker("rmi", name)


@pytest.mark.parametrize("name", EXAMPLES)
def test_its_version_is_told_and_verified(name, container, image):
    one = container(image.example(name))
    wait_page(one)
    code, text, headers = one.page("/version")
    assert code == 200 and json.loads(text) == {"release": "3f2a9c1"}
    assert headers["Cache-Control"] == "no-store"
    assert one.run("freshinit", "health").startswith("ok: ")
    lines = json.loads(one.run("freshinit", "verify", "--json"))["lines"]
    assert {line["name"]: line["result"] for line in lines if line["name"] in ("answer", "no-store")} \
        == {"answer": "ok", "no-store": "ok"}
