"""What users meet, and what four inits do there. test_peers.py proves each cell of this table."""

import json
import signal
from dataclasses import dataclass
from typing import Callable

NAMES = ("tini", "dumb-init", "catatonit", "freshinit")
# A race: lost as a rule, kept at times, so either is what the cell says.
# What depends on who is faster: each name, and what may be seen.
RACES = {"can be lost": ("yes", "no"), "can hang": ("hangs", "3")}
# For what must not come: long enough to be seen, short enough to be run.
SOON = 1.5


@dataclass
class Stand:
    """Where a row is looked at: a way to start the init with a command, and the helpers."""

    start: Callable
    helper: Callable
    name: str
    patience: float  # short where nothing is expected to come

    def shell(self, text, **options):
        return self.start("/bin/sh", "-c", text, **options)


@dataclass
class Row:
    title: str
    look: Callable
    seen: tuple  # in the order of NAMES


def comes(action):
    try:
        action()
    except AssertionError:
        return False
    return True


def yes(truth):
    return "yes" if truth else "no"


def daemon_is_told(stand):
    box = stand.shell(f"{stand.helper('stray')} --name daemon; exit 0")
    box.wait()
    return yes("daemon got 15" in box.out)


def background_process_finishes(stand):
    box = stand.shell(f"{stand.helper('stray')} --name worker --same-session --slow; exit 0")
    box.wait()
    return "finishes" if "worker finished 0" in box.out else "is cut off"


def leftover_is_named(stand):
    box = stand.shell(f"{stand.helper('stray')} --name forgotten; exit 0")
    box.wait()
    return yes(any("forgotten" in line for line in box.err))


def stopped_server_ends(stand):
    box = stand.start(stand.helper("end"), "stop")
    box.wait_process(lambda all_: [p for p in all_ if p["state"] == "T"], "the stopped server")
    box.signal(signal.SIGTERM)
    return yes(comes(lambda: box.wait_status(stand.patience)))


def stop_has_an_end(stand):
    options = ("--stop-timeout", "1s") if stand.name == "freshinit" else ()
    box = stand.start(stand.helper("signals"), "--end", "0", "0", init_options=options)
    box.wait_line("^ready")
    box.signal(signal.SIGTERM)
    return yes(comes(lambda: box.wait_status(stand.patience)))


def nothing_survives_when_not_pid_1(stand):
    box = stand.shell(f"{stand.helper('stray')} --name survivor; exit 0", as_child=True)
    box.wait()
    return yes(box.left() == [])


def orphans_are_reaped_when_not_pid_1(stand):
    box = stand.start(stand.helper("orphans"), "20", as_child=True)
    box.wait_line("^orphaned 20")
    box.wait_process(lambda found: sum(p["name"] == "orphans" for p in found) == 1,
                     "the end of the orphans")
    box.signal(signal.SIGTERM)
    box.wait()
    return yes(not any(line.startswith("adopted") for line in box.lines("told")))


def status_after_signal(stand):
    return str(stand.start(stand.helper("end"), "signal", "9").wait())


def status_of_missing_command(stand):
    return str(stand.start("/nowhere/at-all").wait())


def status_of_directory(stand):
    return str(stand.start("/etc").wait())


def hangup_goes_to_main_process_only(stand):
    box = stand.start(stand.helper("signals"), "--group", "1")
    box.wait_line("^ready")
    box.wait_line("^member ready")
    box.signal(signal.SIGHUP)
    box.wait_line(r"^got 1$")
    # The member is another process, and may be the slower one.
    return "every worker too" if comes(lambda: box.wait_line("^member got 1$", SOON)) else "main process"


def is_forwarded(stand, number):
    box = stand.start(stand.helper("signals"))
    box.wait_line("^ready")
    box.signal(number)
    return yes(comes(lambda: box.wait_line(f"^got {int(number)}$", stand.patience)))


def realtime_is_forwarded(stand):
    return is_forwarded(stand, signal.SIGRTMIN + 3)


def bus_is_forwarded(stand):
    return is_forwarded(stand, signal.SIGBUS)


def status_with_child_signal_ignored(stand):
    box = stand.start(stand.helper("end"), "exit", "3", ignore=[signal.SIGCHLD])
    return str(box.wait()) if comes(lambda: box.wait_status(stand.patience)) else "hangs"


def mask_is_clean(stand):
    box = stand.start(stand.helper("report"), block_all=True)
    box.wait()
    return yes(json.loads(box.out[0])["blocked"] == [])


def dispositions_are_clean(stand):
    box = stand.start(stand.helper("report"), ignore=[signal.SIGHUP, signal.SIGPIPE])
    box.wait()
    return yes(json.loads(box.out[0])["not_default"] == [])


