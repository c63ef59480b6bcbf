"""The static binary in images of other makers: it needs nothing of them."""

import re

import pytest

IMAGES = ["bookworm", "busybox", "scratch"]


@pytest.mark.parametrize("name", IMAGES)
def test_it_starts_a_program_and_ends_with_it(name, container):
    one = container(name, "/helpers/signals")
    one.wait_line(r"^ready \d+$")
    took = one.stop()
    assert one.wait() == 0
    assert "got 15" in one.out
    assert took < 5


@pytest.mark.parametrize("name", IMAGES)
def test_a_daemon_is_waited_for_before_the_container_ends(name, container):
    one = container(name, "/helpers/stray", "--slow")
    assert one.wait() == 0
    assert "stray got 15" in one.out
    assert "stray finished 0" in one.out


CODES = [
    (("/helpers/end", "exit", "0"), 0),
    (("/helpers/end", "exit", "7"), 7),
    (("/helpers/end", "signal", "9"), 137),
    (("/helpers/end", "signal", "15"), 143),
    (("/helpers/absent",), 127),
    (("/helpers",), 126),
    (("--no-such-option",), 64),
]


@pytest.mark.parametrize("command, status", CODES, ids=lambda value: str(value))
def test_the_exit_status_is_passed_on(command, status, container):
    assert container("scratch", *command).wait() == status


def test_a_faulty_configuration_starts_nothing(container):
    one = container("scratch", "/helpers/signals", config="[server]\nusr = app\numask = 999\n")
    assert one.wait() == 78
    assert not one.out
    text = "\n".join(one.err)
    assert "/etc/freshinit.ini:2: " in text and "/etc/freshinit.ini:3: " in text
    assert 'did you mean "user"' in text


def test_beneath_docker_s_own_init_it_still_ends_everything(container):
    one = container("bookworm", "--", "sh", "-c", "/helpers/stray --slow; exec /helpers/signals",
                    options=["--init"])
    pid = int(one.wait_line(r"^ready (\d+)$")[1])
    assert pid > 1
    one.stop()
    assert one.wait() == 0
    assert "stray finished 0" in one.out


def test_a_thousand_orphans_leave_no_zombie(container):
    one = container("scratch", "/helpers/orphans", "1000")
    one.wait_line(r"^orphaned 1000$", within=60)
    one.stop()
    one.wait()
    assert one.inspect("{{.State.OOMKilled}}") == "false"


def test_the_log_of_the_container_is_readable(container):
    one = container("scratch", "/helpers/signals")
    one.wait_line(r"^ready")
    one.stop()
    one.wait()
    assert any(re.match(r"freshinit \S+: pid 1, ", line) for line in one.err), one.err
    assert all(line.isprintable() for line in one.err), one.err
