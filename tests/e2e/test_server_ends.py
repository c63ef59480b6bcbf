"""What becomes of the servers themselves: told, replaced, stopped, amid other things."""

import os
import signal

import pytest

from servers import SLOW, free_port, site, until  # noqa: F401

HELD = "[server]\nlisten = unix:/run/app.sock\nready = 50ms\n"


@pytest.mark.parametrize("keys, number", [("", signal.SIGTERM),
                                          ("stop_signal = USR1\n", signal.SIGUSR1)])
def test_after_a_hand_over_the_old_server_is_told_to_stop(anywhere, helper, keys, number):
    """Also one that freshinit knows nothing of."""
    box = anywhere(helper("signals"), "--end", str(int(number)), "0", config=HELD + keys)
    box.wait_line("is ready", within=3)
    box.signal(signal.SIGHUP)
    box.wait_line(f"^got {int(number)}$")
    box.wait_line("^Reload done: generation 2")
    box.signal(signal.SIGTERM)
    assert box.wait() == 0


@pytest.mark.parametrize("keys, words", [
    ("kind = uvicorn\n", "the new server runs, but is not ready"),
    ("listen = unix:/run/app.sock\n", "the old server goes on")])
def test_a_reload_that_failed_says_what_serves(anywhere, helper, keys, words):
    box = anywhere(helper("signals"), config="[server]\nready = unix:/run/nobody.sock\n"
                                             "ready_timeout = 200ms\n" + keys)
    box.wait_line("not ready after")
    box.signal(signal.SIGHUP)
    assert box.wait_line("Reload failed: (.*)")[1] == words


def test_a_new_server_that_nobody_can_ask_is_not_taken_for_ready(box, helper, needs_root):
    """One process is missing for the probe: it comes after freshinit and both servers."""
    box = box(helper("signals"), config=HELD, uid=31338, gid=31338, limits={"nproc": 3})
    box.wait_line("is ready")
    box.signal(signal.SIGHUP)
    box.wait_line("Reload failed: the old server goes on")
    box.signal(signal.SIGUSR1)
    box.wait_line("^got 10$")
    box.signal(signal.SIGTERM)
    assert box.wait() == 0


def test_where_proc_does_not_tell_a_reload_comes_to_its_end(box, helper):
    box = box(helper("signals"), config="[server]\nkind = gunicorn\n", proc="none")
    box.wait_line("^ready")
    for number in (1, 2):
        box.signal(signal.SIGHUP)
        box.wait_line("^got 1$", count=number)
        box.wait_line("can't read /proc, so it can't be told", count=number)
        box.wait_line("^Reload done", count=number)


def test_the_terminal_comes_back_from_a_new_server_that_failed(anywhere, helper):
    box = anywhere(helper("signals"), tty=True, config="[server]\nlisten = unix:/run/app.sock\n"
                   "ready = unix:/run/nobody.sock\nready_timeout = 200ms\n")
    box.wait_line("not ready after")
    box.signal(signal.SIGHUP)
    box.wait_line("Reload failed")
    box.type(b"\x03")
    box.wait_line("got 2$")


def test_a_server_that_is_stopped_without_a_terminal_does_not_stop_us(box, helper):
    box = box(helper("signals"), as_child=True)
    server = box.host_pid(box.wait_line(r"^ready (\d+)$")[1])
    os.kill(server, signal.SIGSTOP)
    box.wait_process(lambda all: any(p["host_pid"] == server and p["state"] == "T" for p in all),
                     "the stop of the server")
    os.kill(server, signal.SIGCONT)
    box.signal(signal.SIGWINCH)
    box.wait_line(f"^got {int(signal.SIGWINCH)}$")
    box.signal(signal.SIGTERM)
    assert box.wait() == 0


def children(box, parent):
    return [p for p in box.processes() if p["parent"] == parent]


def test_a_stop_amid_gunicorns_own_replacement_is_prompt(site):
    site.start("gunicorn", holds=False)
    old = children(site.box, site.box.pid)[0]["host_pid"]
    site.box.signal(signal.SIGUSR2)
    until(lambda: any(children(site.box, p["host_pid"]) for p in children(site.box, old)),
          "the workers of the new master", SLOW, site.box)
    site.box.signal(signal.SIGTERM)
    assert site.box.wait(SLOW) == 0
    assert not any("killed" in line or "Killing" in line for line in site.box.err)


ANSWERS = """
import os, socket, sys
listener = socket.socket(fileno=3)
while True:
    connection, _ = listener.accept()
    words = b""
    while part := connection.recv(65536):
        words += part
        if sys.argv[1] != "never" and words.endswith(b"\\r\\n\\r\\n"):
            os.write(1, words)
            connection.sendall(b"HTTP/1.1 503 Busy\\r\\nContent-Length: 0\\r\\n\\r\\n")
            break
    connection.close()
"""


@pytest.mark.parametrize("answers, why", [("busy", "it answers with status 503"), ("never", "no answer in time")])
def test_why_a_server_is_not_ready_is_told_without_the_password(answers, why, box, tmp_path):
    port = free_port()
    program = tmp_path / "answers.py"
    program.write_text(ANSWERS)
    one = box(config=f"""
[server]
listen = 127.0.0.1:{port}
ready = http://u:hunter2@127.0.0.1:{port}/x?y=hunter2
ready_timeout = 1s
command = /usr/bin/python3 {program} {answers}
""")
    one.wait_line(rf"not ready after 1 s \(ready_timeout\): http://\*\*\*@127.0.0.1:{port}/x\?\*\*\*: .*{why}")
    if answers == "busy":
        one.wait_line(rf"^Host: 127.0.0.1:{port}")
        one.wait_line("^Authorization: Basic dTpodW50ZXIy")
    assert not [line for line in one.err if "hunter2" in line]


@pytest.mark.usefixtures("needs_root")
def test_what_is_asked_blindly_has_time_to_answer(box, helper, tmp_path):
    """Its rest alone is longer than ready_timeout. A process with capabilities is hidden from the probe."""
    port = free_port()
    tmp_path.chmod(0o755)
    program = tmp_path / "answers.py"
    program.write_text(ANSWERS.replace("503 Busy", "200 OK"))
    one = box(config=f"""
[server]
user = 65534
capabilities = net_bind_service
listen = 127.0.0.1:{port}
ready = http://127.0.0.1:{port}/
ready_timeout = 2s
command = /usr/bin/python3 {program} ok
""")
    one.wait_line("who answers at .* can't be told", within=10)
    one.wait_line("is ready after", within=10)
