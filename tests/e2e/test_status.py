"""`freshinit status`: what PID 1 tells, and to whom; what it is not made to believe."""

import os
import re
import signal
import struct

import pytest

from inside import inside, status

# Of struct state_record.
SEQUENCE, SPACE, START, PID, SERVER_GENERATION = 12, 16, 24, 32, 60
CONFIG = """
[freshinit]
release = 3f2a9c1
[stage old]
clear = *.tmp
in = {folder}
[stage broken]
wait = file:/nowhere
timeout = 50ms
[server]
command = {command}
"""


@pytest.fixture
def served(box, helper, tmp_path):
    (tmp_path / "old.tmp").write_text("12345")

    def start(**options):
        config = CONFIG.format(folder=tmp_path, command=helper("signals"))
        one = box(config=config, **options)
        one.wait_line("^ready")
        one.wait_rest()
        return one

    return start


def test_it_tells_release_stages_server_and_counts(served, freshinit):
    box = served()
    seen = status(box, freshinit)
    assert seen["version"] == 1
    assert seen["release"] == "3f2a9c1"
    assert seen["pid"] == 1
    assert seen["phase"] == "serving"
    old, broken = seen["stages"]
    assert (old["name"], old["outcome"], old["when"]) == ("old", "done", "start")
    assert (old["seen"], old["done"], old["bytes"]) == (1, 1, 5)
    assert (broken["name"], broken["outcome"]) == ("broken", "failed")
    server = next(p for p in seen["processes"] if p["role"] == "server")
    assert server["pid"] == seen["server"]
    assert server["name"] == "signals"
    assert server["memory_bytes"] > 0
    assert 0 <= server["age_ms"] <= seen["up_ms"] + 20


def test_the_table_for_people_has_the_same(served, freshinit):
    box = served()
    text = inside(box, freshinit, "status").out
    assert re.match(r"freshinit \S+: pid 1, release 3f2a9c1, \S+/freshinit.ini, serving for ", text)
    assert re.search(r"^old +start +done +1 +1 +5 bytes +0 ", text, re.M)
    assert re.search(r"^broken +start +failed ", text, re.M)
    assert re.search(r"^ +2|\d+ +1 .* server +signals$", text, re.M)
    assert re.search(r"^capabilities  chown .*setuid", text, re.M)


def test_signals_and_orphans_are_counted(box, freshinit, helper):
    one = box(helper("orphans"), "7")
    one.wait_line("^orphaned 7$")
    one.signal(signal.SIGWINCH)
    # A counter alone is written at the next event, at most once a second.
    one.wait_process(lambda _: nudge(one, freshinit)["orphans_reaped"] >= 7, "seven orphans")
    one.wait_process(lambda _: nudge(one, freshinit)["signals_forwarded"] >= 1, "a signal")


def nudge(one, freshinit):
    inside(one, "sh", "-c", "kill -WINCH 1")
    return status(one, freshinit)


@pytest.mark.parametrize("options", [{"read_only": True}, {"tmpfs": ()},
                                     {"read_only": True, "tmpfs": ("/dev/shm",)}],
                         ids=["read-only", "state_dir as it is", "only /dev/shm"])
def test_it_works_where_it_may_write_little(served, freshinit, options):
    assert status(served(**options), freshinit)["phase"] == "serving"


def test_where_nothing_can_be_written_it_says_so(box, freshinit, helper):
    one = box(helper("signals"), read_only=True, tmpfs=(), env={"FRESHINIT_STATE_DIR": "/proc/no"},
              binds={"/proc/sys": "/dev/shm"})
    one.wait_line("^ready")
    answer = inside(one, freshinit, "status", env={"FRESHINIT_STATE_DIR": "/proc/no"})
    assert answer.code == 1
    assert "no freshinit to ask: " in answer.err


@pytest.mark.usefixtures("needs_root")
@pytest.mark.parametrize("uids", [(None, 1000), (1000, 1000), (1000, 1001), (1000, 0)])
def test_another_user_may_read_it(served, freshinit, uids):
    started, reads = uids
    box = served(uid=started, gid=started)
    assert status(box, freshinit, uid=reads)["phase"] == "serving"
    # Its end does not follow from that of the test: it has changed its user.
    box.signal(signal.SIGTERM)
    box.wait()


