"""Users and capabilities: switched, already that user, or refused; never root by silence."""

import json
import os
import shutil
import signal

import pytest

import accounts

NET_BIND_SERVICE, KILL = 1 << 10, 1 << 5
pytestmark = pytest.mark.usefixtures("needs_root")


@pytest.fixture
def people(anywhere, tmp_path):
    """`anywhere` with accounts of its own."""
    directory = tmp_path / "etc"
    directory.mkdir()
    binds = accounts.bind(directory)

    def start(*words, **options):
        return anywhere(*words, binds=binds, **options)

    return start


def report(box):
    assert box.wait() == 0, box.transcript()
    return json.loads(next(line for line in box.out if line.startswith("{")))


def server(helper, *lines, command="report"):
    return "\n".join(["[server]", *lines, f"command = {helper(command)}", ""])


@pytest.mark.parametrize("user, uid, gid, groups, home", [
    ("app", 1500, 1600, [1600, 1700, 1701], "/home/app"),
    ("1500", 1500, 1600, [1600, 1700, 1701], "/home/app"),
    ("app:none", 1500, 1702, None, "/home/app"),
    ("app:1702", 1500, 1702, None, "/home/app"),
    ("4000:4001", 4000, 4001, [4001], "/"),
    ("65534:65534", 65534, 65534, [65534], "/"),
])
def test_the_server_becomes_the_user(people, helper, user, uid, gid, groups, home):
    found = report(people(config=server(helper, f"user = {user}")))
    assert found["uids"] == [uid] * 3
    assert found["gids"] == [gid] * 3
    if groups is not None:
        assert sorted(set(found["groups"]) | {gid}) == groups
    assert 0 not in found["groups"]
    assert found["env"]["HOME"] == home


def test_a_home_that_was_written_down_stays(people, helper):
    found = report(people(config="[env]\nHOME = /data\n" + server(helper, "user = app")))
    assert found["env"]["HOME"] == "/data"


def test_the_option_user_does_the_same(people, helper):
    found = report(people("--user", "app", helper("report")))
    assert (found["uids"], found["gids"]) == ([1500] * 3, [1600] * 3)


def test_with_a_user_nothing_privileged_is_left(people, helper):
    found = report(people(config=server(helper, "user = app")))
    for name in ("permitted", "effective", "inheritable", "bounding", "ambient"):
        assert found[name] == 0, name
    assert found["no_new_privs"] == 1


def test_named_capabilities_stay_and_no_others(people, helper):
    found = report(people(config=server(helper, "user = app", "capabilities = net_bind_service")))
    for name in ("permitted", "effective", "inheritable", "bounding", "ambient"):
        assert found[name] == NET_BIND_SERVICE, name


def test_no_new_privs_can_be_turned_off(people, helper):
    found = report(people(config=server(helper, "user = app", "no_new_privs = no")))
    assert found["no_new_privs"] == 0


def test_without_a_user_nothing_is_changed(people, helper):
    found = report(people(config=server(helper)))
    assert found["uids"] == [0, 0, 0]
    assert found["effective"] != 0 and found["bounding"] != 0
    assert found["no_new_privs"] == 0


def test_no_new_privs_without_a_user(people, helper):
    found = report(people(config=server(helper, "no_new_privs = yes")))
    assert (found["uids"], found["no_new_privs"]) == ([0, 0, 0], 1)


@pytest.mark.parametrize("user", ["nobody-here", "app:no-group", "9999999999", "-1", "app:"])
def test_an_unknown_user_is_refused_before_anything_runs(people, helper, user):
    box = people(config=server(helper, f"user = {user}"))
    assert box.wait() == 78
    assert box.out == []
    box.wait_line(user.split(":")[0] if user != "app:no-group" else "no-group", stream="err")


FATAL = "[stage two]\nrun = echo ran\nuser = 4711\non_error = fail\n"


