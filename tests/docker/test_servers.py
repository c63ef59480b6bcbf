"""gunicorn and uvicorn below ENTRYPOINT ["freshinit"], Debian's and the newest."""

import re

import pytest

from containers import docker, until

LONG = pytest.mark.matrix
GUNICORN = ("gunicorn", "wsgi:app", "--bind", "0.0.0.0:8000", "--worker-tmp-dir", "/dev/shm")
UVICORN = ("uvicorn", "asgi:app", "--host", "0.0.0.0")
ASGI_WORKER = ("gunicorn", "asgi:app", "--bind", "0.0.0.0:8000", "--worker-class")
APP = ["--workdir", "/app"]
LISTENING = r"Listening at: |Uvicorn running on "

# The status after docker stop is the server's own: a single uvicorn of today ends by the signal.
SERVERS = [
    pytest.param("bookworm", GUNICORN, 0, id="gunicorn of Debian"),
    pytest.param("python", GUNICORN + ("--workers", "2"), 0, id="newest gunicorn, 2 workers"),
    pytest.param("python", GUNICORN + ("--threads", "4"), 0, id="newest gunicorn, threads", marks=LONG),
    pytest.param("python", ASGI_WORKER + ("uvicorn_worker.UvicornWorker",), 0, id="UvicornWorker"),
    pytest.param("bookworm", ASGI_WORKER + ("uvicorn.workers.UvicornWorker",), 0,
                 id="UvicornWorker of Debian", marks=LONG),
    pytest.param("bookworm", UVICORN, 0, id="uvicorn of Debian", marks=LONG),
    pytest.param("python", UVICORN, 143, id="newest uvicorn"),
    pytest.param("python", UVICORN + ("--workers", "2"), 0, id="newest uvicorn, 2 workers"),
]


def wait_page(one):
    """The first page. A master says that it listens before its workers do."""
    one.wait_line(LISTENING)
    return until(lambda: try_page(one), "a page")


def try_page(one):
    try:
        return one.page()
    except OSError:
        return None


@pytest.mark.parametrize("name, command, status", SERVERS)
def test_it_serves_and_stops_in_time(name, command, status, container):
    one = container(name, *command, options=APP)
    code, text, _ = wait_page(one)
    assert code == 200 and text.startswith("worker ")
    took = one.stop()
    assert one.wait() == status
    assert took < 5


@pytest.mark.parametrize("name, command, status", SERVERS)
def test_it_serves_as_the_configured_user(name, command, status, container):
    one = container(name, *command, options=APP, config="[server]\nuser = nobody\n")
    assert wait_page(one)[1].endswith("uid 65534")
    one.stop()
    assert one.wait() == status


def test_hup_makes_new_workers_and_the_container_lives_on(container):
    one = container("python", *GUNICORN, options=APP)
    before = wait_page(one)[1]
    one.kill("HUP")
    one.wait_line(r"Booting worker with pid", count=2)
    one.wait_line(r"Worker exiting")
    after = wait_page(one)[1]
    assert re.match(r"worker \d+", before)[0] != re.match(r"worker \d+", after)[0]
    one.stop()
    assert one.wait() == 0


@pytest.mark.parametrize("command", [UVICORN + ("--workers", "2"),
                                     ASGI_WORKER + ("uvicorn_worker.UvicornWorker", "--workers", "2")],
                         ids=["uvicorn", "UvicornWorker"])
def test_workers_whose_master_was_killed_do_not_go_on_serving(command, container):
    """Not as PID 1, where nobody else would end them; their port is free when freshinit ends."""
    one = container("python", "infinity", options=APP + ["--init", "--entrypoint", "sleep"])
    until(lambda: docker("exec", one.name, "true", check=False).returncode == 0, "the container")
    # To a file: docker exec would wait for the workers that hold its pipe.
    one.start("server", "sh", "-c", 'freshinit -- "$@" >/tmp/log 2>&1; echo $? >/tmp/new; '
              "mv /tmp/new /tmp/status", "sh", *command)
    page = until(lambda: try_page(one), "a page")[1]
    worker, master = re.match(r"worker (\d+) of (\d+)", page).groups()
    one.run("sh", "-c", f"kill -KILL {master}")
    until(lambda: docker("exec", one.name, "test", "-e", "/tmp/status", check=False).returncode == 0,
          "the end of freshinit")
    assert try_page(one) is None
    assert one.run("cat", "/tmp/status") == "137"
    assert re.search(rf"left behind: .*\b{worker} \(", one.run("cat", "/tmp/log"))
