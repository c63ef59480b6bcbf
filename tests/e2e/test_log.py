"""The log: one line an event, never in the way of what matters."""

import fcntl
import json
import os
import re
import signal
import subprocess

import pytest


def test_a_start_is_told_for_people(box, helper):
    box = box(helper("end"), "exit", "0")
    assert box.wait() == 0
    box.wait_line(r"^Starting .*end exit 0 \(pid \d+", stream="err")


def test_a_start_is_told_before_any_word_of_the_server(anywhere):
    box = anywhere("sh", "-c", "echo its first word >&2")
    assert box.wait() == 0
    assert box.err[0].startswith("freshinit ")
    assert box.err[1].startswith("Starting sh ")
    assert box.err[2] == "its first word"


def test_a_password_in_the_command_is_not_told(anywhere):
    box = anywhere("sh", "-c", "exit 0", "redis://u:hunter2@host/1")
    assert box.wait() == 0
    assert "redis://***@host/1" in box.err[1] and "hunter2" not in "".join(box.err)


def test_a_start_that_fails_is_told_in_order(anywhere):
    box = anywhere("/nowhere/at/all")
    assert box.wait() == 127
    assert box.err[1].startswith("Starting /nowhere/at/all (pid ")
    assert "can't start /nowhere/at/all" in box.err[2]


def test_json_is_one_object_a_line(anywhere, helper):
    box = anywhere("--log", "json", helper("end"), "exit", "3")
    assert box.wait() == 3
    events = {line["event"]: line for line in box.log}
    assert events["server.started"]["pid"] > 1
    assert events["server.ended"]["code"] == 3
    for line in box.log:
        assert {"time", "level", "event", "message"} <= set(line)


def test_json_holds_faults_too(box, helper):
    box = box("--log", "json", "/nowhere/at/all")
    assert box.wait() == 127
    assert any(line["level"] == "error" for line in box.log)


def test_json_by_the_environment_holds_for_a_broken_configuration(box, helper):
    box = box(config="[server]\nnonsense = 1\n", env={"FRESHINIT_LOG": "json"})
    assert box.wait() == 78
    assert any("nonsense" in line["message"] for line in box.log)


@pytest.mark.parametrize("level, is_told", [("error", False), ("warn", False), ("info", True),
                                            ("debug", True), ("trace", True)])
def test_the_level_is_kept(box, helper, level, is_told):
    box = box(helper("end"), "exit", "0", env={"FRESHINIT_LOG_LEVEL": level})
    assert box.wait() == 0
    assert any(line.startswith("Starting") for line in box.err) == is_told
    if not is_told:
        assert box.err == []


def test_v_tells_more(box, helper):
    box = box("-v", helper("signals"))
    box.wait_line("^ready")
    box.signal(signal.SIGUSR1)
    box.wait_line("SIGUSR1", stream="err")


def test_colours_are_for_terminals_only(box, helper):
    box = box("/nowhere/at/all")
    assert box.wait() == 127
    assert not any("\033" in line for line in box.err)


@pytest.mark.parametrize("env, has_colour", [({}, True), ({"NO_COLOR": "1"}, False),
                                             ({"NO_COLOR": ""}, True)])
def test_no_color_is_kept_on_a_terminal(box, helper, env, has_colour):
    box = box("/nowhere/at/all", tty=True, env={"TERM": "xterm", **env})
    assert box.wait() == 127
    assert any("\033[" in line for line in box.out) == has_colour


def test_control_characters_are_escaped(box):
    box = box("/nowhere/\033[31mred\nsecond line\x07\x9b")
    assert box.wait() == 127
    assert not any("\033" in line or "\x07" in line for line in box.err)
    assert not any(line.startswith("second line") for line in box.err)
    box.wait_line(r"\\x1b", stream="err")


@pytest.mark.parametrize("words, env, code", [
    (["--log", "json", "--config", "/nowhere.ini", "true"], {}, 78),
    (["--set", "freshinit.log=json", "--config", "/proc", "true"], {}, 78),
    (["--config", "/nowhere.ini", "true"], {"FRESHINIT_LOG": "json"}, 78),
    (["true"], {"FRESHINIT_LOG": "json", "FRESHINIT_CONFIG": "/nowhere.ini"}, 78),
    (["--log", "json", "--nonsense", "true"], {}, 64),
    (["check", "true"], {"FRESHINIT_LOG": "json"}, 64),
])
def test_json_holds_before_there_is_a_plan(run_box, freshinit, words, env, code):
    one = run_box(freshinit, *words, env=env)
    assert one.wait() == code
    assert [json.loads(line)["level"] for line in one.err] == ["error"]


