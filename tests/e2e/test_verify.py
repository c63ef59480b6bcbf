"""`freshinit verify` where the world is broken or hostile: a line says so, and none is a false ok.
The faults of deployments themselves are in tests/docker/test_verify.py."""

import os
import signal
import struct
import time

import pytest

from inside import inside
from webs import OK, one_byte_at_a_time, web, without_end

BEGAN_WALL = 48  # of struct state_record
CONFIG = """
[freshinit]
release = 3f2a9c1
expect = 3f2a9c1
seal =
[stage bytecode]
clear = bytecode
in = {app}
[server]
command = {command}
[health]
url = http://127.0.0.1:{port}/
timeout = 300ms
release_header = X-Release
"""


@pytest.fixture
def serve(box, helper, tmp_path):
    app = tmp_path / "app"
    app.mkdir()
    (app / "app.py").write_text("VALUE = 1\n")

    def start(port, more="", **options):
        config = CONFIG.format(app=app, command=helper("signals"), port=port) + more
        one = box(config=config, **options)
        one.wait_line("^ready")
        one.wait_rest()
        return one

    start.app = app
    return start


def verify(box, freshinit, *words, **options):
    answer = inside(box, freshinit, "verify", "--json", *words, **options)
    lines = {line["name"]: line for line in answer.json["lines"]}
    assert answer.code == (0 if answer.json["ok"] else 1)
    assert answer.json["ok"] == all(line["result"] != "FAIL" for line in lines.values())
    return lines


def results(lines):
    return {name: line["result"] for name, line in lines.items()}


def test_what_can_be_known_is_ok(serve, freshinit):
    with web() as one:
        seen = results(verify(serve(one.port), freshinit))
        # The port is held by this test, which freshinit did not start.
        assert seen.pop("port") in ("FAIL", "skipped")
        assert seen.pop("seal") == "skipped"
        assert set(seen.values()) == {"ok"}, seen


@pytest.mark.parametrize("answer", [None, one_byte_at_a_time, without_end, b"", b"\xff\xfe\x00" * 99,
                                    b"HTTP/1.1 200 OK\r\nX-Release: \x1b]0;x\x07\r\n\r\n"],
                         ids=["silent", "slow", "endless", "empty", "noise", "escapes"])
def test_a_hostile_server_is_a_failed_line(serve, freshinit, answer):
    with web(answer) as one:
        began = time.monotonic()
        line = verify(serve(one.port, "body = never\n"), freshinit)["answer"]
        assert line["result"] == "FAIL"
        assert "\x1b" not in line["reason"]
        assert time.monotonic() - began < 15


def test_one_answer_in_twelve_of_another_release_is_enough(serve, freshinit):
    other = OK.replace(b"3f2a9c1", b"deadbee")
    with web(OK, OK, OK, OK, other, OK) as one:
        line = verify(serve(one.port), freshinit)["answer"]
        assert line["result"] == "FAIL"
        assert "in 1 of 12 requests the answer is of release deadbee" in line["reason"]


def test_a_changed_source_is_told_with_the_process_that_runs_the_old_one(serve, freshinit):
    with web() as one:
        box = serve(one.port)
        assert verify(box, freshinit)["code"]["result"] == "ok"
        path = serve.app / "app.py"
        box.wait_process(lambda _: time.time() - path.stat().st_ctime > 0.2, "a later time")
        path.write_text("VALUE = 2\n")
        line = verify(box, freshinit)["code"]
        assert line["result"] == "FAIL"
        assert f"{path} changed" in line["reason"] and "(signals) began" in line["reason"]


@pytest.mark.usefixtures("needs_root")
def test_bytecode_on_a_mount_that_was_not_looked_at_is_not_ok(serve, freshinit):
    (serve.app / "volume").mkdir()
    with web() as one:
        box = serve(one.port)
        assert verify(box, freshinit)["bytecode"]["result"] == "ok"
        assert inside(box, "mount", "-t", "tmpfs", "none", str(serve.app / "volume")).code == 0
        line = verify(box, freshinit)["bytecode"]
        assert line["result"] == "skipped"
        assert f"{serve.app}/volume is a mount and was not looked at" in line["reason"]


@pytest.mark.usefixtures("needs_root")
@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_was_set_leaves_no_ok_behind(serve, freshinit, hours):
    with web() as one:
        box = serve(one.port)
        with open(f"/proc/{box.init}/root/run/freshinit/state", "r+b") as file:
            file.seek(BEGAN_WALL)
            (began,) = struct.unpack("<q", file.read(8))
            assert abs(began / 1000 - time.time()) < 60
            file.seek(BEGAN_WALL)
            file.write(struct.pack("<q", began + hours * 3600 * 1000))
        seen = verify(box, freshinit)
        assert seen["code"]["result"] == seen["templates"]["result"] == "skipped"
        assert "clock was set" in seen["code"]["reason"]


def test_without_a_freshinit_that_is_a_failed_line(run_box, helper, freshinit, tmp_path):
    one = run_box(helper("signals"))
    one.wait_line("^ready")
    seen = verify(one, freshinit, folder=tmp_path)
    assert seen["freshinit"]["result"] == "FAIL"
    assert "stages" not in seen and "workers" not in seen


def test_orphans_are_named(box, helper, freshinit, tmp_path):
    one = box("sh", "-c", f"({helper('signals')} &); exec {helper('signals')}")
    one.wait_line("^ready", count=2)
    line = verify(one, freshinit, folder=tmp_path)["orphans"]
    assert line["result"] == "FAIL" and "1 orphans" in line["reason"]
    assert "(signals)" in line["reason"]


@pytest.mark.parametrize("stop, words, env, result", [
    ("8s", (), {}, "ok"), ("10s", (), {}, "FAIL"), ("25s", (), {}, "FAIL"),
    ("25s", ("--grace", "30s"), {}, "ok"),
    ("25s", (), {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "ok"),
])
def test_the_grace_of_the_platform_must_be_longer_than_a_stop(serve, freshinit, stop, words, env, result):
    with web() as one:
        box = serve(one.port, env={"FRESHINIT_SERVER_STOP_TIMEOUT": stop})
        env = {"FRESHINIT_SERVER_STOP_TIMEOUT": stop, **env}
        assert verify(box, freshinit, *words, env=env)["grace"]["result"] == result


def test_a_failed_stage_is_named(serve, freshinit):
    with web() as one:
        box = serve(one.port, "[stage db]\nwait = file:/nowhere\ntimeout = 50ms\n")
        line = verify(box, freshinit)["stages"]
        assert line["result"] == "FAIL" and line["reason"] == "db (failed)"


def test_a_server_that_stops_is_no_ok(serve, freshinit):
    with web() as one:
        box = serve(one.port, env={"FRESHINIT_SERVER_DRAIN": "5s"})
        box.signal(signal.SIGTERM)
        box.wait_line("Draining")
        assert verify(box, freshinit)["workers"]["result"] == "FAIL"


def test_nothing_is_changed_by_looking(serve, freshinit):
    with web() as one:
        box = serve(one.port)
        stale = serve.app / "__pycache__/app.cpython-311.pyc"
        stale.parent.mkdir()
        stale.write_bytes(b"\xa7\r\r\n" + b"\0" * 12)
        before = sorted((p, os.lstat(p).st_mtime_ns) for p in serve.app.rglob("*"))
        line = verify(box, freshinit)["bytecode"]
        assert line["result"] == "FAIL" and "(damaged)" in line["reason"]
        assert before == sorted((p, os.lstat(p).st_mtime_ns) for p in serve.app.rglob("*"))
