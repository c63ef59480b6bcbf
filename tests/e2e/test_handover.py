"""With `listen` a reload refuses no request, and no old code answers after it."""

import signal
import time

import pytest

from servers import SLOW, site  # noqa: F401

# One server of each way to be given a socket; the rest in the matrix.
SHORT = ["gunicorn", "uvicorn"]
LONG = ["gunicorn-threads", "gunicorn-asgi", "gunicorn-preload", "uvicorn-workers", "hypercorn",
        "gunicorn-oldest", "gunicorn-threads-oldest", "gunicorn-asgi-oldest", "uvicorn-oldest",
        "uvicorn-workers-oldest", "gunicorn-debian", "uvicorn-debian"]


def reload_under_load(site, count):
    """Every reload has a release of its own; no answer may be of an earlier one once it is done."""
    with site.load() as load:
        for number in range(2, count + 2):
            site.reload(f"r{number}", number - 1)
            done = time.monotonic()
            load.wait_answers(8)
            late = {a.release for a in load.after(done)} - {f"r{number}"}
            assert not late, f"answers of {late} after reload {number - 1} was done"
        load.stop()
        assert load.failures == []
    print(f"{count} reloads: {len(load.answers)} answers, {load.again} kept connections closed")


@pytest.mark.parametrize("name, count", [
    *((name, 5) for name in SHORT),
    *(pytest.param(name, 50, marks=pytest.mark.matrix) for name in SHORT + LONG)])
def test_reloads_under_load_refuse_no_one_and_leave_no_old_code(name, count, site):
    site.start(name)
    reload_under_load(site, count)
    site.box.signal(signal.SIGTERM)
    site.box.wait(SLOW)
