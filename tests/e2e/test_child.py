"""The server gets a clean start, whatever freshinit itself was started with."""

import json
import os
import signal

import pytest


def report(box):
    assert box.wait() == 0
    return json.loads(next(line for line in box.out if line.startswith("{")))


def test_every_signal_is_at_its_default(anywhere, helper):
    ignored = [n for n in range(1, 65) if n not in (9, 19, 32, 33)]
    found = report(anywhere(helper("report"), ignore=ignored))
    assert found["not_default"] == []


def test_no_signal_is_blocked(anywhere, helper):
    assert report(anywhere(helper("report"), block_all=True))["blocked"] == []


def test_it_has_no_descriptor_of_ours(anywhere, helper):
    assert report(anywhere(helper("report")))["fds"] == [0, 1, 2]


def test_it_is_in_a_process_group_of_its_own(anywhere, helper):
    found = report(anywhere(helper("report")))
    assert found["pgid"] == found["pid"]


def test_its_environment_is_passed_on(anywhere, helper):
    found = report(anywhere(helper("report"), env={"A": "1", "EMPTY": "", "ODD": "a=b c"}))["env"]
    assert (found["A"], found["EMPTY"], found["ODD"]) == ("1", "", "a=b c")


def test_stray_variables_of_gunicorn_are_removed(anywhere, helper):
    found = report(anywhere(helper("report"), env={"GUNICORN_PID": "1", "GUNICORN_FD": "3"}))["env"]
    assert "GUNICORN_PID" not in found and "GUNICORN_FD" not in found


def test_a_listen_pid_that_is_ours_becomes_the_servers(box, helper):
    found = report(box(helper("report"), env={"LISTEN_PID": "1", "LISTEN_FDS": "1"}))
    assert found["env"]["LISTEN_PID"] == str(found["pid"])


def test_env_section_sets_variables(anywhere, helper):
    config = f"""[freshinit]
release = r1
[env]
PLAIN = a value ; a comment
FROM = ${{OUTSIDE:-nothing}}-${{MISSING:-default}}
DOLLAR = $$HOME
VERSION = ${{FRESHINIT_RELEASE}}
OUTSIDE = changed
[server]
command = {helper('report')}
"""
    found = report(anywhere(config=config, env={"OUTSIDE": "here"}))["env"]
    assert found["PLAIN"] == "a value"
    assert found["FROM"] == "here-default"
    assert found["DOLLAR"] == "$HOME"
    assert found["VERSION"] == "r1"
    assert found["OUTSIDE"] == "changed"


def test_umask_and_workdir_are_set(anywhere, helper, tmp_path):
    place = tmp_path / "app"
    place.mkdir()
    config = f"[server]\numask = 027\nworkdir = {place}\ncommand = {helper('report')}\n"
    found = report(anywhere(config=config))
    assert (found["umask"], found["cwd"]) == (0o027, str(place))


def test_a_missing_workdir_is_said_and_nothing_is_run(anywhere, helper):
    config = f"[server]\nworkdir = /nowhere/app\ncommand = {helper('report')}\n"
    box = anywhere(config=config)
    assert box.wait() in (78, 125)
    box.wait_line("/nowhere/app", stream="err")
    assert box.out == []


def test_closed_standard_streams_are_no_trap(anywhere, helper, tmp_path):
    """Without 0, 1 and 2 the next file that is opened would become one of them."""
    box = anywhere("/bin/sh", "-c", f"{helper('report')} > {tmp_path}/report", close=[0, 1, 2])
    assert box.wait() == 0
    found = json.loads((tmp_path / "report").read_text())
    assert 1 in found["fds"]
    assert set(found["fds"]) <= {0, 1, 2}


@pytest.mark.parametrize("fd", [0, 1, 2])
def test_one_closed_standard_stream_is_no_trap(anywhere, helper, fd):
    assert anywhere(helper("end"), "exit", "3", close=[fd]).wait() == 3


def test_parents_ignored_child_signal_is_no_trap(anywhere, helper):
    box = anywhere("/bin/sh", "-c", f"{helper('end')} exit 4; exit $?", ignore=[signal.SIGCHLD])
    assert box.wait() == 4


def test_all_signals_blocked_is_no_trap(anywhere, helper):
    box = anywhere(helper("signals"), block_all=True)
    box.wait_line("^ready")
    box.signal(signal.SIGTERM)
    assert box.wait() == 0


def test_inherited_descriptors_of_the_platform_stay_or_are_told(run_box, freshinit, helper):
    """LISTEN_FDS of a socket-activating platform begin at 3; they are the server's."""
    box = run_box("/bin/sh", "-c", f'exec 3</dev/null; exec "{freshinit}" --no-stages "{helper("report")}"',
                  env={"LISTEN_FDS": "1", "LISTEN_PID": "1"})
    found = report(box)
    assert 3 in found["fds"]
    assert found["env"]["LISTEN_PID"] == str(found["pid"])


def test_stdin_reaches_the_server(anywhere, tmp_path):
    (tmp_path / "input").write_text("hello\n")
    with open(tmp_path / "input", "rb") as file:
        box = anywhere("/bin/cat", stdin=file.fileno())
    assert box.wait() == 0
    assert box.out == ["hello"]


def test_freshinit_writes_nothing_to_stdout(anywhere, helper):
    box = anywhere("-v", "-v", helper("end"), "exit", "0")
    assert box.wait() == 0
    assert box.out == []


def test_it_leaves_no_file_behind_in_the_working_directory(box, helper, tmp_path):
    box = box(helper("end"), "exit", "0")
    assert box.wait() == 0
    assert os.listdir(tmp_path) == []


def test_a_read_only_root_is_one(anywhere):
    """That the box keeps its word: every other test of a read-only root rests on it."""
    assert anywhere("/bin/sh", "-c", "! touch /root/x 2>/dev/null", read_only=True).wait() == 0
