"""Signals: what comes is passed on, to whom it should, and none is lost."""

import os
import signal

import pytest

from boxes import process

TAKEN = {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}
STOPS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}
# 32 and 33 belong to the C library of the helper; TSTP has tests of its own.
PLAIN = [n for n in [*range(1, 32), *range(34, 65)] if n not in TAKEN | STOPS | {signal.SIGTSTP}]


def test_every_signal_is_forwarded(anywhere, helper):
    box = anywhere(helper("signals"))
    box.wait_line("^ready")
    for number in PLAIN:
        box.signal(number)
        box.wait_line(f"^got {number}$")


@pytest.mark.parametrize("number", sorted(STOPS))
def test_a_stop_reaches_the_server_as_it_came(anywhere, helper, number):
    box = anywhere(helper("signals"), "--end", number, "7")
    box.wait_line("^ready")
    box.signal(number)
    box.wait_line(f"^got {number}$")
    assert box.wait() == 7


def test_a_second_stop_reaches_the_server_too(anywhere, helper):
    box = anywhere(helper("signals"), "--end", "2", "5")
    box.wait_line("^ready")
    box.signal(signal.SIGTERM)
    box.wait_line("^got 15$")
    box.signal(signal.SIGINT)
    assert box.wait() == 5


def test_other_signals_pass_while_a_stop_is_under_way(anywhere, helper):
    box = anywhere(helper("signals"), "--end", "12", "0")
    box.wait_line("^ready")
    box.signal(signal.SIGTERM)
    box.wait_line("^got 15$")
    box.signal(signal.SIGUSR2)
    assert box.wait() == 0


def test_the_workers_of_a_server_are_not_signalled(anywhere, helper):
    box = anywhere(helper("signals"), "--group", "2")
    box.wait_line("^member ready", count=2)
    box.wait_line("^ready")
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTTIN, signal.SIGTTOU,
                   signal.SIGWINCH):
        box.signal(number)
        box.wait_line(f"^got {int(number)}$")
    box.signal(signal.SIGTERM)
    assert box.wait() == 0
    assert not [line for line in box.out if line.startswith("member got") and line != "member got 15"]


def test_g_signals_the_whole_group(anywhere, helper):
    box = anywhere("-g", helper("signals"), "--group", "2")
    box.wait_line("^member ready", count=2)
    box.wait_line("^ready")
    box.signal(signal.SIGUSR1)
    box.wait_line("^got 10$")
    box.wait_line("^member got 10$", count=2)


def test_single_child_signals_the_server_alone(anywhere, helper):
    box = anywhere("--single-child", helper("signals"), "--group", "1")
    box.wait_line("^member ready")
    box.wait_line("^ready")
    box.signal(signal.SIGUSR1)
    box.wait_line("^got 10$")
    box.signal(signal.SIGTERM)
    assert box.wait() == 0
    assert "member got 10" not in box.out


@pytest.mark.parametrize("rule", ["TERM:QUIT", "15:3", "SIGTERM:SIGQUIT"])
def test_rewrite_sends_another_signal(anywhere, helper, rule):
    box = anywhere("--rewrite", rule, helper("signals"), "--end", "3", "0")
    box.wait_line("^ready")
    box.signal(signal.SIGTERM)
    assert box.wait() == 0
    assert "got 15" not in box.out


def test_a_stop_that_is_rewritten_to_0_is_none(anywhere, helper):
    box = anywhere("--rewrite", "15:0", "--set", "server.drain=20s", "--stop-timeout", "30s",
                   helper("signals"), "--end", "12", "3")
    box.wait_line("^ready")
    box.signal(signal.SIGTERM)
    box.signal(signal.SIGUSR1)
    box.wait_line("^got 10$")
    box.signal(signal.SIGUSR2)
    assert box.wait() == 3
    assert not any("Draining" in line or "Stopping" in line for line in box.err)


@pytest.mark.parametrize("rule, sent, got", [("1:15", signal.SIGHUP, 15),
                                             ("10:1", signal.SIGUSR1, 1)])
def test_a_rewritten_signal_means_what_it_becomes(anywhere, helper, rule, sent, got):
    """A stop, and a reload that is watched."""
    box = anywhere("--rewrite", rule, "--set", "server.kind=gunicorn", helper("signals"))
    box.wait_line("^ready")
    box.signal(sent)
    box.wait_line(f"^got {got}$")
    box.wait_line("^Stopping gunicorn" if got == 15 else "^Reloading gunicorn")


