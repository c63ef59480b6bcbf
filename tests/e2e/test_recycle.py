"""max_requests: passed on in each server's own words, and a single uvicorn that ends is started again."""

import pytest

from servers import SERVERS, SLOW, site  # noqa: F401

MATRIX = pytest.mark.matrix


@pytest.mark.parametrize("name", ["uvicorn", pytest.param("uvicorn-oldest", marks=MATRIX)])
def test_a_single_uvicorn_that_has_done_its_requests_is_started_again(name, site):
    site.start(name, keys="max_requests = 20\n")
    with site.load(new=2, kept=1) as load:
        site.box.wait_line(r"^Starting .*uvicorn", SLOW, count=3)
        load.wait_answers(5)
        load.stop()
    assert load.failures == []
    assert len({answer.pid for answer in load.answers}) >= 3


@pytest.mark.parametrize("name", [
    "gunicorn", *(pytest.param(name, marks=MATRIX)
                  for name in ("gunicorn-asgi", "gunicorn-oldest", "hypercorn", "uvicorn-workers"))])
def test_workers_are_replaced_after_their_requests(name, site):
    jitter = "" if SERVERS[name].words[0] == "uvicorn" else "max_requests_jitter = 5\n"
    site.start(name, keys="max_requests = 10\n" + jitter)
    first = {site.page()[1]}
    while len(first) < 4:
        first.add(site.wait_page()[1])
    assert not [line for line in site.box.err if line.startswith("Starting ")][1:]


def test_one_that_never_serves_is_not_started_for_ever(box, tmp_path):
    program = tmp_path / "uvicorn"
    program.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    program.chmod(0o755)
    one = box(str(program), config="[server]\nmax_requests = 5\n")
    assert one.wait(SLOW) == 0
    assert 2 <= len([line for line in one.err if line.startswith("Starting ")]) <= 10


def test_ctrl_c_is_a_stop_and_no_end_of_its_own(anywhere, tmp_path):
    """uvicorn ends with 0 at INT: on a terminal it was started again, whatever was typed."""
    program = tmp_path / "uvicorn"
    program.write_text("#!/bin/sh\ntrap 'exit 0' INT\necho serving\nwhile :; do sleep 1; done\n",
                       encoding="utf-8")
    program.chmod(0o755)
    one = anywhere(str(program), tty=True, config="[server]\nmax_requests = 5\nready = 10ms\n")
    one.wait_line("uvicorn is ready")
    one.type(b"\x03")
    assert one.wait(SLOW) == 0
    assert len([line for line in one.out if "Starting " in line]) == 1
    one.wait_line("Stopping uvicorn .* with SIGINT")
