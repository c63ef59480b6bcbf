"""What is wrong is told in one clear line, with the right exit code, and nothing is run."""

import os
import re
import signal

import pytest

CONFIG_ERROR = 78


@pytest.fixture
def with_file(box, helper, tmp_path):
    """with_file(bytes): a server under a configuration of exactly these bytes."""

    def start(content, *words, **options):
        path = tmp_path / "given.ini"
        if isinstance(content, bytes):
            path.write_bytes(content)
            path.chmod(0o644)
        return box("--config", path, *words, stages=True, **options)

    start.path = tmp_path / "given.ini"
    return start


def assert_refused(box, *patterns, code=CONFIG_ERROR):
    assert box.wait() == code, box.transcript()
    assert box.out == []
    for pattern in patterns:
        box.wait_line(pattern, stream="err")


def good(helper, command="end exit 3"):
    name, *words = command.split()
    return f"[server]\ncommand = {helper(name)} {' '.join(words)}\n".encode()


REFUSED = [
    # content, what the lines must say
    (b"[health]\nurl = localhost:8000\n", [r"given\.ini:2: \[health\] url: \"localhost:8000\" is no URL: write it like tcp://localhost:8000"]),
    (b"[server]\ncommand = x\nready = htp://x/\n", [r"given\.ini:3: ready \"htp://x/\" is neither http://"]),
    (b"[server]\nready = redis://x\ncommand = x\n", [r"given\.ini:2: ready \"redis://x\" is neither"]),
    (b"[server]\ncommand = gunicorn a\nlisten = here\n", [r"given\.ini:3: \[server\] listen: \"here\" is no address"]),
    (b"[server]\ncommand = gunicorn -b :1 a\nlisten = :8000\n", [r"given\.ini:3: \[server\] listen: the command has -b"]),
    (b"[server]\nreload = handover\ncommand = x\n", [r"given\.ini:2: \[server\] reload: handover needs listen"]),
    (b"[server]\nuser = 1\ncapabilities = fly\ncommand = x\n", [r"given\.ini:3: \[server\] capabilities: \"fly\" is no"]),
    (b"[server]\nready = notify\ncommand = gunicorn a\n", [r"given\.ini:2: \[server\] ready: gunicorn notifies before"]),
    (b"[server]\ncomand = x\n", [r"given\.ini:2: .*comand", r"command"]),
    (b"[sever]\ncommand = x\n", [r"given\.ini:1: .*sever", r"server"]),
    (b"[server]\nstop_timeout = soon\n", [r"given\.ini:2: .*soon"]),
    (b"[server]\numask = 999\n", [r"given\.ini:2: .*999"]),
    (b"[server]\numask = 022\numask = 027\n", [r"given\.ini:3: .*umask"]),
    (b"[server]\nstop_signal = NONSENSE\n", [r"given\.ini:2: .*NONSENSE"]),
    (b"[server]\nuser =\n", [r"given\.ini:2: "]),
    (b"[server]\nsuccess = 0 256\n", [r"given\.ini:2: .*256"]),
    (b"[freshinit]\nlog = yaml\n", [r"given\.ini:2: .*yaml"]),
    (b"[stage a]\n[server]\n", [r"given\.ini:1: .*a"]),
    (b"[stage a]\nrun = true\n[stage a]\nrun = true\n", [r"given\.ini:3: .*a"]),
    (b"[stage a]\nrun = true\nclear = bytecode\n", [r"given\.ini:\d: "]),
    (b"[stage a]\nrun = true\nkill = yes\n", [r"given\.ini:3: .*kill"]),
    (b"[stage a]\nclear = *\n", [r"given\.ini:\d: .*\*"]),
    (b"[stage a]\nclear = *.py\n", [r"given\.ini:\d: .*\.py"]),
    (b"[stage a]\nclear = bytecode\nin = /etc\n", [r"given\.ini:\d: .*/etc"]),
    (b"[stage a]\nclear = bytecode\nin = /srv/../etc\n", [r"given\.ini:\d: .*\.\."]),
    (b"[stage a]\nempty = /usr\nwhen = start\n", [r"given\.ini:\d: .*/usr"]),
    (b"[stage a]\nwait = https://x/\n", [r"given\.ini:\d: .*(TLS|https)"]),
    (b"nonsense\n", [r"given\.ini:1: .*nonsense"]),
    (b"key = value\n", [r"given\.ini:1: "]),
    (b"[server\ncommand = x\n", [r"given\.ini:1: "]),
    (b"[server]\ncommand = \"unclosed\n", [r"given\.ini:2: "]),
    (b"[server]\ncommand = a\x00b\n", [r"given\.ini:2: "]),
    (b"[server]\ncommand = a\x01b\n", [r"given\.ini:2: "]),
    (b"[server]\ncommand = \xff\xfe\n", [r"given\.ini:2: "]),
    (b"[server]\nworkdir = /a\n b\n", [r"given\.ini:3: "]),
    (b"[env]\n1BAD = x\n", [r"given\.ini:2: .*1BAD"]),
    (b"[server]\ncommand = ${UNCLOSED\n", [r"given\.ini:2: "]),
]