def test_rewrite_to_0_drops_a_signal(anywhere, helper):
    box = anywhere("--rewrite", "1:0", "--rewrite", "USR1:USR2", helper("signals"))
    box.wait_line("^ready")
    box.signal(signal.SIGHUP)
    box.signal(signal.SIGUSR1)
    box.wait_line("^got 12$")
    assert "got 1" not in box.out and "got 10" not in box.out


def lose_its_parent(run_box, freshinit, helper, *options):
    """freshinit below a shell below a shell, of which the nearer one is killed."""
    inner = " ".join([freshinit, "--no-stages", *options, "--", helper("signals"), "& wait"])
    box = run_box("/bin/sh", "-c", f"/bin/sh -c '{inner}' & exec sleep 1000",
                  as_child=True)
    inside = box.wait_line(r"^ready (\d+)$")[1]
    server = next(p for p in box.processes() if p["pid"] == int(inside))
    own = process(server["parent"])
    os.kill(own["parent"], signal.SIGKILL)
    box.wait_process(lambda all_: own["parent"] not in
                     [p["host_pid"] for p in all_ if p["state"] != "Z"], "its end")
    return box, own["host_pid"]


def test_p_ends_it_with_its_parent(run_box, freshinit, helper):
    box, _ = lose_its_parent(run_box, freshinit, helper, "-p", "TERM")
    box.wait_line("^got 15$")


def test_without_p_it_outlives_its_parent(run_box, freshinit, helper):
    box, own = lose_its_parent(run_box, freshinit, helper)
    os.kill(own, signal.SIGUSR1)
    box.wait_line("^got 10$")
    assert "got 15" not in box.out


def test_a_stop_before_the_first_instruction_is_not_lost(anywhere, helper):
    box = anywhere(helper("signals"), pending=[signal.SIGTERM])
    # The server was never started, was still on its way, or has heard it.
    assert box.wait() in (128 + signal.SIGTERM, 0)


def test_stop_signal_is_what_the_server_gets(anywhere, helper):
    config = f"[server]\nstop_signal = USR2\ncommand = {helper('signals')} --end 12 0\n"
    box = anywhere(config=config)
    box.wait_line("^ready")
    box.signal(signal.SIGTERM)
    assert box.wait() == 0
    assert "got 15" not in box.out


def test_drain_lets_the_server_go_on_first(anywhere, helper):
    config = f"[server]\ndrain = 300ms\ncommand = {helper('signals')}\n"
    box = anywhere(config=config)
    box.wait_line("^ready")
    box.signal(signal.SIGTERM)
    box.wait_line("Draining")
    box.signal(signal.SIGUSR1)
    box.wait_line("^got 10$")
    assert "got 15" not in box.out
    assert box.wait() == 0
    assert box.out[-2:] == ["got 10", "got 15"]


def test_a_second_stop_ends_the_drain(anywhere, helper):
    config = f"[server]\ndrain = 1h\nstop_timeout = 2h\ncommand = {helper('signals')}\n"
    box = anywhere(config=config)
    box.wait_line("^ready")
    box.signal(signal.SIGTERM)
    box.wait_line("Draining")
    box.signal(signal.SIGTERM)
    assert box.wait() == 0


def test_a_server_that_ignores_the_stop_is_killed_in_time(anywhere, helper):
    box = anywhere("--stop-timeout", "1s", helper("signals"), "--end", "0", "0")
    box.wait_line("^ready")
    box.signal(signal.SIGTERM)
    assert box.wait() == 128 + signal.SIGKILL
    box.wait_line("stop_timeout")


def storm(box, total):
    """Realtime signals are counted one by one; the others only have to leave it alive."""
    batch = 2000
    box.wait_line("^ready")
    for sent in range(batch, total + 1, batch):
        for _ in range(batch):
            box.signal(signal.SIGRTMIN + 1)
        box.wait_line(f"^seen {sent}$", within=60)
    for _ in range(total):
        box.signal(signal.SIGWINCH)
    box.signal(signal.SIGTERM)
    assert box.wait(60) == 0


def test_no_signal_of_a_storm_is_lost(anywhere, helper):
    storm(anywhere(helper("signals"), "--batch", "2000"), 6000)


@pytest.mark.matrix
def test_no_signal_of_a_great_storm_is_lost(anywhere, helper):
    storm(anywhere(helper("signals"), "--batch", "2000"), 100_000)
