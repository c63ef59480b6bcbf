"""Whoever loses its parent is reaped, whatever comes at once."""

import signal

import pytest


def assert_clean(box, within=20):
    """Only freshinit and the server are left, and no zombie."""
    box.wait_process(lambda all_: len(all_) == 2, "an end of the zombies", within)


def test_an_orphan_is_reaped(anywhere, helper):
    box = anywhere(helper("orphans"), "1")
    box.wait_line("^orphaned 1$")
    assert_clean(box)
    box.signal(signal.SIGTERM)
    assert box.wait() == 0


def test_a_flood_of_orphans_leaves_no_zombie(anywhere, helper):
    box = anywhere(helper("orphans"), "10000")
    box.wait_line("^orphaned 10000$", within=60)
    assert_clean(box)
    box.signal(signal.SIGTERM)
    assert box.wait() == 0


@pytest.mark.matrix
def test_a_great_flood_of_orphans_leaves_no_zombie(anywhere, helper):
    box = anywhere(helper("orphans"), "20000", "5000")
    box.wait_line("^orphaned 20000$", within=120)
    assert_clean(box, 60)
    box.signal(signal.SIGTERM)
    assert box.wait() == 0


def test_not_pid_1_it_is_the_one_that_reaps(box, helper):
    box = box(helper("orphans"), "200", "--end", as_child=True)
    assert box.wait() == 0
    assert not [line for line in box.lines("told") if line.startswith("adopted")]


def test_an_orphans_status_is_never_the_servers(anywhere, helper):
    """gunicorn's own bug: an adopted child that exits with 3 ends the server."""
    shell = f"({helper('end')} exit 3 &) ; ({helper('end')} exit 4 &) ; exec {helper('signals')}"
    box = anywhere("/bin/sh", "-c", shell)
    box.wait_line("^ready")
    assert_clean(box)
    box.signal(signal.SIGTERM)
    assert box.wait() == 0


def test_w_tells_of_reaped_zombies(anywhere, helper):
    box = anywhere("-w", helper("orphans"), "2")
    box.wait_line("^orphaned 2$")
    box.wait_line("(?i)reaped", stream="err")


def test_without_w_nothing_is_said_of_them(anywhere, helper):
    box = anywhere(helper("orphans"), "2")
    box.wait_line("^orphaned 2$")
    assert_clean(box)
    assert not [line for line in box.err if "reaped" in line.lower()]


def test_an_orphan_is_reaped_while_a_stage_runs(anywhere, helper):
    config = f"[stage slow]\nrun = {helper('orphans')} 50\n[server]\ncommand = {helper('signals')}\n"
    box = anywhere(config=config)
    box.wait_line("orphaned 50")
    box.wait_process(lambda all_: not [p for p in all_ if p["state"] == "Z"], "an end of the zombies")


def test_a_flood_does_not_delay_a_stop(anywhere, helper):
    box = anywhere(helper("orphans"), "3000", "1000")
    box.wait_line("^orphaned 3000$", within=60)
    box.signal(signal.SIGTERM)
    assert box.wait() == 0