@pytest.mark.parametrize("content, patterns", REFUSED, ids=[repr(row[0])[2:40] for row in REFUSED])
def test_a_fault_names_its_file_and_line(with_file, helper, content, patterns):
    words = () if b"command" in content else (helper("end"), "exit", "3")
    assert_refused(with_file(content, *words), *patterns)


def test_all_faults_are_told_in_one_go(with_file, helper):
    content = b"""[freshinit]
log = yaml
[server]
umask = 8
stop_timout = 3s
user = no-such-user
[stage x]
clear = *
"""
    box = with_file(content, helper("end"), "exit", "3")
    assert_refused(box, *[rf"given\.ini:{line}: " for line in (2, 4, 5, 6, 8)])
    # In the order of the file, though syntax is found before meaning.
    lines = [int(found[1]) for line in box.err if (found := re.search(r"given\.ini:(\d+): ", line))]
    assert lines == sorted(lines)


def long_line(length):
    return b"[env]\nLONG = " + b"x" * (length - 7) + b"\n"


def test_a_long_line_is_taken_whole_or_refused_never_cut(with_file, helper):
    import json
    for length in (190, 198, 199, 200, 201, 255, 256, 1000, 4000, 100_000):
        box = with_file(long_line(length), helper("report"))
        if box.wait() == 0:
            assert len(json.loads(box.out[0])["env"]["LONG"]) == length - 7
        else:
            assert length > 1000, "lines of this length are ordinary"
            assert_refused(box, r"given\.ini:2: ")


def test_the_rest_of_a_long_line_is_no_line_of_its_own(with_file, helper):
    for length in range(150, 260, 3):
        content = b"[env]\nA = " + b"x" * length + b" [server] umask = 9\n"
        box = with_file(content, helper("end"), "exit", "0")
        assert box.wait() == 0, box.transcript()


@pytest.mark.parametrize("length", [30, 48, 49, 50, 51, 80, 300])
def test_long_names_are_never_cut(with_file, helper, length):
    name = b"n" * length
    content = b"[stage " + name + b"]\nrun = true\n[stage " + name + b"x]\nrun = true\n" + good(helper)
    box = with_file(content)
    if box.wait() != 3:
        assert length > 40
        assert_refused(box, r"given\.ini:\d: ")


@pytest.mark.parametrize("ending", [b"\r\n", b"\n"], ids=["CRLF", "LF"])
@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""], ids=["BOM", "no BOM"])
def test_files_from_other_systems_are_read(with_file, helper, mark, ending):
    assert with_file(mark + good(helper).replace(b"\n", ending)).wait() == 3


def test_a_last_line_without_its_end_is_read(with_file, helper):
    assert with_file(good(helper).rstrip(b"\n")).wait() == 3


def test_comments_are_left_out_and_values_kept(with_file, helper):
    import json
    content = f"""; first
# second
[env]
A = one ; a comment
B = two;three
C = http://x/#fragment
D = "four"
E =
[server] ; a comment
command = {helper('report')}
""".encode()
    box = with_file(content)
    assert box.wait() == 0, box.transcript()
    env = json.loads(box.out[0])["env"]
    assert (env["A"], env["B"], env["C"], env["E"]) == ("one", "two;three", "http://x/#fragment", "")


def test_an_empty_file_is_fine(with_file, helper):
    assert with_file(b"", "--no-stages", helper("end"), "exit", "3").wait() == 3


