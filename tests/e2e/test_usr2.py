"""gunicorn replaces itself (USR2): freshinit goes on with whichever master lives."""

import os
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


def test_with_listen_usr2_is_a_hand_over_of_freshinit(site):
    """gunicorn itself can't: it has closed the descriptor that it was given (all versions)."""
    site.start("gunicorn")
    site.set_release("r2")
    site.box.signal(signal.SIGUSR2)
    site.box.wait_line(r"^Reload done", SLOW)
    assert site.page()[0] == "r2"
