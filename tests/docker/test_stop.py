"""docker stop, docker kill and docker exec: in time, with the right status, and nothing stays."""

import json

import pytest


def test_a_server_that_ignores_term_is_killed_when_its_time_is_over(container):
    one = container("scratch", "/helpers/signals", "--end", "15", "0", "--end", "0", "0",
                    config="[server]\nstop_timeout = 2s\n")
    one.wait_line(r"^ready")
    took = one.stop()
    assert one.wait() == 137
    assert "got 15" in one.out
    assert 1 < took < 7


def test_a_program_started_by_docker_exec_is_told_too(container):
    one = container("scratch", "/helpers/signals")
    one.wait_line(r"^ready")
    guest = one.start("guest", "/helpers/signals")
    one.wait_line(r"^ready", count=2)
    one.stop()
    assert one.wait() == 0
    guest.wait(30)
    assert "got 15" in one.lines("guest")


def test_a_program_of_docker_exec_that_ignores_term_does_not_hold_up_the_end(container):
    one = container("scratch", "/helpers/signals", config="[server]\nstop_timeout = 2s\n")
    one.wait_line(r"^ready")
    guest = one.start("guest", "/helpers/signals", "--end", "0", "0")
    one.wait_line(r"^ready", count=2)
    took = one.stop()
    assert one.wait() == 0
    guest.wait(30)
    assert "got 15" in one.lines("guest")
    assert took < 7


@pytest.mark.parametrize("name, number", [("HUP", 1), ("USR1", 10), ("WINCH", 28), ("RTMIN+1", 35)])
def test_docker_kill_reaches_the_server(name, number, container):
    one = container("scratch", "/helpers/signals")
    one.wait_line(r"^ready")
    one.kill(name)
    one.wait_line(rf"^got {number}$")
    one.stop()
    assert one.wait() == 0


def test_the_image_s_stop_signal_is_taken(container):
    one = container("scratch", "/helpers/signals", "--end", "3", "5",
                    options=["--stop-signal", "QUIT"])
    one.wait_line(r"^ready")
    one.stop()
    assert one.wait() == 5
    assert "got 3" in one.out


def test_a_log_for_machines_is_one_object_a_line(container):
    one = container("scratch", "--log", "json", "--", "/helpers/stray", "--slow")
    assert one.wait() == 0
    events = [json.loads(line) for line in one.err]
    assert events and all(event.get("event") for event in events)
