"""Called as tini or docker-init it is one: tini's options and defaults, no stages, nothing said."""

import json
import signal

import pytest


@pytest.fixture(params=["tini", "docker-init"])
def tini(request, run_box, freshinit, tmp_path):
    link = tmp_path / "bin" / request.param
    link.parent.mkdir()
    link.symlink_to(freshinit)

    def start(*words, **options):
        return run_box(link, *words, **options)

    return start


def test_it_runs_a_command(tini, helper):
    box = tini("--", helper("end"), "exit", "9")
    assert box.wait() == 9
    assert box.err == []


def test_it_needs_no_dashes(tini, helper):
    assert tini(helper("end"), "exit", "9").wait() == 9


def test_it_knows_tinis_options(tini, helper):
    box = tini("-s", "-g", "-v", "-w", "-e", "9", "-p", "KILL", "--", helper("end"), "exit", "9")
    assert box.wait() == 0


@pytest.mark.parametrize("option", ["-h", "--version"])
def test_it_answers_questions(tini, option):
    box = tini(option)
    assert box.wait() == 0
    assert box.out


def test_l_shows_a_licence(tini):
    assert tini("-l").wait() == 0


def test_it_takes_no_options_of_freshinit(tini, helper):
    assert tini("--no-stages", helper("end"), "exit", "0").wait() != 0


def test_it_needs_a_command(tini):
    assert tini().wait() in (1, 64)


def test_subcommands_are_commands(tini, helper, tmp_path):
    (tmp_path / "check").symlink_to(helper("end"))
    assert tini("check", "exit", "5", env={"PATH": str(tmp_path)}).wait() == 5


def test_no_configuration_is_read(tini, helper, tmp_path):
    (tmp_path / "freshinit.ini").write_text("[broken\n")
    assert tini(helper("end"), "exit", "5").wait() == 5


def test_no_cache_is_cleared(tini, helper, tmp_path):
    cache = tmp_path / "__pycache__"
    cache.mkdir()
    (cache / "m.cpython-311.pyc").write_bytes(b"")
    assert tini(helper("end"), "exit", "5").wait() == 5
    assert (cache / "m.cpython-311.pyc").exists()


@pytest.mark.parametrize("command, code", [("/nowhere", 127), ("/etc", 126)])
def test_its_exec_errors_are_tinis(tini, command, code):
    assert tini(command).wait() == code


def test_a_stop_has_no_end_as_with_tini(tini, helper):
    box = tini(helper("signals"), "--end", "10", "4")
    box.wait_line("^ready")
    box.signal(signal.SIGTERM)
    box.wait_line("^got 15$")
    box.signal(signal.SIGUSR1)
    assert box.wait() == 4


def test_it_reaps(tini, helper):
    box = tini(helper("orphans"), "100")
    box.wait_line("^orphaned 100")
    box.wait_process(lambda all_: len(all_) == 2, "an end of the zombies")


def test_the_environment_variables_of_tini_are_known(tini, helper):
    box = tini(helper("orphans"), "20", "--end", as_child=True, env={"TINI_SUBREAPER": "1"})
    assert box.wait() == 0
    assert not [line for line in box.lines("told") if line.startswith("adopted")]


def test_g_signals_the_group(tini, helper):
    box = tini("-g", helper("signals"), "--group", "1")
    box.wait_line("^member ready")
    box.wait_line("^ready")
    box.signal(signal.SIGUSR1)
    box.wait_line("^member got 10$")


def test_the_server_starts_clean(tini, helper):
    box = tini(helper("report"))
    assert box.wait() == 0
    assert json.loads(box.out[0])["blocked"] == []
