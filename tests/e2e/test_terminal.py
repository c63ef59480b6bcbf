"""On a real terminal: the server is in front, keys reach it, and the shell gets it back."""

import json
import os
import signal


def report_of(box):
    return json.loads(box.wait_line(r"^\{.*\}$")[0])


def test_the_server_is_in_the_foreground(anywhere, helper):
    box = anywhere(helper("report"), tty=True)
    found = report_of(box)
    assert found["foreground"] == found["pgid"] == found["pid"]
    assert box.wait() == 0


def test_ctrl_c_reaches_the_server_once(anywhere, helper):
    box = anywhere(helper("signals"), "--end", "15", "4", tty=True)
    box.wait_line("^ready")
    box.type(b"\x03")
    box.wait_line("got 2$")
    box.signal(signal.SIGTERM)
    assert box.wait() == 4
    assert len([line for line in box.out if line.endswith("got 2")]) == 1


def test_ctrl_c_ends_an_ordinary_server(anywhere):
    box = anywhere("/bin/sh", "-c", "echo ready; exec sleep 1000", tty=True)
    box.wait_line("ready")
    box.wait_process(lambda all_: [p for p in all_ if p["name"] == "sleep"], "the server")
    box.type(b"\x03")
    assert box.wait() == 130


def test_ctrl_backslash_reaches_the_server(anywhere, helper):
    box = anywhere(helper("signals"), tty=True)
    box.wait_line("^ready")
    box.type(b"\x1c")
    box.wait_line("got 3$")


def test_the_server_reads_from_the_terminal(anywhere):
    box = anywhere("/bin/sh", "-c", "read line; echo heard $line", tty=True)
    box.type(b"hello\n")
    box.wait_line("heard hello")
    assert box.wait() == 0


def test_ctrl_z_suspends_both_and_fg_resumes_both(box, helper):
    box = box(helper("signals"), tty=True, as_child=True)
    box.wait_line("^ready")
    for turn in (1, 2):
        box.type(b"\x1a")
        box.wait_line("^stopped", stream="told", count=turn)
        box.wait_process(lambda all_: all(p["state"] == "T" for p in all_), "a stop of both")
        box.bring_to_front()
        box.wait_line("^continued", stream="told", count=turn)
        box.wait_process(lambda all_: not [p for p in all_ if p["state"] == "T"], "a start of both")
    # In front again: the keys reach it.
    box.type(b"\x03")
    box.wait_line("got 2$")


def test_ctrl_z_does_not_stop_pid_1(box, helper):
    box = box(helper("signals"), tty=True)
    box.wait_line("^ready")
    box.type(b"\x1a")
    server = box.wait_process(lambda all_: [p for p in all_ if p["state"] == "T"], "a stop")[0]
    assert server["name"] == "signals"
    box.signal(signal.SIGCONT)
    box.wait_process(lambda all_: not [p for p in all_ if p["state"] == "T"], "a start")


def test_tostop_does_not_stop_the_log(anywhere, helper):
    """`stty tostop` stops who writes from the background; freshinit is there and writes."""
    script = f"stty tostop; exec {helper('signals')}"
    box = anywhere("-v", "/bin/sh", "-c", script, tty=True)
    box.wait_line("^ready")
    box.signal(signal.SIGUSR1)
    box.wait_line("got 10$")
    box.wait_line("SIGUSR1 came")
    box.signal(signal.SIGTERM)
    assert box.wait() == 0
    assert not [line for line in box.lines("told") if line.startswith("stopped")]


def test_a_hang_up_of_the_terminal_is_a_stop(box, helper):
    # As PID 1 it leads the session, as with `docker run -t`; elsewhere a shell does, and tells it.
    box = box(helper("signals"), "--end", "1", "0", tty=True)
    box.wait_line("^ready")
    box.hang_up()
    box.wait()


def test_a_hang_up_ends_a_server_that_ignores_it(box, helper):
    box = box("--stop-timeout", "1s", helper("signals"), "--end", "0", "0", tty=True)
    box.wait_line("^ready")
    box.hang_up()
    assert box.wait() == 137


def test_a_sent_hup_is_no_hang_up(anywhere, helper):
    box = anywhere("--stop-timeout", "1s", helper("signals"), tty=True)
    box.wait_line("^ready")
    box.signal(signal.SIGHUP)
    box.wait_line("got 1$")
    box.signal(signal.SIGUSR1)
    box.wait_line("got 10$")
    box.signal(signal.SIGTERM)
    assert box.wait() == 0


def test_the_window_size_is_passed_on(anywhere, helper):
    box = anywhere(helper("signals"), tty=True)
    box.wait_line("^ready")
    box.resize(50, 132)
    box.wait_line("got 28$")


def test_with_a_user_the_terminal_is_the_users(anywhere, helper, needs_root):
    box = anywhere("--user", "1500:1500", helper("report"), tty=True)
    found = report_of(box)
    assert found["open"]["/dev/stdout"] == "ok"
    assert found["open"]["/dev/stdin"] == "ok"
    assert box.wait() == 0


def test_without_a_controlling_terminal_a_terminal_is_just_a_file(run_box, freshinit, helper):
    master, slave = os.openpty()
    try:
        box = run_box(freshinit, "--no-stages", helper("end"), "exit", "3", stdin=slave, stderr=slave)
        assert box.wait() == 3
    finally:
        os.close(master)
        os.close(slave)


def test_where_int_is_rewritten_ctrl_c_becomes_it(anywhere, helper):
    box = anywhere("--rewrite", "INT:TERM", helper("signals"), "--end", "15", "0", tty=True)
    box.wait_line("^ready")
    box.type(b"\x03")
    assert box.wait() == 0
    assert "got 2" not in box.out
