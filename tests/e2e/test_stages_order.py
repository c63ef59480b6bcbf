"""Stages run in their order before the server, and a stop ends them at once."""

import signal
import time

import pytest


def config(helper, *stages, command="signals"):
    return "".join(stages) + f"[server]\ncommand = {helper(command)}\n"


def stage(name, run, *lines):
    return "\n".join([f"[stage {name}]", f"run = {run}", *lines, ""])


def shell(name, text, *lines):
    return stage(name, f"sh -c '{text}'", *lines)


def test_stages_run_in_the_order_of_the_file(anywhere, helper, tmp_path):
    record = tmp_path / "record"
    names = ["one", "two", "three"]
    box = anywhere(config=config(helper, *[shell(n, f"echo {n} >> {record}") for n in names]))
    box.wait_line("^ready")
    assert record.read_text().split() == names


def test_the_server_starts_after_the_stages_only(anywhere, helper, tmp_path):
    mark = tmp_path / "mark"
    text = config(helper, shell("last", f"echo done > {mark}")).replace(
        f"command = {helper('signals')}", f"command = cat {mark}")
    box = anywhere(config=text)
    assert box.wait() == 0
    assert box.out == ["done"]


def test_a_failed_stage_warns_and_the_server_starts(anywhere, helper):
    box = anywhere(config=config(helper, shell("bad", "exit 7")))
    box.wait_line("^ready")
    box.wait_line("bad.*7", stream="err")


def test_a_failed_stage_with_on_error_fail_is_75(anywhere, helper):
    box = anywhere(config=config(helper, shell("bad", "exit 7", "on_error = fail")))
    assert box.wait() == 75
    assert not [line for line in box.out if line.startswith("ready")]


def test_stages_after_a_fatal_one_do_not_run(anywhere, helper, tmp_path):
    record = tmp_path / "record"
    box = anywhere(config=config(helper, shell("bad", "exit 7", "on_error = fail"),
                                 shell("next", f"echo next > {record}")))
    assert box.wait() == 75
    assert not record.exists()


def test_a_stage_that_hangs_is_ended_at_its_timeout(anywhere, helper):
    before = time.monotonic()
    box = anywhere(config=config(helper, stage("slow", "sleep 1000", "timeout = 400ms")))
    box.wait_line("^ready")
    assert time.monotonic() - before < 10
    box.wait_line("slow", stream="err")
    assert not [p for p in box.processes() if p["name"] == "sleep"]


def test_a_stage_that_ignores_the_stop_is_killed_at_its_timeout(anywhere, helper):
    slow = stage("deaf", f"{helper('signals')} --end 0 0", "timeout = 400ms")
    box = anywhere(config=config(helper, slow, command="signals"))
    box.wait_line("got 15")
    box.wait_line("^ready")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_stop_during_a_stage_ends_at_once(anywhere, helper, number):
    text = config(helper, shell("slow", "echo begun >&2; exec sleep 1000", "timeout = 1h"))
    box = anywhere(config=text)
    box.wait_line("begun")
    before = time.monotonic()
    box.signal(number)
    assert box.wait() == 128 + number
    assert time.monotonic() - before < 5
    box.wait_line(f"^{signal.Signals(number).name} came: stopping, before the server was started", stream="err")
    assert not [line for line in box.out if line.startswith("ready")]
    assert box.left() == []


def test_a_stop_during_a_stage_ends_its_whole_tree(anywhere, helper):
    tree = f"{helper('stray')} --name branch --ignore; echo begun >&2; exec sleep 1000"
    box = anywhere("--stop-timeout", "1s", config=config(helper, shell("tree", tree, "timeout = 1h")))
    box.wait_line("begun")
    box.signal(signal.SIGTERM)
    assert box.wait() == 143
    assert box.left() == []


def test_a_stage_that_crashes_is_a_failed_stage(anywhere, helper):
    box = anywhere(config=config(helper, stage("crash", f"{helper('end')} signal 11")))
    box.wait_line("^ready")
    box.wait_line("crash.*SEGV", stream="err")


def test_other_signals_during_a_stage_do_no_harm(anywhere, helper, tmp_path):
    gate = tmp_path / "gate"
    text = config(helper, shell("slow", f"echo begun >&2; mkfifo {gate}; read line < {gate}"))
    box = anywhere(config=text)
    box.wait_line("begun")
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGALRM):
        box.signal(number)
    box.wait_process(lambda all_: gate.exists(), "the gate")
    gate.open("w").write("go\n")
    box.wait_line("^ready")


def test_stop_stages_run_after_the_server(anywhere, helper, tmp_path):
    record = tmp_path / "record"
    text = config(helper, shell("bye", f"echo bye > {record}", "when = stop"))
    box = anywhere(config=text)
    box.wait_line("^ready")
    assert not record.exists()
    box.signal(signal.SIGTERM)
    assert box.wait() == 0
    assert record.read_text() == "bye\n"


def test_no_stages_runs_none(anywhere, helper, tmp_path):
    record = tmp_path / "record"
    box = anywhere("--no-stages", config=config(helper, shell("one", f"echo one > {record}")))
    box.wait_line("^ready")
    assert not record.exists()


def test_a_stage_has_a_clean_start_too(anywhere, helper):
    box = anywhere(config=config(helper, stage("look", helper("report"))), block_all=True,
                   ignore=[signal.SIGHUP])
    line = box.wait_line(r'"blocked":\[(.*?)\],"not_default":\[(.*?)\],"fds":\[(.*?)\]')
    assert (line[1], line[2], line[3]) == ("", "", "0,1,2")


def test_stages_that_share_a_walk_are_counted_each(anywhere, helper, tmp_path):
    keys = "\n".join(f"[stage {name}]\nclear = *.{name}\nin = {tmp_path}\n" for name in ("one", "two"))
    box = anywhere(config=config(helper, keys))
    box.wait_line("^Cache cleared and templates refreshed: 2 stages, ", stream="err")
    box.wait_line("^ready")