@pytest.mark.parametrize("lines", ["", "when = reload\n", "when = build\non_error = fail\n"])
def test_a_stages_user_that_cannot_be_become_is_the_stages_own_trouble(people, helper, lines):
    stage = f"[stage two]\nrun = echo ran\nuser = 4711\n{lines}"
    assert report(people(config=stage + server(helper), uid=1500, gid=1600))["uids"] == [1500] * 3


@pytest.mark.parametrize("stage, keys", [("", ["user = 4711"]), (FATAL, [])], ids=["server", "stage"])
def test_a_user_that_cannot_be_become_is_refused_before_a_stage_runs(people, helper, stage, keys):
    stages = "[stage one]\nrun = echo ran\n" + stage
    box = people(config=stages + server(helper, *keys), uid=1500, gid=1600)
    assert box.wait() == 125
    assert not [line for line in box.err if "ran" in line.split()]
    box.wait_line("can't become user .4711.*FRESHINIT_SERVER_USER=1500", stream="err")


def test_the_server_cannot_become_root_again(people, helper):
    box = people("--user", "app", "/bin/sh", "-c", "setpriv --reuid 0 id -u || echo refused")
    assert box.wait() == 0
    assert box.out == ["refused"]


@pytest.mark.parametrize("user", ["1500", "1500:1500"])
def test_already_that_user_is_fine(people, helper, user):
    found = report(people("--user", user, helper("report"), uid=1500, gid=1600 if ":" not in user else 1500))
    assert found["uids"] == [1500] * 3


@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is not installed")
@pytest.mark.parametrize("keys, kept", [((), 0), (["capabilities = net_bind_service"],
                                                  NET_BIND_SERVICE)])
def test_already_that_user_with_more_than_it_is_to_keep(run_box, freshinit, helper, tmp_path, keys,
                                                        kept):
    path = tmp_path / "freshinit.ini"
    path.write_text(server(helper, "user = 1500:1600", *keys))
    more = "+net_bind_service,+kill"
    found = report(run_box(shutil.which("setpriv"), "--reuid", "1500", "--regid", "1600",
                           "--clear-groups", "--inh-caps", more, "--ambient-caps", more,
                           freshinit, "--config", str(path)))
    for name in ("permitted", "effective", "ambient"):
        assert found[name] == kept, name


def test_another_user_without_the_right_to_is_refused(people, helper):
    box = people("--user", "app", helper("report"), uid=1000, gid=1000)
    assert box.wait() == 125
    assert box.out == []
    box.wait_line("app", stream="err")


def test_root_without_capabilities_cannot_switch_and_says_so(people, helper):
    box = people("--user", "app", helper("report"), drop_caps=True, bound_caps=True)
    assert box.wait() == 125
    assert box.out == []
    box.wait_line("(?i)setuid", stream="err")


@pytest.mark.parametrize("world", [
    {"uid": 1000, "gid": 1000},
    {"drop_caps": True, "bound_caps": True},
    {"no_new_privs": True},
    {"read_only": True},
    {"uid": 1000, "gid": 1000, "bound_caps": True, "no_new_privs": True, "read_only": True},
    {"uid": 1000, "gid": 1000, "proc": "hidden"},
    {"proc": "none"},
    {"read_only": True, "tmpfs": ()},
], ids=lambda world: " ".join(world))
def test_narrow_worlds_are_ordinary(people, helper, world):
    box = people(helper("signals"), **world)
    box.wait_line("^ready")
    box.signal(signal.SIGUSR1)
    box.wait_line("^got 10$")
    box.signal(signal.SIGTERM)
    assert box.wait() == 0


@pytest.mark.parametrize("world", [
    {}, {"no_new_privs": True}, {"read_only": True}, {"proc": "hidden"},
], ids=lambda world: " ".join(world) or "plain")
def test_a_user_is_switched_to_in_narrow_worlds(people, helper, world):
    found = report(people("--user", "app", helper("report"), **world))
    assert (found["uids"], found["effective"]) == ([1500] * 3, 0)


