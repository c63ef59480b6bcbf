"""The container's exit status is the server's, exactly; its own are told in words."""

import signal

import pytest


@pytest.mark.parametrize("code", [0, 1, 2, 3, 42, 75, 78, 125, 126, 127, 128, 137, 143, 255])
def test_the_exit_status_is_passed_on(anywhere, helper, code):
    assert anywhere(helper("end"), "exit", code).wait() == code


@pytest.mark.parametrize("number", [1, 2, 3, 4, 6, 7, 8, 9, 11, 13, 14, 15, 31, 34, 50, 64])
def test_death_by_signal_n_is_128_plus_n(anywhere, helper, number):
    assert anywhere(helper("end"), "signal", number).wait() == 128 + number


def test_a_missing_command_is_127(anywhere):
    box = anywhere("no-such-command", "x")
    assert box.wait() == 127
    box.wait_line("no-such-command.*(not found|No such file)", stream="err")


def test_a_missing_path_is_127(anywhere):
    box = anywhere("/nowhere/at/all")
    assert box.wait() == 127
    box.wait_line("/nowhere/at/all", stream="err")


@pytest.mark.parametrize("what", ["directory", "not executable", "no interpreter", "no format"])
def test_what_cannot_be_executed_is_126_or_127(anywhere, tmp_path, what):
    path = tmp_path / "thing"
    if what == "directory":
        path.mkdir()
    else:
        path.write_text({"not executable": "x", "no format": "x\n",
                         "no interpreter": "#!/nowhere/sh\n"}[what])
        path.chmod(0o644 if what == "not executable" else 0o755)
    box = anywhere(path)
    # The kernel says ENOENT for a missing interpreter, as shells do.
    assert box.wait() == (127 if what == "no interpreter" else 126)
    box.wait_line(str(path), stream="err")


def test_no_command_at_all_is_a_usage_error(anywhere):
    box = anywhere()
    assert box.wait() == 64
    assert box.err


def test_an_unknown_option_is_a_usage_error(anywhere):
    box = anywhere("--no-such-option", "/bin/true")
    assert box.wait() == 64
    box.wait_line("no-such-option", stream="err")


def test_e_turns_a_status_into_0(anywhere, helper):
    assert anywhere("-e", "3", "-e", "143", helper("end"), "exit", "3").wait() == 0


def test_e_takes_death_by_signal_too(anywhere, helper):
    assert anywhere("-e", "143", helper("end"), "signal", "15").wait() == 0


def test_e_leaves_other_statuses_alone(anywhere, helper):
    assert anywhere("-e", "3", helper("end"), "exit", "4").wait() == 4


SUCCESS = "[server]\nsuccess = 0 143\ncommand = {} {}\n"


def test_success_counts_as_0_after_a_stop(anywhere, helper):
    box = anywhere(config=SUCCESS.format(helper("signals"), "--end 15 143"))
    box.wait_line("^ready")
    box.signal(signal.SIGTERM)
    assert box.wait() == 0


def test_success_counts_for_nothing_without_a_stop(anywhere, helper):
    assert anywhere(config=SUCCESS.format(helper("end"), "exit 143")).wait() == 143


def test_the_command_is_found_in_path(anywhere, helper, tmp_path):
    (tmp_path / "here").symlink_to(helper("end"))
    assert anywhere("here", "exit", "9", env={"PATH": f"/nowhere:{tmp_path}"}).wait() == 9


def test_arguments_arrive_as_they_were(anywhere, helper):
    import json
    words = ["", " ", "a b", "--x", "-e", "--", "ä", "$HOME"]
    box = anywhere("--", helper("report"), *words)
    assert box.wait() == 0
    assert json.loads(box.out[0])["argv"][1:] == [word.encode().decode("latin-1") for word in words]


def test_options_after_the_command_are_the_commands(anywhere, helper):
    import json
    box = anywhere(helper("report"), "-g", "--version", "--help")
    assert box.wait() == 0
    assert json.loads(box.out[0])["argv"][1:] == ["-g", "--version", "--help"]


def test_after_two_dashes_a_subcommand_is_a_command(anywhere, helper, tmp_path):
    (tmp_path / "check").symlink_to(helper("end"))
    assert anywhere("--", "check", "exit", "6", env={"PATH": str(tmp_path)}).wait() == 6
