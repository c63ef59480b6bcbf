"""`free` names who holds a port, ends it only when asked to, and removes what is proven stale."""

import os
import re
import signal
import socket
import subprocess
import sys

import pytest
from caches import NOBODY, free_port, run_config, unprivileged  # noqa: F401

HOLDER = """
import os, signal, socket, sys
kind, place, habit = sys.argv[1:4]
if kind == "tcp":
    held = socket.create_server(("127.0.0.1", int(place)))
else:
    held = socket.socket(socket.AF_UNIX)
    held.bind(place)
    if kind == "unix":
        held.listen()
if habit == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if habit == "forks" and os.fork() == 0:
    signal.pause()
print("held", flush=True)
signal.pause()
"""


def stage(urls, *lines):
    return "\n".join(["[stage port]", f"free = {urls}", "on_error = fail", *lines, ""])


@pytest.fixture
def hold():
    """hold(kind, place, habit): a process that holds it, until the test ends."""
    started = []

    def start(kind, place, habit="plain", user=None):
        words = [sys.executable, "-c", HOLDER, kind, str(place), habit]
        process = subprocess.Popen(unprivileged(words) if user else words, text=True,
                                   stdout=subprocess.PIPE, start_new_session=True)
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        process.stdout.close()


def test_a_free_port_costs_nothing(run_config):  # noqa: F811
    port = free_port()
    result = run_config(stage(f"tcp://0.0.0.0:{port}"))
    assert result.returncode == 0
    assert f"Freeing tcp://0.0.0.0:{port}: it is free" in result.stderr


def test_the_holder_of_a_port_is_named_and_left_alone(run_config, hold):  # noqa: F811
    port = free_port()
    holder = hold("tcp", port)
    result = run_config(stage(f"tcp://0.0.0.0:{port}"))
    assert result.returncode == 75
    assert re.search(rf"tcp://0\.0\.0\.0:{port} is held by {holder.pid} \(.*python.*\), started "
                     r".* ago \(kill = yes would end it\)", result.stderr)
    assert holder.poll() is None


@pytest.mark.parametrize("habit, words", [("plain", r" ago$"), ("stubborn", "by KILL")])
def test_a_holder_is_ended_when_that_is_asked_for(run_config, hold, habit, words):  # noqa: F811
    port = free_port()
    holder = hold("tcp", port, habit)
    result = run_config(stage(f"tcp://127.0.0.1:{port}", "kill = yes", "timeout = 1s"))
    assert result.returncode == 0, result.stderr
    assert re.search(rf"Freeing tcp://127\.0\.0\.1:{port}: ended {holder.pid} .*{words}",
                     result.stderr, re.M)
    assert holder.wait(10) == (-signal.SIGKILL if habit == "stubborn" else -signal.SIGTERM)


def test_every_process_that_shares_the_port_is_ended(run_config, hold):  # noqa: F811
    port = free_port()
    hold("tcp", port, "forks")
    result = run_config(stage(f"tcp://127.0.0.1:{port}", "kill = yes"))
    assert result.returncode == 0, result.stderr
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_a_dry_run_ends_and_removes_nothing(freshinit, hold, tmp_path):
    port, dead = free_port(), tmp_path / "dead.sock"
    holder = hold("tcp", port)
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(dead))
    config = tmp_path / "freshinit.ini"
    config.write_text(stage(f"tcp://127.0.0.1:{port} unix:{dead}", "kill = yes", "when = build"))
    result = subprocess.run([freshinit, "--config", config, "clean", "--dry-run"], text=True,
                            capture_output=True, timeout=30, check=False)
    assert result.returncode == 0, result.stderr
    assert f"would end {holder.pid}" in result.stderr and "would be removed" in result.stderr
    assert holder.poll() is None and dead.exists()


def test_another_users_process_is_not_ours_to_end(freshinit, hold, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root: a holder of another user")
    port = free_port()
    holder = hold("tcp", port)
    config = tmp_path / "freshinit.ini"
    tmp_path.chmod(0o755)
    config.write_text(stage(f"tcp://127.0.0.1:{port}", "kill = yes"))
    result = subprocess.run(unprivileged([freshinit, "--config", str(config), "/bin/true"]),
                            text=True, capture_output=True, timeout=30, check=False)
    assert result.returncode == 75
    assert re.search(rf"tcp://127\.0\.0\.1:{port} is held by a process that we may not look into "
                     r"\(its socket is of user 0\)", result.stderr)
    assert holder.poll() is None


def test_a_holder_outside_the_pid_namespace_is_said_to_be(box, hold):
    port = free_port()
    holder = hold("tcp", port)
    inside = box("/bin/true", config=stage(f"tcp://127.0.0.1:{port}", "kill = yes"))
    assert inside.wait() == 75
    inside.wait_line(f"tcp://127.0.0.1:{port} is held by a process outside this PID namespace")
    assert holder.poll() is None


def test_as_pid_1_any_process_is_ours(box, tmp_path):
    """Also one of another user, left by an earlier stage."""
    if os.geteuid() != 0:
        pytest.skip("needs root: a holder of another user")
    port = free_port()
    tmp_path.chmod(0o755)
    script = tmp_path / "holder.py"
    script.write_text(HOLDER)
    start = tmp_path / "start.sh"
    start.write_text(f"setsid {sys.executable} {script} tcp {port} plain >{tmp_path}/out &\n"
                     f"until [ -s {tmp_path}/out ]; do :; done\n")
    (tmp_path / "out").touch()
    (tmp_path / "out").chmod(0o666)
    run = f"[stage holder]\nrun = setpriv --reuid={NOBODY} --clear-groups -- sh {start}\n"
    inside = box("/bin/true", config=run + stage(f"tcp://127.0.0.1:{port}", "kill = yes"))
    assert inside.wait() == 0, inside.transcript()
    inside.wait_line(rf"Freeing tcp://127\.0\.0\.1:{port}: ended \d+")


def test_a_socket_that_no_one_answers_is_removed(run_config, tmp_path):  # noqa: F811
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(path))
        gone.listen()
    result = run_config(stage(f"unix:{path}"))
    assert result.returncode == 0, result.stderr
    assert f"Freeing unix:{path}: stale, removed" in result.stderr
    assert not path.exists()


