"""A reload: one at a time, in the way that leaves no old code, and it says how it went."""

import signal
import socket

import pytest

from inside import inside, status
from servers import SLOW, descriptors, resident_kib, site, until  # noqa: F401


def test_a_reload_asked_for_during_another_is_done_after_it(site):
    site.start("uvicorn")
    site.box.signal(signal.SIGHUP)
    site.box.wait_line(r"^Starting .*uvicorn", SLOW, count=2)
    site.set_release("r2")
    for _ in range(3):
        site.box.signal(signal.SIGHUP)
    site.box.wait_line(r"^Reload done: generation 3", SLOW)
    assert site.page()[0] == "r2"
    # However often it was asked for meanwhile, once is enough.
    site.reload("r3", 3)
    assert site.box.wait_line(r"^Reload done: generation 4", SLOW)


def test_new_code_that_is_not_ready_in_time_is_ended_and_the_old_goes_on(site):
    """uvicorn 0.20 with --workers stays without workers when its application is broken."""
    site.start("uvicorn-workers-oldest", timeout="8s")
    site.set_release("broken")
    site.box.signal(signal.SIGHUP)
    site.box.wait_line(r"not ready after 8 s \(ready_timeout\)", SLOW)
    site.box.wait_line(r"Reload failed: the old server goes on", SLOW)
    assert site.page()[0] == "r1"
    site.reload("r2", 1)
    assert site.page()[0] == "r2"


def test_new_workers_that_answer_with_errors_are_told(site):
    """As Django's do, which imports the views at the first request."""
    site.start("gunicorn", holds=False, keys=f"ready = http://127.0.0.1:{site.port}/\n", timeout="2s")
    site.set_release("failing")
    site.box.signal(signal.SIGHUP)
    site.box.wait_line(r"not ready after 2 s \(ready_timeout\): .* it answered 500", SLOW)
    site.box.wait_line(r"Reload failed: the new workers run, but are not ready", SLOW)
    site.reload("r2", 1)
    assert site.page()[0] == "r2"


# A master that replaces its worker at HUP: enough of gunicorn, and of uvicorn, for freshinit.
MASTER = """#!/usr/bin/python3 -SE
import os, signal
def begin():
    global worker
    worker = os.fork()
    if worker == 0:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        print("worker", os.getpid(), flush=True)
        while True:
            signal.pause()
def replace(*_):
    old = worker
    begin()
    os.kill(old, signal.SIGKILL)
    os.waitpid(old, 0)
signal.signal(signal.SIGHUP, replace)
begin()
while True:
    signal.pause()
"""


@pytest.fixture
def reloading(box, tmp_path):
    def start(name, keys):
        tmp_path.chmod(0o755)
        program = tmp_path / name
        program.write_text(MASTER)
        program.chmod(0o755)
        one = box(config=f"[server]\nreload = signal\ncommand = {program} app:app --workers 2\n{keys}")
        one.wait_line("^worker")
        return one

    return start


@pytest.mark.usefixtures("needs_root")
def test_new_workers_of_another_user_are_asked_too(reloading):
    """PID 1 keeps what its probe needs to become that user."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = reloading("gunicorn", f"user = 65534\nready = tcp://127.0.0.1:{listener.getsockname()[1]}\n")
        one.wait_line("is ready after")
        one.signal(signal.SIGHUP)
        assert one.wait_line("^Reload (done|failed)")[1] == "done"


@pytest.mark.parametrize("ready", ["notify", "100ms"])
def test_where_nobody_can_be_asked_new_workers_are_enough(ready, reloading):
    """What notifies has done so once; a time tells nothing of workers."""
    one = reloading("uvicorn", f"ready = {ready}\nready_timeout = 300ms\n")
    one.wait_line("is ready after|not ready after")
    one.signal(signal.SIGHUP)
    assert one.wait_line("^Reload (done|failed)")[1] == "done"


def test_the_record_counts_generations_as_the_log_does(site, freshinit):
    """Also where a server reloads itself, and its main process stays."""
    site.start("gunicorn", holds=False)
    config = ("--config", site.folder / "freshinit.ini")
    began = status(site.box, freshinit, *config)["server"]
    for count in (1, 2):
        answer = inside(site.box, freshinit, "reload", *config)
        assert (answer.code, answer.out) == (0, f"Reload done: generation {count + 1}\n")
        site.box.wait_line(rf"^Reload done: generation {count + 1}\b", SLOW)
    seen = status(site.box, freshinit, *config)
    assert (seen["generation"], seen["server"]) == (3, began)
    assert {p["generation"] for p in seen["processes"]} == {3}


@pytest.mark.parametrize("name", ["gunicorn-preload",
                                  pytest.param("uvicorn", marks=pytest.mark.matrix)])
def test_without_listen_a_restart_leaves_no_old_code(name, site):
    site.start(name, holds=False, keys=f"ready = http://127.0.0.1:{site.port}/\n")
    site.reload("r2", 1)
    assert {site.page()[0] for _ in range(8)} == {"r2"}


def test_a_configuration_that_imports_the_application_is_seen(site):
    (site.folder / "gunicorn.conf.py").write_text("from app import RELEASE\n", encoding="utf-8")
    site.start("gunicorn", holds=False, keys=f"ready = http://127.0.0.1:{site.port}/\n", loads=1)
    site.reload("r2", 1)
    assert {site.page()[0] for _ in range(8)} == {"r2"}


def test_reload_stages_run_first_and_a_fatal_one_keeps_the_old_server(site):
    stage = "[stage gate]\nrun = sh -c \"test -e open\"\nwhen = reload\non_error = fail\n"
    site.start("uvicorn", keys=stage)
    site.set_release("r2")
    site.box.signal(signal.SIGHUP)
    site.box.wait_line(r"Reload failed: the old server goes on", SLOW)
    assert site.page()[0] == "r1"
    (site.folder / "open").touch()
    site.reload("r3", 1)
    assert site.page()[0] == "r3"


def test_a_stop_during_a_reload_ends_both_servers(site):
    site.start("uvicorn", timeout="60s")
    site.set_release("r2")
    site.box.signal(signal.SIGHUP)
    site.box.wait_line(r"^Starting .*uvicorn", SLOW, count=2)
    site.box.signal(signal.SIGTERM)
    assert site.box.wait(SLOW) in (143, 0)
    assert not [line for line in site.box.err if "illing" in line]


@pytest.mark.parametrize("count", [10, pytest.param(1000, marks=pytest.mark.matrix)])
def test_reloads_in_a_row_leave_nothing_behind(count, site):
    """PID 1 grows in no way; no zombie, no worker of an earlier generation."""
    site.start_light()
    for number in range(1, 4):
        site.reload("r1", number)
    open_before, kib_before = descriptors(site.box.pid), resident_kib(site.box.pid)
    for number in range(4, count + 4):
        site.box.signal(signal.SIGHUP)
        site.box.wait_line(rf"^Reload done: generation {number + 1}\b", SLOW)
    until(lambda: len(site.workers()) == 2, "the end of the old servers", SLOW, site.box)
    assert site.box.zombies() == []
    assert descriptors(site.box.pid) == open_before
    assert resident_kib(site.box.pid) <= kib_before + 64
