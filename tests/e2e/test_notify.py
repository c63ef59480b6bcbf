"""ready = notify: the server itself says when it is ready, and nobody else can."""

import signal
import socket

import pytest

from servers import SLOW, site  # noqa: F401

# Says where it may notify, waits to be told to, and goes on talking, which must not stop it.
NOTIFIER = r'''#!/usr/bin/python3 -SE
import os, signal, socket
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
name = os.environ["NOTIFY_SOCKET"]
print("notify", name, flush=True)
talk = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
talk.connect("\0" + name[1:])
if not os.path.exists("go"):
    signal.sigwait([signal.SIGUSR1])
is_child = os.environ.get("BY") == "child"
if not is_child or os.fork() == 0:
    talk.send(b"STATUS=as good as ready\nREADY=1\n")
    while is_child:
        signal.pause()
signal.sigwait([signal.SIGUSR1])
refused = 0
for _ in range(1000):
    try:
        talk.send(b"WATCHDOG=1")
    except OSError:
        refused += 1
print("refused", refused, flush=True)
while True:
    signal.pause()
'''


@pytest.fixture
def notifier(site):  # noqa: F811
    """notifier(keys): a running server that has not said anything yet, and its name for that."""
    program = site.folder / "server"
    program.write_text(NOTIFIER, encoding="utf-8")
    program.chmod(0o755)

    def start(keys="", by=""):
        path = site.folder / "freshinit.ini"
        path.write_text(f"[env]\nBY = {by}\n[server]\nready = notify\n{keys}", encoding="utf-8")
        path.chmod(0o644)
        box = site.run_box(site.freshinit, "--config", str(path), "--", str(program), env=site.environment())
        return box, box.wait_line(r"^notify (@\w+)$", SLOW)

    return start


@pytest.mark.parametrize("by", ["main process", "child"])
def test_it_is_ready_when_it_says_so_and_may_talk_on(notifier, by):
    box, _ = notifier(by=by)
    assert not [line for line in box.err if "is ready" in line]
    box.signal(signal.SIGUSR1)
    box.wait_line("server is ready after", SLOW)
    box.signal(signal.SIGUSR1)
    box.wait_line("^refused 1000$", SLOW)


def test_what_someone_else_says_does_not_count(notifier):
    box, name = notifier("ready_timeout = 1s\n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"READY=1", "\0" + name[1][1:])
    box.wait_line(r"not ready after 1 s \(ready_timeout\): notify: no process of the server has sent READY=1", SLOW)
    assert not [line for line in box.err if "is ready" in line]


def test_a_hand_over_waits_for_the_word_of_the_new_server(notifier, site):  # noqa: F811
    box, first = notifier(f"listen = 127.0.0.1:{site.port}\nreload = handover\n")
    box.signal(signal.SIGUSR1)
    box.wait_line("server is ready after", SLOW)
    (site.folder / "go").touch()
    box.signal(signal.SIGHUP)
    box.wait_line("^Reload done: generation 2", SLOW)
    second = box.wait_line(r"^notify (@\w+)$", SLOW, count=2)
    assert second[1] != first[1]