def test_json_stays_json_whatever_the_words(box):
    box = box("--log", "json", '/nowhere/"q\\uote\x01\n\t\udcff')
    assert box.wait() == 127
    assert box.log


class FullPipe:
    """A pipe as small as they come, full of what nobody reads."""

    def __init__(self):
        self.read_end, self.write_end = os.pipe()
        fcntl.fcntl(self.write_end, 1031, 4096)  # F_SETPIPE_SZ
        own = os.open(f"/proc/self/fd/{self.write_end}", os.O_WRONLY | os.O_NONBLOCK)
        try:
            while True:
                os.write(own, b"x" * 256)
        except BlockingIOError:
            os.close(own)

    def drain(self):
        """Empties it, without waiting for more."""
        own = os.open(f"/proc/self/fd/{self.read_end}", os.O_RDONLY | os.O_NONBLOCK)
        data = b""
        try:
            while True:
                part = os.read(own, 65536)
                if not part:
                    break
                data += part
        except BlockingIOError:
            pass
        os.close(own)
        return data.decode("utf-8", "replace")

    def is_nonblocking(self):
        return bool(fcntl.fcntl(self.write_end, fcntl.F_GETFL) & os.O_NONBLOCK)

    def close(self):
        os.close(self.read_end)
        os.close(self.write_end)


@pytest.fixture
def full_pipe():
    pipe = FullPipe()
    yield pipe
    pipe.close()


def test_a_log_that_nobody_reads_stops_nothing(anywhere, helper, full_pipe):
    box = anywhere("-v", "-v", helper("signals"), stderr=full_pipe.write_end)
    box.wait_line("^ready")
    for _ in range(200):
        box.signal(signal.SIGUSR1)
    box.wait_line("^got 10$")
    box.signal(signal.SIGTERM)
    assert box.wait() == 0


def test_lost_lines_are_counted_and_told_later(anywhere, helper, full_pipe):
    box = anywhere("-v", helper("signals"), stderr=full_pipe.write_end)
    box.wait_line("^ready")
    box.signal(signal.SIGUSR1)
    box.wait_line("^got 10$")
    full_pipe.drain()
    box.signal(signal.SIGTERM)
    assert box.wait() == 0
    told = full_pipe.drain()
    assert int(re.search(r"(\d+) log lines? w", told)[1]) >= 1
    assert "ended" in told


def test_the_servers_stderr_is_not_made_nonblocking(anywhere, helper, full_pipe):
    full_pipe.drain()
    box = anywhere(helper("signals"), stderr=full_pipe.write_end)
    box.wait_line("^ready")
    assert not full_pipe.is_nonblocking()
    box.signal(signal.SIGTERM)
    assert box.wait() == 0
    assert not full_pipe.is_nonblocking()


@pytest.mark.parametrize("world", [{"proc": "none"}, {"uid": 1000, "gid": 1000}],
                         ids=["no proc", "another user's pipe"])
def test_nor_where_stderr_cannot_be_opened_anew(anywhere, helper, full_pipe, world, needs_root):
    box = anywhere("-v", helper("signals"), stderr=full_pipe.write_end, **world)
    box.wait_line("^ready")
    for _ in range(50):
        box.signal(signal.SIGUSR1)
    box.wait_line("^got 10$")
    assert not full_pipe.is_nonblocking()
    box.signal(signal.SIGTERM)
    assert box.wait() == 0


def test_a_closed_log_pipe_ends_nothing(anywhere, helper):
    read_end, write_end = os.pipe()
    os.close(read_end)
    box = anywhere("-v", helper("signals"), stderr=write_end)
    os.close(write_end)
    box.wait_line("^ready")
    box.signal(signal.SIGUSR1)
    box.wait_line("^got 10$")
    box.signal(signal.SIGTERM)
    assert box.wait() == 0


@pytest.mark.usefixtures("needs_root")
def test_a_closed_log_pipe_does_not_end_a_server_that_is_warned_about(freshinit):
    read_end, write_end = os.pipe()
    os.close(read_end)
    # Without SETPCAP the bounding set stays, which is a warning from the server's own process.
    run = subprocess.run(["setpriv", "--bounding-set=-setpcap", freshinit, "--no-stages", "--user", "54321",
                          "--set", "server.no_new_privs=no", "sh", "-c", "exit 7"], stderr=write_end)
    os.close(write_end)
    assert run.returncode == 7


def test_the_log_goes_to_a_file_whole(anywhere, helper, tmp_path):
    with open(tmp_path / "log", "ab") as file:
        box = anywhere("--log", "json", helper("end"), "exit", "0", stderr=file.fileno())
    assert box.wait() == 0
    events = [json.loads(line)["event"] for line in (tmp_path / "log").read_text().splitlines()]
    assert "server.started" in events and "server.ended" in events
