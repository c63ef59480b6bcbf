"""Nothing survives the server: told, waited for, killed, reaped, named; never a neighbour."""

import os
import signal
import subprocess
import time

import pytest


def end_with(box, helper, habits, *options, **more):
    """A server that leaves one stray and ends with 3."""
    script = f"{helper('stray')} {habits}; exit 3"
    return box(*options, "/bin/sh", "-c", script, **more)


def test_a_daemon_in_another_session_is_told(anywhere, helper):
    box = end_with(anywhere, helper, "--name daemon")
    assert box.wait() == 3
    assert "daemon got 15" in box.out
    assert box.left() == []


def test_a_background_process_is_told_and_may_finish(anywhere, helper):
    box = end_with(anywhere, helper, "--name worker --same-session --slow")
    assert box.wait() == 3
    assert "worker finished 0" in box.out
    assert box.left() == []


def test_one_that_ignores_the_stop_is_killed_after_the_grace_time(anywhere, helper):
    before = time.monotonic()
    box = end_with(anywhere, helper, "--name deaf --ignore", "--stop-timeout", "1200ms")
    assert box.wait() == 3
    assert "deaf got 15" in box.out
    assert 1.0 <= time.monotonic() - before < 8
    assert box.left() == []


def test_what_was_left_is_named_in_the_log(anywhere, helper):
    box = end_with(anywhere, helper, "--name forgotten --ignore", "--stop-timeout", "1s")
    inside = box.wait_line(r"^forgotten ready (\d+)$")[1]
    box.wait()
    assert [line for line in box.err if "forgotten" in line and inside in line and "ill" in line]


def test_a_stopped_process_is_woken_and_told(anywhere, helper):
    box = end_with(anywhere, helper, "--name frozen --stopped")
    assert box.wait() == 3
    assert "frozen got 15" in box.out
    assert box.left() == []


def test_a_stopped_process_that_ignores_the_stop_is_killed(anywhere, helper):
    box = end_with(anywhere, helper, "--name frozen --stopped --ignore", "--stop-timeout", "1s")
    assert box.wait() == 3
    assert box.left() == []


def test_processes_that_fork_while_they_die_are_ended(anywhere, helper):
    box = end_with(anywhere, helper, "--name hydra --breed --lives 40", "--stop-timeout", "1500ms")
    assert box.wait() == 3
    assert "hydra got 15" in box.out
    assert box.left() == []


def test_a_process_that_hops_from_pid_to_pid_is_caught(anywhere, helper):
    box = end_with(anywhere, helper, "--name hopper --hop", "--stop-timeout", "1s")
    assert box.wait() == 3
    assert box.left() == []


def test_many_are_ended_together(anywhere, helper):
    script = f"for i in $(seq 40); do {helper('stray')} --ignore; done; exit 3"
    before = time.monotonic()
    box = anywhere("--stop-timeout", "1s", "/bin/sh", "-c", script)
    assert box.wait() == 3
    assert time.monotonic() - before < 10
    assert box.left() == []


def test_a_neighbour_is_never_touched(box, helper):
    box = end_with(box, helper, "--ignore", "--stop-timeout", "1s", as_child=True, neighbour=True)
    assert box.wait() == 3
    assert box.left() == ["neighbour"]


def test_workers_of_a_killed_master_are_ended(anywhere, helper):
    box = anywhere(helper("signals"), "--group", "0")
    box.wait_line("^ready")
    server = next(p for p in box.processes() if p["name"] == "signals")
    os.kill(server["host_pid"], signal.SIGKILL)
    assert box.wait() == 137

    script = f"{helper('stray')} --name worker --same-session; kill -9 $$"
    box = anywhere("/bin/sh", "-c", script)
    assert box.wait() == 137
    assert "worker got 15" in box.out
    assert box.left() == []


def test_a_stop_leaves_nothing_behind(anywhere, helper):
    script = f"{helper('stray')} --name daemon; exec {helper('signals')} --end 15 0"
    box = anywhere("/bin/sh", "-c", script)
    box.wait_line("^ready")
    box.signal(signal.SIGTERM)
    assert box.wait() == 0
    assert "daemon got 15" in box.out
    # The server comes first: its daemon may serve it until the end.
    assert box.out.index("got 15") < box.out.index("daemon got 15")
    assert box.left() == []


def test_signals_while_leaving_do_no_harm(anywhere, helper):
    box = end_with(anywhere, helper, "--name deaf --ignore", "--stop-timeout", "1500ms")
    box.wait_line("^deaf got 15$")
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGINT, signal.SIGWINCH):
        try:
            box.signal(number)
        except ProcessLookupError:
            pass
    assert box.wait() == 3


def exec_into(box, *command):
    """As `docker exec` does it: a process of the namespace whose parent is outside."""
    return subprocess.Popen(["nsenter", "-t", str(box.pid), "-p", "-m", *command],
                            stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("habit", ["", "--ignore"])
def test_processes_of_docker_exec_are_ended_too(box, helper, needs_root, habit):
    box = box("--stop-timeout", "1s", helper("signals"))
    box.wait_line("^ready")
    guest = exec_into(box, helper("signals"), *(("--end", "0", "0") if habit else ()))
    try:
        assert guest.stdout.readline().startswith("ready")
        before = time.monotonic()
        box.signal(signal.SIGTERM)
        # Outside of the box nobody reaps it before this test does, as with a busy runtime.
        assert box.wait() == 0
        assert time.monotonic() - before < 6
        assert guest.stdout.readline() == "got 15\n"
    finally:
        guest.kill()
        guest.wait()
        guest.stdout.close()


def test_an_orphan_of_docker_exec_lives_until_the_end(box, helper, needs_root):
    box = box(helper("signals"))
    box.wait_line("^ready")
    guest = exec_into(box, helper("stray"), "--name", "tool")
    assert guest.stdout.readline().startswith("tool ready")
    guest.wait()
    box.signal(signal.SIGUSR1)
    box.wait_line("^got 10$")
    assert [p for p in box.processes() if p["name"] == "tool"]
    box.signal(signal.SIGTERM)
    assert box.wait() == 0
    assert guest.stdout.read() == "tool got 15\n"
    guest.stdout.close()


def test_a_proc_of_another_namespace_names_no_stranger(freshinit, needs_root):
    done = subprocess.run(["unshare", "--pid", "--fork", freshinit, "--no-stages", "sh", "-c",
                           "setsid tail -f /dev/null & exit 3"],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 3
    assert "left behind" not in done.stderr
