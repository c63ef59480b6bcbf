"""gunicorn replaces itself (USR2): freshinit goes on with whichever master lives."""

import os
import re
import signal

import pytest

import events
from servers import SLOW, site, until  # noqa: F401

OLD = pytest.param("gunicorn-oldest", marks=pytest.mark.matrix)


def new_master(site, old):
    """The one that the old master has started, once it has workers."""
    return until(lambda: next((p["host_pid"] for p in events.children(site, old)
                               if events.children(site, p["host_pid"])), None),
                 "the new master and its workers", SLOW, site.box)


@pytest.mark.parametrize("name", ["gunicorn", OLD])
def test_when_the_old_master_quits_the_new_one_is_the_server(name, site):
    site.start(name, holds=False)
    assert events.re_exec(site) == "goes on"
    site.box.wait_line(r"has replaced itself \(USR2\)", SLOW)
    # It is followed in all: a reload reaches it, and its end is the container's.
    site.reload("r3", 1)
    assert site.wait_page()[0] == "r3"
    site.box.signal(signal.SIGTERM)
    assert site.box.wait(SLOW) == 0


@pytest.mark.parametrize("name", ["gunicorn", OLD])
def test_when_the_new_master_is_given_up_the_old_one_goes_on(name, site):
    site.start(name, holds=False)
    old = events.main_pid(site)
    site.set_release("r2")
    site.box.signal(signal.SIGUSR2)
    new = new_master(site, old)
    os.kill(new, signal.SIGTERM)
    until(lambda: not os.path.exists(f"/proc/{new}"), "the end of the new master", SLOW, site.box)
    until(lambda: {site.page()[0] for _ in range(4)} == {"r1"}, "only the old release", SLOW, site.box)
    site.box.signal(signal.SIGTERM)
    assert site.box.wait(SLOW) == 0
    assert not [line for line in site.box.err if "has replaced itself" in line]


def test_the_new_master_is_in_the_old_ones_group_and_a_stop_reaches_it(site):
    """With -g a signal goes to the whole group. And it may replace itself again."""
    site.start("gunicorn", holds=False, own=("-g",))
    assert events.re_exec(site) == "goes on"
    site.box.wait_line(r"has replaced itself \(USR2\)", SLOW)
    assert events.re_exec(site) == "goes on"
    site.box.wait_line(r"has replaced itself \(USR2\)", SLOW, count=2)
    site.box.signal(signal.SIGTERM)
    assert site.box.wait(SLOW) == 0


# A master with a worker, that replaces itself by an exec with an empty environment.
REPLACING = """#!/usr/bin/python3 -SE
import os, signal, sys
def replace(*_):
    if os.fork() == 0:
        os.execve(sys.argv[0], sys.argv, {})
signal.signal(signal.SIGUSR2, replace)
print("master", os.getpid(), flush=True)
if os.fork() == 0:
    signal.signal(signal.SIGUSR2, signal.SIG_DFL)
    print("worker", os.getpid(), flush=True)
while True:
    signal.pause()
"""


# A master with a worker that has a child of its own. What it starts at USR2 does not live, and at
# USR1 the worker is replaced.
FAILING = """#!/usr/bin/python3 -SE
import os, signal, subprocess, sys
def begin():
    global worker
    worker = os.fork()
    if worker == 0:
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, signal.SIG_DFL)
        subprocess.Popen(["sleep", "600"])
        print("worker", os.getpid(), flush=True)
        signal.pause()
def fail(*_):
    if os.fork() == 0:
        os._exit(1)
    print("failed", flush=True)
def replace(*_):
    os.kill(worker, 9)
    begin()
signal.signal(signal.SIGUSR1, replace)
signal.signal(signal.SIGUSR2, fail)
begin()
while True:
    signal.pause()
"""


def start_as_gunicorn(text, box, folder):
    program = folder / "gunicorn"
    program.write_text(text)
    program.chmod(0o755)
    return box(str(program), "app:app")


def kill_master(box):
    """The one that freshinit has started."""
    os.kill(box.host_pid(re.search(r"\(pid (\d+)", "".join(box.err))[1]), signal.SIGKILL)


def test_a_new_master_without_its_environment_is_followed(box, tmp_path):
    """setproctitle, which gunicorn uses where it is installed, writes over it."""
    one = start_as_gunicorn(REPLACING, box, tmp_path)
    one.wait_line("^master")
    one.signal(signal.SIGUSR2)
    one.wait_line("^master", count=2)
    one.wait_line("^worker", count=2)
    kill_master(one)
    one.wait_line(r"has replaced itself \(USR2\)")


def test_a_worker_is_not_taken_for_the_new_master(box, tmp_path):
    one = start_as_gunicorn(FAILING, box, tmp_path)
    one.wait_line("^worker")
    one.signal(signal.SIGUSR2)
    one.wait_line("^failed")
    one.signal(signal.SIGUSR1)
    one.wait_line("^worker", count=2)
    kill_master(one)
    assert one.wait() == 137
    assert not [line for line in one.err if "has replaced itself" in line]


def test_with_listen_usr2_is_a_hand_over_of_freshinit(site):
    """gunicorn itself can't: it has closed the descriptor that it was given (all versions)."""
    site.start("gunicorn")
    site.set_release("r2")
    site.box.signal(signal.SIGUSR2)
    site.box.wait_line(r"^Reload done", SLOW)
    assert site.page()[0] == "r2"