def flood_is_reaped(stand):
    box = stand.start(stand.helper("orphans"), "10000")
    box.wait_line("^orphaned 10000")
    box.wait_process(lambda all_: len(all_) == 2, "an end of the zombies")
    return "none left"


def wakeups(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return int(next(line.split()[1] for line in file if line.startswith("voluntary_ctxt")))


def idle_wakeups(stand):
    box = stand.start(stand.helper("signals"))
    box.wait_line("^ready")
    box.wait_rest()
    before = wakeups(box.pid)
    comes(lambda: box.wait_status(2.5))
    return "none" if wakeups(box.pid) == before else "every second"


def server_owns_terminal(stand):
    box = stand.start(stand.helper("report"), tty=True)
    box.wait()
    report = json.loads(next(line for line in box.out if line.startswith("{")))
    return yes(report["foreground"] == report["pgid"])


def suspends_with_its_server(stand):
    box = stand.start(stand.helper("signals"), tty=True, as_child=True)
    box.wait_line("^ready")
    box.type(b"\x1a")
    if not comes(lambda: box.wait_told("^stopped", stand.patience)):
        return "no"
    box.bring_to_front()
    return yes(comes(lambda: box.wait_told("^continued", stand.patience)) and
               comes(lambda: box.wait_process(lambda all_: not [p for p in all_ if p["state"] == "T"],
                                              "a resumed server", stand.patience)))


def early_stop_is_kept(stand):
    box = stand.start(stand.helper("signals"), pending=[signal.SIGTERM])
    return yes(comes(lambda: box.wait_status(stand.patience)))


ROWS = [
    Row("A daemon that the server leaves behind is told (TERM) before it is killed", daemon_is_told,
        ("no", "no", "no", "yes")),
    Row("A worker that is still busy when the server has ended", background_process_finishes,
        ("is cut off", "is cut off", "is cut off", "finishes")),
    Row("What was left behind is named in the log", leftover_is_named, ("no", "no", "no", "yes")),
    Row("A server that is stopped (SIGSTOP) ends at `docker stop`", stopped_server_ends,
        ("no", "no", "no", "yes")),
    Row("A stop that the server ignores has an end", stop_has_an_end, ("no", "no", "no", "yes")),
    Row("Not PID 1: nothing survives the server", nothing_survives_when_not_pid_1,
        ("no", "no", "no", "yes")),
    Row("Not PID 1: orphans are reaped", orphans_are_reaped_when_not_pid_1,
        ("no", "no", "yes", "yes")),
    Row("Exit status when signal 9 ended the server", status_after_signal,
        ("137", "137", "137", "137")),
    Row("Exit status of a command that is not there", status_of_missing_command,
        ("127", "2", "1", "127")),
    Row("Exit status of a command that is a directory", status_of_directory,
        ("126", "2", "1", "126")),
    Row("HUP (gunicorn's reload) reaches", hangup_goes_to_main_process_only,
        ("main process", "every worker too", "main process", "main process")),
    Row("A realtime signal is passed on", realtime_is_forwarded, ("yes", "yes", "yes", "yes")),
    Row("SIGBUS sent from outside is passed on", bus_is_forwarded, ("no", "yes", "no", "yes")),
    Row("A stop sent before the first instruction is kept", early_stop_is_kept,
        ("yes", "can be lost", "yes", "yes")),
    Row("Exit status 3, started with SIGCHLD ignored", status_with_child_signal_ignored,
        ("hangs", "3", "can hang", "3")),
    Row("The server's signals are unblocked, whatever the parent blocked", mask_is_clean,
        ("no", "yes", "no", "yes")),
    Row("The server's signals are at their defaults, whatever the parent ignored",
        dispositions_are_clean, ("no", "yes", "no", "yes")),
    Row("Zombies after a flood of 10,000 orphans", flood_is_reaped,
        ("none left", "none left", "none left", "none left")),
    Row("Wake-ups while idle", idle_wakeups, ("every second", "none", "none", "none")),
    Row("On a terminal the server is in the foreground", server_owns_terminal,
        ("yes", "yes", "yes", "yes")),
    Row("Not PID 1: Ctrl-Z suspends both, `fg` resumes both", suspends_with_its_server,
        ("no", "yes", "no", "yes")),
]


def table():
    """The rows as Markdown."""
    lines = ["| | " + " | ".join(NAMES) + " |", "|---" * (len(NAMES) + 1) + "|"]
    for row in ROWS:
        lines.append(f"| {row.title} | " + " | ".join(row.seen) + " |")
    return "\n".join(lines)