def test_the_user_can_open_dev_stdout(people, helper):
    found = report(people("--user", "app", helper("report")))
    assert found["open"]["/dev/stdout"] == "ok"
    assert found["open"]["/dev/stderr"] == "ok"


def test_a_file_as_stderr_is_not_given_away(people, helper, tmp_path):
    log = tmp_path / "log"
    with open(log, "ab") as file:
        assert people("--user", "app", helper("end"), "exit", "0", stderr=file.fileno()).wait() == 0
    assert os.stat(log).st_uid == 0


def capabilities_of(entry, which="CapEff"):
    return int(entry["status"][which].strip(), 16)


def test_pid_1_keeps_no_more_than_it_needs(people, helper):
    box = people("--user", "app", helper("signals"))
    box.wait_line("^ready")

    def has_kill_alone(all_):
        own = next(p for p in all_ if p["name"] == "freshinit")
        return capabilities_of(own) == capabilities_of(own, "CapPrm") == KILL

    box.wait_process(has_kill_alone, "the drop")


def test_pid_1_still_ends_a_process_of_another_user(people, helper):
    script = f"{helper('stray')} --name guest --ignore; exit 3"
    box = people("--user", "app", "--stop-timeout", "1s", "/bin/sh", "-c", script)
    assert box.wait() == 3
    assert "guest got 15" in box.out
    assert box.left() == []


@pytest.mark.parametrize("lost", ["kill", "all"])
@pytest.mark.parametrize("as_child", [False, True], ids=["as PID 1", "not PID 1"])
def test_root_without_kill_still_signals_a_server_of_another_user(run_box, freshinit, helper, tmp_path,
                                                                  lost, as_child):
    """--cap-drop ALL --cap-add SETUID --cap-add SETGID: a stop would have reached nobody."""
    bounds = "-kill" if lost == "kill" else "-all,+setuid,+setgid"
    box = run_box(shutil.which("setpriv"), f"--bounding-set={bounds}", freshinit, "--no-stages", "--user",
                  "app", "--stop-timeout", "2s", "--", helper("signals"), as_child=as_child,
                  binds=accounts.bind(tmp_path))
    box.wait_line("^ready")
    box.signal(signal.SIGUSR1)
    box.wait_line("^got 10$")
    box.signal(signal.SIGTERM)
    assert box.wait() == 0
    assert not [line for line in box.err if "may not" in line]
    assert box.left() == []


def test_root_without_kill_ends_what_a_server_of_another_user_left(run_box, freshinit, helper, tmp_path):
    script = f"{helper('stray')} --name guest --ignore; exit 3"
    box = run_box(shutil.which("setpriv"), "--bounding-set=-kill", freshinit, "--no-stages", "--user",
                  "app", "--stop-timeout", "1s", "--", "/bin/sh", "-c", script,
                  binds=accounts.bind(tmp_path))
    assert box.wait() == 3
    assert "guest got 15" in box.out
    box.wait_line("Killing 1 process that did not end when told", stream="err")
    assert not [line for line in box.err if "may not" in line]


def test_an_ordinary_user_ends_what_it_left(people, helper):
    script = f"{helper('stray')} --name guest --ignore; exit 3"
    box = people("--stop-timeout", "1s", "/bin/sh", "-c", script, uid=1000, gid=1000)
    assert box.wait() == 3
    assert box.left() == []


def test_a_capability_that_is_none_is_refused(people, helper):
    box = people(config=server(helper, "user = app", "capabilities = net_bind_servise"))
    assert box.wait() == 78
    box.wait_line("net_bind_servi[sc]e", stream="err")
    assert box.out == []


def test_a_capability_we_do_not_have_cannot_stay(people, helper):
    box = people(config=server(helper, "user = app", "capabilities = sys_resource"), bound_caps=True,
                 drop_caps=True)
    assert box.wait() == 125
    assert box.out == []
