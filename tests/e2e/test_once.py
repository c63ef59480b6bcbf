"""once: one replica of the fleet does it, the others wait, and nothing that dies blocks them."""

import contextlib
import datetime
import json
import os
import re
import signal
import subprocess

import pytest

pytest_plugins = ("caches",)

FLEETS = [40, pytest.param(200, marks=pytest.mark.matrix)]


def flush(url, *lines, release="r1", name="cache", timeout="20s"):
    once = () if any(line.startswith("once =") for line in lines) else ("once = release",)
    return "\n".join(["[freshinit]", f"release = {release}", f"[stage {name}]", f"flush = {url}",
                      f"timeout = {timeout}", *once, *lines, ""])


def run_stage(command, *lines, release="r1", timeout="20s", state=None):
    head = ["[freshinit]", f"release = {release}"] + ([f"state_dir = {state}"] if state else [])
    return "\n".join([*head, "[stage job]", f"run = {command}", f"timeout = {timeout}",
                      "shell = yes", *lines, ""])


@pytest.fixture
def start(freshinit, tmp_path):
    """start(text): a replica that goes on by itself; ended with the test."""
    replicas = []

    def start(config, env=None):
        path = tmp_path / f"replica-{len(replicas)}.ini"
        path.write_text(config, encoding="utf-8")
        path.chmod(0o644)
        replicas.append(subprocess.Popen(
            [freshinit, "--config", str(path), "/bin/true"], stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL, text=True, cwd=tmp_path,
            env={"PATH": os.environ["PATH"], **(env or {})}))
        return replicas[-1]

    yield start
    for replica in replicas:
        with contextlib.suppress(ProcessLookupError):
            replica.kill()
        replica.wait()
        replica.stderr.close()


def line_with(replica, words):
    """Waits for that line; the test's own time limit is the servers'."""
    seen = []
    for line in replica.stderr:
        seen.append(line)
        if re.search(words, line):
            return line
    pytest.fail(f"no line with {words!r}: {seen}")


def ends(start, config, count):
    """Starts them all at once: what each of them says that it did, after all have gone on."""
    replicas = [start(config, env={"FRESHINIT_LOG": "json"}) for _ in range(count)]
    done = []
    for replica in replicas:
        lines = [json.loads(line) for line in replica.stderr]
        assert replica.wait(timeout=60) == 0, lines
        assert not [e for e in lines if e["level"] in ("warn", "error")], lines
        [event] = [e for e in lines if e["event"] == "stage.done"]
        done.append(event)
    return done


@pytest.mark.parametrize("count", FLEETS)
@pytest.mark.parametrize("how", ["all = yes", "keys = app:*"])
def test_a_fleet_that_starts_at_once_flushes_redis_exactly_once(redis, start, count, how):
    redis.call("MSET", *[w for i in range(3000) for w in (f"app:{i}", "x")])
    redis.call("CONFIG", "RESETSTAT")
    done = ends(start, flush(redis.url(), how), count)
    flushed = [e for e in done if not e.get("skipped")]
    assert len(flushed) == 1 and flushed[0]["done"] == 3000
    assert len([e for e in done if e.get("skipped") == 1]) == count - 1
    if how == "all = yes":
        assert redis.calls_of("flushdb") == 1
    assert redis.call("KEYS", "*") == [b"freshinit:cache:marker"]


def began_ended(event):
    end = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp() * 1000
    return end - event["ms"], end


@pytest.mark.parametrize("count", FLEETS)
def test_a_fleet_flushes_no_memcached_after_the_first_has_finished(memcached, start, count):
    memcached.set("a", "x")
    before = memcached.flushes()
    done = ends(start, flush(memcached.url(), "all = yes"), count)
    flushed = sorted((e for e in done if not e.get("skipped")), key=lambda e: began_ended(e)[1])
    assert memcached.flushes() - before == len(flushed)
    # A second one can only come between a flush and the marker that is sent with it.
    assert 1 <= len(flushed) <= 2
    first_end = began_ended(flushed[0])[1]
    assert all(began_ended(event)[0] <= first_end for event in flushed)
    memcached.set("b", "y")
    assert all(e.get("skipped") for e in ends(start, flush(memcached.url(), "all = yes"), 5))
    assert memcached.get("b") == "y"


