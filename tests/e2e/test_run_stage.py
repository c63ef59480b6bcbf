"""run: a user's command, its output in the log, its end named, all of it ended at the timeout."""

import fcntl
import os
import re
import shutil
import subprocess

import pytest

pytest_plugins = ("caches",)


def stage(command, *lines):
    return "\n".join(["[stage job]", f"run = {command}", *lines, ""])


def output(result):
    return re.findall(r"^job: (.*)$", result.stderr, re.M)


def test_words_are_passed_as_they_are_without_a_shell(run_config):
    result = run_config(stage("""printf "%s\\\\n" '$$HOME;' "a b" * | x"""))
    assert output(result) == ["$HOME;", "a b", "*", "|", "x"]
    assert re.search(r"^Running job: done, \d+ ms$", result.stderr, re.M)


def test_a_shell_only_when_asked(run_config):
    command = "echo $$((1 + 2)) | cat"
    assert output(run_config(stage(command))) == ["$((1 + 2)) | cat"]
    assert output(run_config(stage(command, "shell = yes"))) == ["3"]


def test_both_streams_and_the_last_line_without_its_end(run_config):
    result = run_config(stage("echo one; echo two >&2; printf three", "shell = yes"))
    assert output(result) == ["one", "two", "three"]


def test_bytes_that_a_terminal_obeys_are_escaped(run_config):
    result = run_config(stage(r"printf 'a\033[2Jb\r\n\000\377\n'"))
    assert output(result) == [r"a\x1b[2Jb", r"?\xff"]


def test_a_line_of_any_length_comes_in_pieces(run_config):
    result = run_config(stage("head -c 100000 /dev/zero | tr '\\000' x", "shell = yes"))
    assert "".join(output(result)) == "x" * 100000


def test_a_reader_that_is_slower_than_the_command_loses_no_line(freshinit, tmp_path):
    (tmp_path / "freshinit.ini").write_text(stage("seq 5000"))
    far, near = os.pipe()
    fcntl.fcntl(near, fcntl.F_SETPIPE_SZ, 4096)
    config = str(tmp_path / "freshinit.ini")
    with subprocess.Popen([freshinit, "--config", config, "/bin/true"], stderr=near) as process:
        os.close(near)
        text = b""
        while part := os.read(far, 100):
            text += part
        assert process.wait(timeout=20) == 0
    os.close(far)
    assert re.findall(rb"^job: (.*)$", text, re.M) == [b"%d" % i for i in range(1, 5001)]


@pytest.mark.parametrize("command, words", [
    ("exit 3", r"\[stage job\] exit 3: exit status 3"),
    ("kill -SEGV $$$$", r"ended by SIGSEGV"),
    ("kill -KILL $$$$", r"ended by SIGKILL"),
])
@pytest.mark.parametrize("option, code", [("on_error = warn", 0), ("on_error = fail", 75)])
def test_how_it_ended_is_named(run_config, command, words, option, code):
    result = run_config(stage(command, "shell = yes", option))
    assert result.returncode == code
    assert re.search(words, result.stderr)


def test_a_program_that_is_missing_is_named(run_config):
    result = run_config(stage("no-such-program x"))
    assert "can't start no-such-program: not found in PATH" in result.stderr
    assert "no-such-program x: exit status 127" in result.stderr


def test_environment_and_working_directory_are_the_servers(run_config, tmp_path):
    (tmp_path / "work").mkdir()
    result = run_config(f"[env]\nCOLOUR = blue\n[server]\nworkdir = {tmp_path}/work\n"
                        + stage('echo "$$COLOUR $$(pwd)"', "shell = yes"))
    assert output(result) == [f"blue {tmp_path}/work"]


def test_it_runs_as_its_user(run_config, needs_root):
    result = run_config("[server]\nworkdir = /\n"
                        + stage('echo "$$(id -u) $$HOME"; echo x > /dev/stdout', "shell = yes",
                                "user = nobody"))
    assert output(result) == [f"{os.stat('/').st_uid + 65534} /nonexistent", "x"]


@pytest.mark.skipif(not shutil.which("setsid"), reason="setsid is not installed")
@pytest.mark.parametrize("stubborn", ["", "trap '' TERM; "])
def test_at_the_timeout_all_of_it_is_ended(run_config, tmp_path, stubborn):
    """Also what has left the group and the session; each holds the FIFO, whose end the server sees."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    reader = os.open(gate, os.O_RDONLY | os.O_NONBLOCK)
    # Fails with EAGAIN while anyone has it open for writing.
    server = ("dd", f"if={gate}", "iflag=nonblock", "count=1")
    command = (f"{stubborn}exec 9>{gate}; echo begun; sleep 1000 & setsid sleep 1000 & "
               "(setsid sleep 1000 &); wait")
    result = run_config(stage(command, "shell = yes", "timeout = 1s"), *server)
    assert output(result) == ["begun"]
    assert result.returncode == 0
    assert re.search(r"not done after 1(\.0)? s, so it was ended", result.stderr)
    os.close(reader)


def test_what_it_leaves_writing_does_not_hold_up_the_server(run_config):
    result = run_config(stage("yes & sleep 0.1", "shell = yes", "timeout = 20s"))
    assert re.search(r"^Running job: done, \d+ ms$", result.stderr, re.M)


def test_what_it_leaves_running_does_not_hold_up_the_server(run_config):
    result = run_config(stage("sleep 1000 & echo gone", "shell = yes"), timeout=20)
    assert result.returncode == 0
    assert output(result) == ["gone"]
    assert "Running job: done, " in result.stderr


def test_a_dry_run_runs_nothing(run_config, tmp_path):
    result = run_config(stage(f"touch {tmp_path}/ran", "when = build"), "clean", "--dry-run")
    assert f"Would run touch {tmp_path}/ran" in result.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("lines, words", [
    (["once = release", "once_at = http://h/"], "once_at: write redis://"),
    (["once = release", "once_at = rediss://h"], "no TLS inside"),
    (["once = release"], "once"),
    (["once = change"], "once = change needs in ="),
    (["once = release", "once_at = redis://h", "once_id = " + "x" * 201], "once_id has 1 to 200"),
])
def test_what_can_not_be_once_is_a_configuration_error(run_config, lines, words):
    result = run_config(stage("true", *lines))
    assert result.returncode == 78
    assert words in result.stderr