@pytest.mark.parametrize("kind", ["unix", "bound"])
def test_a_socket_that_lives_stays(run_config, hold, tmp_path, kind):  # noqa: F811
    """Also one that is bound and does not listen yet: it refuses, as a stale one does."""
    path = tmp_path / "app.sock"
    holder = hold(kind, path)
    result = run_config(stage(f"unix:{path}"))
    assert result.returncode == 75
    assert f"unix:{path} is held by {holder.pid} (" in result.stderr
    assert path.exists() and holder.poll() is None
    result = run_config(stage(f"unix:{path}", "kill = yes"))
    assert result.returncode == 0, result.stderr
    assert not path.exists()
    assert holder.wait(10) == -signal.SIGTERM


def test_what_is_no_socket_stays(run_config, tmp_path):  # noqa: F811
    path = tmp_path / "data"
    path.write_text("precious")
    link = tmp_path / "link"
    target = tmp_path / "target.sock"
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(target))
    link.symlink_to(target)
    for place in (path, link):
        result = run_config(stage(f"unix:{place}", "kill = yes"))
        assert result.returncode == 75
        assert f"{place} is no socket: it stays" in result.stderr
    assert path.read_text() == "precious" and link.is_symlink() and target.exists()


def test_a_link_on_the_way_is_named_with_what_to_write(run_config, tmp_path):  # noqa: F811
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    result = run_config(stage(f"unix:{tmp_path}/link/app.sock"))
    assert result.returncode == 75
    assert f"a symbolic link is on the way: write {tmp_path}/real/app.sock" in result.stderr


def test_what_is_not_there_is_free(run_config, tmp_path):  # noqa: F811
    result = run_config(stage(f"unix:{tmp_path}/none pidfile:{tmp_path}/none "
                              f"pidfile:{tmp_path}/nowhere/x.pid"))
    assert result.returncode == 0
    assert result.stderr.count("it is free") == 3


def gone_pid():
    process = subprocess.Popen(["/bin/true"])
    process.wait()
    return process.pid


def test_a_pidfile_of_a_dead_process_is_removed(run_config, tmp_path):  # noqa: F811
    path = tmp_path / "app.pid"
    path.write_text(f"{gone_pid()}\n")
    result = run_config(stage(f"pidfile:{path}"))
    assert result.returncode == 0, result.stderr
    assert re.search(r"stale, removed \(no process \d+\)", result.stderr)
    assert not path.exists()


def test_a_pidfile_of_a_living_process_stays_even_with_kill(run_config, hold, tmp_path):  # noqa: F811
    holder = hold("tcp", free_port())
    path = tmp_path / "app.pid"
    path.write_text(str(holder.pid))
    result = run_config(stage(f"pidfile:{path}", "kill = yes"))
    assert result.returncode == 75
    assert f"pidfile:{path} names {holder.pid} (" in result.stderr
    assert path.exists() and holder.poll() is None


def test_gunicorns_pidfile_of_the_time_when_it_was_pid_1_is_removed(box, tmp_path):
    path = tmp_path / "gunicorn.pid"
    path.write_text("1\n")
    inside = box("/bin/true", config=stage(f"pidfile:{path}"))
    assert inside.wait() == 0, inside.transcript()
    assert "stale, removed (1 is freshinit)" in inside.transcript()
    assert not path.exists()


@pytest.mark.parametrize("text", ["", "precious data\n", "0", "-5", "99999999999", "12x"])
def test_a_file_that_holds_no_number_stays(run_config, tmp_path, text):  # noqa: F811
    path = tmp_path / "app.pid"
    path.write_text(text)
    result = run_config(stage(f"pidfile:{path}", "kill = yes"))
    assert result.returncode == 75
    assert f"{path} holds no process number: it stays" in result.stderr
    assert path.read_text() == text


@pytest.mark.parametrize("url, words", [
    ("tcp://web:8000", "is no address"),
    ("tcp://0.0.0.0", "needs a port"),
    ("http://127.0.0.1:8000", "can't be freed"),
    ("unix:/run/", "is a folder"),
    ("unix:run/x.sock", "absolute path"),
])
def test_what_can_not_be_freed_is_a_fault_of_the_configuration(run_config, url, words):  # noqa: F811
    result = run_config(stage(url))
    assert result.returncode == 78
    assert words in result.stderr