def test_a_missing_file_is_refused(with_file, helper):
    assert_refused(with_file(None, helper("end"), "exit", "3"), r"given\.ini.*No such file")


def test_a_directory_is_refused(with_file, helper):
    with_file.path.mkdir()
    assert_refused(with_file(None, helper("end"), "exit", "3"), r"given\.ini")


def test_a_fifo_is_refused_and_not_waited_for(with_file, helper):
    os.mkfifo(with_file.path)
    assert_refused(with_file(None, helper("end"), "exit", "3"), r"given\.ini")


def test_a_device_is_refused_or_empty(box, helper):
    assert box("--config", "/dev/zero", helper("end"), "exit", "3", stages=True).wait() == CONFIG_ERROR


def test_a_file_of_100_mb_is_refused_at_once(with_file, helper):
    with open(with_file.path, "wb") as file:
        file.write(b"[server]\n")
        file.truncate(100 << 20)
    box = with_file(None, helper("end"), "exit", "3")
    assert box.wait(5) == CONFIG_ERROR
    assert box.out == []


def test_100_mb_of_comments_are_refused_at_once(with_file, helper):
    with open(with_file.path, "wb") as file:
        for _ in range(100):
            file.write(b"; " + b"c" * 98 + b"\n" + (b";" * 100 + b"\n") * 10_000)
    box = with_file(None, helper("end"), "exit", "3")
    assert box.wait(10) == CONFIG_ERROR


def test_an_unreadable_file_is_refused(with_file, helper, needs_root):
    with_file.path.write_bytes(good(helper))
    with_file.path.chmod(0)
    assert_refused(with_file(None, helper("end"), "exit", "3", uid=1000, gid=1000),
                   r"given\.ini.*Permission denied")


@pytest.fixture
def found(run_box, freshinit, tmp_path, helper):
    """freshinit in a working directory with a freshinit.ini of its own."""

    def start(mode=0o644, directory_mode=0o755, owner=0, directory_owner=0, **options):
        place = tmp_path / "place"
        place.mkdir()
        path = place / "freshinit.ini"
        path.write_bytes(good(helper))
        path.chmod(mode)
        os.chown(path, owner, owner)
        place.chmod(directory_mode)
        os.chown(place, directory_owner, directory_owner)
        return run_box(freshinit, "--no-stages", cwd=place, **options)

    return start


def test_the_working_directorys_file_is_found(found, needs_root):
    assert found().wait() == 3


@pytest.mark.parametrize("how", [{"mode": 0o666}, {"mode": 0o664, "owner": 1000}, {"owner": 1000},
                                 {"directory_mode": 0o777}, {"directory_owner": 1000}],
                         ids=lambda how: " ".join(how))
def test_a_found_file_that_others_may_write_is_refused_for_root(found, needs_root, how):
    assert_refused(found(**how), r"COPY --chmod=644 freshinit\.ini /etc/freshinit\.ini")


def test_for_an_ordinary_user_a_found_file_is_taken(found, needs_root):
    assert found(owner=1000, directory_owner=1000, uid=1000, gid=1000).wait() == 3


def test_a_file_named_by_hand_is_taken_as_it_is(with_file, helper):
    with_file.path.write_bytes(good(helper))
    with_file.path.chmod(0o666)
    assert with_file(None).wait() == 3


def test_the_environment_names_a_file(box, tmp_path, helper):
    (tmp_path / "other.ini").write_bytes(good(helper))
    assert box(stages=True, env={"FRESHINIT_CONFIG": str(tmp_path / "other.ini")}).wait() == 3


def test_service_links_of_kubernetes_do_no_harm(box, helper):
    links = {"FRESHINIT_PORT": "tcp://10.0.0.1:80", "FRESHINIT_SERVICE_HOST": "10.0.0.1",
             "FRESHINIT_PORT_80_TCP": "tcp://10.0.0.1:80", "FRESHINIT_PORT_80_TCP_PROTO": "tcp"}
    assert box(helper("end"), "exit", "3", env=links).wait() == 3


def test_a_name_that_is_no_key_gets_a_hint(box, helper):
    box = box(helper("end"), "exit", "3", env={"FRESHINIT_SERVER_STOP_TIMOUT": "3s"})
    assert box.wait() == 3
    box.wait_line("(?i)FRESHINIT_SERVER_STOP_TIMOUT.*did you mean.*FRESHINIT_SERVER_STOP_TIMEOUT",
                  stream="err")


