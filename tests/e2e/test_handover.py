"""With `listen` a reload refuses no request, and no old code answers after it."""

import os
import signal
import tempfile
import time

import pytest

from servers import SLOW, Site, free_port, site  # noqa: F401

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


def listening(port):
    """The inodes of the sockets that listen on the port."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table]
    return {row[9] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"}


@pytest.mark.parametrize("is_low", [False, True], ids=["any port", "a low port"])
def test_each_generation_has_a_socket_of_its_own(is_low, run_box, freshinit):
    """Also where binding needs a right that PID 1 has given up but for this."""
    with tempfile.TemporaryDirectory(prefix="freshinit-", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        site = Site(folder, run_box, freshinit)
        site.port = free_port(range(600, 1000)) if is_low else site.port
        site.start_light("user = 1500:1500\n")
        seen = [listening(site.port)]
        for number in range(1, 4):
            site.reload("r1", number)
            seen.append(listening(site.port))
        assert [len(one) for one in seen] == [1] * 4
        assert len(set.union(*seen)) == 4
        # An answer of the last one, and the kernel's choice is gone.
        assert site.page()[0] == "r1"
        site.box.signal(signal.SIGTERM)
        site.box.wait(SLOW)
