"""No worker of old code goes on: not after a reload, and not after its master."""

import os
import signal

import pytest

import events
from inside import inside, status
from servers import SLOW, site, until  # noqa: F401

KEYS = "stale_worker_timeout = 1s\nstop_timeout = 2s\n"


def get_stuck(site):
    site.ask_later("/stuck")
    return int(site.box.wait_line(r"^stuck (\d+)", SLOW)[1])


def test_a_stuck_worker_of_before_the_reload_is_ended_and_named(site):
    """gunicorn leaves it for ever with --timeout 0."""
    site.start("gunicorn", "--timeout", "0", holds=False, keys=KEYS)
    stuck = get_stuck(site)
    site.reload("r2", 1)
    assert [line for line in site.box.err if f"Killing stale worker {stuck} " in line]
    assert stuck not in [p["pid"] for p in site.workers()]
    assert site.wait_page()[0] == "r2"


def test_a_stuck_worker_of_a_handed_over_server_is_ended(site):
    site.start("uvicorn-workers", keys=KEYS)
    stuck = get_stuck(site)
    site.reload("r2", 1)
    # It was killed; the kernel may need a moment.
    until(lambda: stuck not in [p["pid"] for p in site.workers()], "its end", SLOW, site.box)
    assert {site.page()[0] for _ in range(8)} == {"r2"}


def test_workers_of_an_old_server_that_was_killed_are_ended_and_named(site):
    site.start("uvicorn-workers", keys="stale_worker_timeout = 60s\n")
    stuck = get_stuck(site)
    old = events.main_pid(site)
    site.set_release("r2")
    site.box.signal(signal.SIGHUP)
    site.box.wait_line(r"stopping the old one \(pid \d+\)", SLOW)
    os.kill(old, signal.SIGKILL)
    site.box.wait_line(rf"left behind: .*\b{stuck} \(", SLOW)
    site.box.wait_line("Reload done", SLOW)
    until(lambda: stuck not in [p["pid"] for p in site.workers()], "its end", SLOW, site.box)


def test_a_new_worker_is_never_taken_for_an_old_one(site):
    site.start("gunicorn", holds=False, keys="stale_worker_timeout = 30s\n")
    for number in range(2, 6):
        site.reload(f"r{number}", number - 1)
        assert site.wait_page()[0] == f"r{number}"
    assert not [line for line in site.box.err if "stale" in line]


@pytest.mark.parametrize("holds", [True, False], ids=["hand-over", "its own reload"])
def test_a_daemon_is_no_worker_and_keeps_nobody_unhealthy(holds, site, freshinit):
    """It outlives each reload by design: an orchestrator would start the container anew, for ever."""
    site.start("gunicorn", holds=holds)
    assert inside(site.box, "sh", "-c", "setsid sleep 600 >/dev/null 2>&1 &").code == 0
    site.reload("r2", 1)
    config = ("--config", site.folder / "freshinit.ini")
    seen = until(lambda: not (seen := status(site.box, freshinit, *config))["reloading"] and seen,
                 "the end of the reload", SLOW, site.box)
    (daemon,) = [p for p in seen["processes"] if p["name"] == "sleep"]
    assert (daemon["role"], daemon["stale"]) == ("orphan", False)
    url = f"http://127.0.0.1:{site.port}/"
    answer = inside(site.box, freshinit, "health", *config, url)
    assert answer.code == 0, answer


@pytest.mark.parametrize("as_child", [True, False], ids=["not PID 1", "PID 1"])
@pytest.mark.parametrize("name", [
    "gunicorn-asgi", *(pytest.param(name, marks=pytest.mark.matrix)
                       for name in ("uvicorn-workers", "hypercorn", "granian", "uvicorn-workers-oldest"))])
def test_workers_do_not_outlive_their_master(name, as_child, site):
    site.start(name, as_child=as_child)
    os.kill(events.main_pid(site), signal.SIGKILL)
    assert site.box.wait(SLOW) == 137
    assert site.box.left() == []
    assert site.try_page() is None
    assert [line for line in site.box.err if "was ended by SIGKILL" in line]
    assert [line for line in site.box.err if "left behind" in line]