def test_a_bad_value_in_the_environment_is_refused(box, helper):
    assert_refused(box(helper("end"), "exit", "3", env={"FRESHINIT_SERVER_UMASK": "rwx"}),
                   "FRESHINIT_SERVER_UMASK.*rwx")


def test_a_bad_set_is_refused(box, helper):
    box = box("--set", "server.umask=rwx", helper("end"), "exit", "3")
    assert box.wait() in (64, 78)
    assert box.out == []
    box.wait_line("--set.*umask.*rwx", stream="err")


def test_the_last_source_wins(box, helper):
    import json
    config = f"[server]\numask = 001\ncommand = {helper('report')}\n"
    for env, words, umask in [({}, (), 0o001), ({"FRESHINIT_SERVER_UMASK": "002"}, (), 0o002),
                              ({"FRESHINIT_SERVER_UMASK": "002"}, ("--set", "server.umask=003"), 0o003)]:
        box_ = box(*words, config=config, env=env)
        assert box_.wait() == 0
        assert json.loads(box_.out[0])["umask"] == umask


def test_no_process_for_the_server_is_125(anywhere, helper, needs_root):
    """RLIMIT_NPROC counts all processes of that user on the machine, so it gets one of its own."""
    box = anywhere(helper("end"), "exit", "3", uid=31337, gid=31337, limits={"nproc": 1})
    assert box.wait() == 125
    box.wait_line("(?i)(fork|process).*(Resource temporarily unavailable|again)", stream="err")


@pytest.mark.parametrize("size", [1 << 20, 2 << 20, 4 << 20])
def test_little_memory_is_told_or_enough(anywhere, helper, size):
    box = anywhere(helper("end"), "exit", "3", limits={"as": size})
    assert box.wait() in (3, 125, 126, 139)


def test_few_descriptors_are_told_or_enough(anywhere, helper):
    for count in (3, 4, 5, 8):
        box = anywhere(helper("end"), "exit", "3", limits={"nofile": count})
        code = box.wait()
        assert code in (3, 78, 125)
        assert code == 3 or box.err


def test_without_proc_the_server_runs_and_is_ended(anywhere, helper):
    box = anywhere(helper("signals"), proc="none")
    box.wait_line("^ready")
    box.signal(signal.SIGTERM)
    assert box.wait() == 0


def test_without_proc_pid_1_still_ends_what_is_left(box, helper):
    script = f"{helper('stray')} --name daemon; exit 3"
    box = box("--stop-timeout", "2s", "/bin/sh", "-c", script, proc="none")
    assert box.wait() == 3
    assert "daemon got 15" in box.out


@pytest.mark.parametrize("word, meant", [("staus", "status"), ("Reload", "reload"), ("help", "--help")])
def test_a_mistyped_subcommand_runs_nothing(anywhere, word, meant):
    """It may have been meant for a container that serves."""
    box = anywhere(word, config="[stage one]\nrun = echo ran\n", stages=True)
    assert box.wait() == 64
    assert box.err == [f'freshinit: error: "{word}" is no subcommand, and no program in PATH: '
                       f"did you mean {meant}? (a program: freshinit -- {word})"]


@pytest.mark.parametrize("words", [("./check",), ("--", "check")])
def test_what_is_meant_as_a_program_is_none(words, anywhere, tmp_path):
    """A stage may have to install it, and a path begins in workdir."""
    (tmp_path / "bin").mkdir()
    script = f"printf '#!/bin/sh\\necho it ran\\n' > {tmp_path}/bin/check && chmod +x {tmp_path}/bin/check"
    box = anywhere(*words, stages=True, env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin"},
                   config=f"[stage install]\nrun = {script}\nshell = yes\n[server]\nworkdir = {tmp_path}/bin\n")
    assert box.wait() == 0
    assert box.out == ["it ran"]


def test_a_target_that_no_stage_has_gets_a_hint(anywhere):
    box = anywhere("clean", "cahce", config="[stage one]\nrun = true\nwhen = build\ntargets = cache\n", stages=True)
    assert box.wait() == 64
    assert box.err == ['freshinit: error: clean cahce: no stage has targets = cahce, did you mean "cache"?']