def test_not_as_pid_1_it_tells_the_same(served, freshinit):
    box = served(as_child=True, neighbour=True)
    seen = status(box, freshinit)
    assert seen["pid"] != 1
    assert [p["name"] for p in seen["processes"]] == ["signals"]


def test_in_a_hand_over_each_process_has_its_own_generation(box, helper, freshinit):
    one = box(config=f"[server]\nlisten = unix:/run/app.sock\nready = 3s\ncommand = {helper('signals')}\n")
    one.wait_line("is ready", within=30)
    one.signal(signal.SIGHUP)
    one.wait_line("^ready", count=2)
    one.wait_rest()
    roles = {p["pid"]: (p["role"], p["generation"]) for p in status(one, freshinit)["processes"]}
    old, new = (int(re.search(r"\(pid (\d+)", line)[1]) for line in one.err if line.startswith("Starting "))
    assert (roles[old], roles[new]) == (("server", 1), ("next", 2))
    lines = {line["name"]: line["result"] for line in inside(one, freshinit, "verify", "--json").json["lines"]}
    assert lines["workers"] == lines["orphans"] == "ok"


def state_file(box):
    return f"/proc/{box.init}/root/run/freshinit/state"


def change(box, offset, data):
    with open(state_file(box), "r+b") as file:
        file.seek(offset)
        file.write(data)


@pytest.mark.usefixtures("needs_root")
@pytest.mark.parametrize("name, offset, data, words", [
    ("magic", 0, b"XXXX", "not written by this version"),
    ("version", 4, struct.pack("<I", 99), "not written by this version"),
    ("odd for ever", SEQUENCE, struct.pack("<I", 7), "not the state of a freshinit"),
    ("another container", SPACE, struct.pack("<Q", 1), "belongs to another container"),
    ("another process", START, struct.pack("<Q", 1), "belongs to a freshinit that has ended"),
    ("no such process", PID, struct.pack("<i", 99999), "belongs to a freshinit that has ended"),
])
def test_a_record_that_is_not_ours_is_not_believed(served, freshinit, name, offset, data, words):
    box = served()
    change(box, offset, data)
    answer = inside(box, freshinit, "status")
    assert answer.code == 1, name
    assert words in answer.err


@pytest.mark.usefixtures("needs_root")
def test_a_record_that_was_cut_is_not_believed(served, freshinit):
    box = served()
    os.truncate(state_file(box), 100)
    answer = inside(box, freshinit, "status")
    assert answer.code == 1 and "not the state of a freshinit" in answer.err


@pytest.mark.usefixtures("needs_root")
def test_a_record_that_someone_else_wrote_is_not_believed(served, freshinit):
    box = served()
    os.chown(state_file(box), 1234, 1234)
    answer = inside(box, freshinit, "status")
    assert answer.code == 1 and "written by user 1234" in answer.err


@pytest.mark.usefixtures("needs_root")
def test_a_link_in_the_way_is_not_followed(box, helper, freshinit, tmp_path):
    target = tmp_path / "target"
    target.write_text("precious")
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "state").symlink_to(target)
    env = {"FRESHINIT_STATE_DIR": str(folder)}
    one = box(helper("signals"), env=env)
    one.wait_line("^ready")
    assert status(one, freshinit, env=env)["phase"] == "serving"
    assert target.read_text() == "precious"


def test_a_second_freshinit_leaves_the_first_one_its_file(box, helper, freshinit):
    one = box(freshinit, "--no-stages", helper("signals"))
    one.wait_line("^ready")
    assert status(one, freshinit)["pid"] == 1


def test_after_the_end_nothing_is_left_in_dev_shm(box, freshinit, helper):
    env = {"FRESHINIT_STATE_DIR": "/proc/no"}
    before = {name for name in os.listdir("/dev/shm") if name.startswith("freshinit-")}
    one = box(helper("signals"), tmpfs=(), env=env)
    one.wait_line("^ready")
    assert status(one, freshinit, env=env)["pid"] == 1
    one.signal(15)
    assert one.wait() == 0
    assert {n for n in os.listdir("/dev/shm") if n.startswith("freshinit-")} <= before
