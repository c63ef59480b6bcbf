"""Each of Docker's security options, with and without `user =`: the server starts as the right user,
or nothing starts and the log says why. Never as root by silence."""

import itertools
import subprocess

import pytest

from containers import report

USER = ["--user", "1000:1000"]
NO_CAPS = ["--cap-drop", "ALL"]
NO_NEW = ["--security-opt", "no-new-privileges"]
READ_ONLY = ["--read-only"]
OPTIONS = {"user": USER, "no caps": NO_CAPS, "no new privs": NO_NEW, "read-only": READ_ONLY}
MIXES = [mix for count in range(len(OPTIONS) + 1) for mix in itertools.combinations(OPTIONS, count)]
LONG = pytest.mark.matrix


def words(mix):
    return [word for name in mix for word in OPTIONS[name]]


def marked(mixes, is_short):
    return [pytest.param(mix, id="+".join(mix) or "none", marks=[] if is_short(mix) else [LONG])
            for mix in mixes]


def is_one_or_all(mix):
    return len(mix) in (0, 1, len(OPTIONS))


@pytest.mark.parametrize("mix", marked(MIXES, is_one_or_all))
def test_without_a_user_identity_stays_as_docker_made_it(mix, container):
    one = container("scratch", "/helpers/report", options=words(mix))
    assert one.wait() == 0
    seen = report(one)
    wanted = 1000 if "user" in mix else 0
    assert seen["uids"] == [wanted] * 3 and seen["gids"] == [wanted] * 3
    is_bare = "user" in mix or "no caps" in mix
    assert (seen["effective"] == 0) == is_bare


# Switching needs SETUID and SETGID; being that user already needs nothing.
@pytest.mark.parametrize("mix", marked(MIXES, is_one_or_all))
def test_a_user_is_switched_to_or_the_same_or_refused(mix, container):
    one = container("scratch", "/helpers/report", options=words(mix),
                    config="[server]\nuser = 1000:1000\n")
    status = one.wait()
    if "no caps" in mix and "user" not in mix:
        assert status == 125 and not one.out
        assert any("1000" in line for line in one.err), one.err
        return
    assert status == 0
    seen = report(one)
    assert seen["uids"] == [1000] * 3 and seen["gids"] == [1000] * 3
    assert seen["permitted"] == seen["effective"] == seen["ambient"] == 0


def test_another_user_than_docker_s_is_refused(container):
    one = container("scratch", "/helpers/report", options=["--user", "2000:2000"],
                    config="[server]\nuser = 1000:1000\n")
    assert one.wait() == 125
    assert not one.out


def test_a_wanted_capability_is_all_that_is_left(container):
    one = container("scratch", "/helpers/report",
                    config="[server]\nuser = 1000:1000\ncapabilities = net_bind_service\n")
    assert one.wait() == 0
    seen = report(one)
    assert seen["effective"] == seen["ambient"] == seen["bounding"] == 1 << 10


def test_every_option_at_once_still_stops_in_time(container):
    one = container("scratch", "/helpers/signals", options=words(OPTIONS))
    one.wait_line(r"^ready")
    took = one.stop()
    assert one.wait() == 0 and took < 5


def test_with_the_host_s_pids_no_neighbour_is_touched(container):
    neighbour = subprocess.Popen(["sleep", "infinity"])
    other = container("scratch", "/helpers/signals", options=["--pid", "host"])
    try:
        other.wait_line(r"^ready")
        one = container("bookworm", "--", "sh", "-c", "/helpers/stray --slow; exec /helpers/signals",
                        options=["--pid", "host"])
        one.wait_line(r"^ready \d+$")
        one.stop()
        assert one.wait() == 0
        assert "stray finished 0" in one.out
        assert neighbour.poll() is None
        assert other.process.poll() is None and "got 15" not in other.out
    finally:
        neighbour.kill()
        neighbour.wait()