@pytest.mark.parametrize("kind", ["redis", "memcached"])
def test_a_rollback_flushes_only_with_another_id(request, run_config, kind):
    server = request.getfixturevalue(kind)
    for release, lines, words in [
            ("r1", [], "forgotten"), ("r1", [], "done already for release r1"),
            ("r2", [], "forgotten"), ("r1", [], "done already for release r1"),
            ("r1", ["once_id = deploy-3"], "forgotten"),
            ("r2", ["once_id = deploy-3"], "done already for once_id deploy-3")]:
        result = run_config(flush(server.url(), "all = yes", *lines, release=release))
        assert result.returncode == 0 and words in result.stderr, (release, lines)
    assert re.search(r"done already for once_id deploy-3 \(by \S+, \d+ s ago\)$", result.stderr,
                     re.M)


def test_the_marker_stays_whatever_the_second(memcached, run_config):
    for release in range(12):
        config = flush(memcached.url(), "all = yes", release=f"r{release}")
        assert "forgotten" in run_config(config).stderr
        assert "done already" in run_config(config).stderr


def test_a_memcached_without_its_marker_is_flushed_again_and_it_is_said(memcached, run_config):
    config = flush(memcached.url(), "all = yes")
    assert "it held no marker: first time, restarted or evicted" in run_config(config).stderr
    memcached.call("delete freshinit:cache:marker")
    assert "it held no marker: first time, restarted or evicted" in run_config(config).stderr
    result = run_config(flush(memcached.url(), "all = yes", release="r2"))
    assert "forgotten" in result.stderr and "marker" not in result.stderr


@pytest.mark.parametrize("kind", ["redis", "memcached"])
def test_a_killed_holder_blocks_no_one_for_longer_than_its_lock(request, start, kind):
    server = request.getfixturevalue(kind)
    if kind == "redis":
        server.call("SET", "freshinit:cache:lock", "web-9 abc", "PX", 2500)
    else:
        assert server.call("add freshinit:cache:lock 0 3 9\r\nweb-9 abc") == "STORED\r\n"
    replica = start(flush(server.url(), "all = yes"))
    assert "waiting until web-9 has done it" in line_with(replica, "web-9")
    assert "forgotten" in line_with(replica, "forgotten")
    assert replica.wait(timeout=20) == 0


@pytest.mark.parametrize("kind", ["redis", "memcached"])
def test_who_never_gets_the_lock_goes_on_at_its_own_timeout(request, start, kind):
    server = request.getfixturevalue(kind)
    if kind == "redis":
        server.call("SET", "freshinit:cache:lock", "web-9 abc")
    else:
        assert server.call("add freshinit:cache:lock 0 0 9\r\nweb-9 abc") == "STORED\r\n"
    replica = start(flush(server.url(), "all = yes", timeout="1s"))
    assert "web-9 is doing it (it holds freshinit:cache:lock)" in line_with(replica, "web-9")
    assert replica.wait(timeout=20) == 0


def test_a_failed_flush_gives_the_lock_back_and_leaves_no_marker(start_redis, run_config):
    redis = start_redis("--rename-command", "FLUSHDB", "")
    for _ in range(2):
        result = run_config(flush(redis.url(), "all = yes"))
        assert "FLUSHDB refused" in result.stderr
        assert redis.call("KEYS", "*") == []


def test_an_unknown_release_is_said_and_it_is_done_each_time(redis, run_config):
    for _ in range(2):
        result = run_config(flush(redis.url(), "all = yes", release=""))
        assert "the release is not known, so this is done each time" in result.stderr
        assert "forgotten" in result.stderr


def test_two_stages_have_two_markers(redis, run_config):
    for name in ("cache", "other"):
        result = run_config(flush(redis.url(), "keys = a:*", name=name))
        assert "removed" in result.stderr


@pytest.fixture(params=["redis", "state_dir"])
def place(request, tmp_path):
    """Where the marker of a run stage lies: lines for the stage, and keywords of run_stage."""
    if request.param == "redis":
        return ["once = release", f"once_at = {request.getfixturevalue('redis').url(2)}"], {}
    return ["once = release"], {"state": str(tmp_path / "state")}


def test_a_fleet_runs_a_command_once(start, place, tmp_path):
    lines, more = place
    done = ends(start, run_stage(f"echo x >> {tmp_path}/ran", *lines, **more), 20)
    assert (tmp_path / "ran").read_text() == "x\n"
    assert len([e for e in done if e.get("skipped") == 1]) == 19


def test_a_loser_waits_for_the_command_of_another(start, place, tmp_path):
    lines, more = place
    os.mkfifo(tmp_path / "gate")
    config = run_stage(f"echo begun; read x < {tmp_path}/gate", *lines, **more)
    winner = start(config)
    line_with(winner, "job: begun")
    loser = start(config)
    line_with(loser, "waiting until .* has done it")
    (tmp_path / "gate").write_text("go\n")
    line_with(winner, "Running job: done")
    line_with(loser, "Running job: done already for release r1")
    assert (winner.wait(timeout=20), loser.wait(timeout=20)) == (0, 0)


def test_a_killed_winner_is_followed_by_another(start, place, tmp_path):
    lines, more = place
    os.mkfifo(tmp_path / "gate")
    # The lock ends with the time of the stage, so the first one's is short.
    command = f"echo pid $PPID; read x < {tmp_path}/gate"
    first = start(run_stage(command, *lines, timeout="3s", **more))
    os.kill(int(line_with(first, r"job: pid \d+").split()[-1]), signal.SIGKILL)
    second = start(run_stage(f"echo second >> {tmp_path}/ran", *lines, **more))
    line_with(second, "Running job: done, ")
    assert (tmp_path / "ran").read_text() == "second\n"
    # What the killed one had started, if it lives.
    with contextlib.suppress(OSError):
        os.write(os.open(tmp_path / "gate", os.O_WRONLY | os.O_NONBLOCK), b"go\n")


def test_a_failed_command_is_tried_again_by_the_next(run_config, place):
    lines, more = place
    for command, words in [("exit 3", "exit status 3"), ("exit 3", "exit status 3"),
                           ("true", "Running job: done, "), ("true", "done already")]:
        assert words in run_config(run_stage(command, *lines, **more)).stderr


def test_a_command_runs_again_only_when_what_it_reads_changed(run_config, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.css").write_text("one")
    config = run_stage("echo ran", "once = change", f"in = {tmp_path}/in", state=tmp_path / "state")
    skipped = f"Skipping job: the 1 files that it reads ({tmp_path}/in) have not changed"
    assert "job: ran" in run_config(config).stderr
    assert skipped in run_config(config).stderr
    times = os.stat(tmp_path / "in" / "a.css")
    (tmp_path / "in" / "a.css").write_text("two")
    os.utime(tmp_path / "in" / "a.css", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert "job: ran" in run_config(config).stderr
    os.utime(tmp_path / "in" / "a.css")
    assert skipped in run_config(config).stderr
    assert "job: ran" in run_config(config.replace("echo ran", "echo ran; true")).stderr


@pytest.mark.parametrize("once, again", [
    (["once = change"], "have not changed"),
    (["once = release"], "done already"),
])
def test_a_stage_of_another_user_remembers_too(run_config, tmp_path, needs_root, once, again):
    """What is kept belongs to that user, whatever umask we were started with."""
    tmp_path.chmod(0o755)
    (tmp_path / "in").mkdir(mode=0o755)
    config = run_stage("id -u", "user = nobody", f"in = {tmp_path}/in", *once,
                       state=tmp_path / "state")
    mask = os.umask(0o077)
    try:
        first = run_config(config)
    finally:
        os.umask(mask)
    assert "job: 65534" in first.stderr and "failed" not in first.stderr, first.stderr
    assert again in run_config(config).stderr
    own = (tmp_path / "state/once/65534").stat()
    assert (own.st_uid, own.st_mode & 0o777) == (65534, 0o755)
    # Markers of stages without a user stay out of its reach.
    assert (tmp_path / "state/once").stat().st_uid == 0


def test_a_folder_that_others_may_write_is_given_to_nobody(run_config, tmp_path, needs_root):
    tmp_path.chmod(0o755)
    (tmp_path / "state/once").mkdir(parents=True)
    (tmp_path / "state/once").chmod(0o777)
    (tmp_path / "state/once/65534").mkdir()
    config = run_stage("echo ran", "user = nobody", f"in = {tmp_path}", "once = change",
                       state=tmp_path / "state")
    for _ in range(2):
        result = run_config(config)
        assert "job: ran" in result.stderr and "this is done each time" in result.stderr
    assert (tmp_path / "state/once/65534").stat().st_uid == 0


def test_a_failed_command_has_read_nothing(run_config, tmp_path):
    (tmp_path / "in").mkdir()
    config = run_stage("exit 1", "once = change", f"in = {tmp_path}/in", state=tmp_path / "state")
    for _ in range(2):
        assert "exit status 1" in run_config(config).stderr


def test_without_a_place_to_remember_it_is_done_each_time(run_config, tmp_path):
    (tmp_path / "state").write_text("a file, not a folder")
    config = run_stage("echo ran", "once = change", f"in = {tmp_path}", state=tmp_path / "state")
    for _ in range(2):
        result = run_config(config)
        assert "job: ran" in result.stderr and "this is done each time" in result.stderr
