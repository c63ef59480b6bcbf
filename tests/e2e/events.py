"""What happens to a server, and what was seen: each function plays one event and returns the words of
its cell. SEEN and PEERS are the two tables of the README; test_servers_matrix.py proves each cell."""

import os
import re
import signal
import time
from dataclasses import dataclass
from typing import Callable

from servers import SERVERS, SLOW, until

# For what must not come: long enough to be seen, short enough to be run.
SOON = 4.0
# hypercorn ends all workers as soon as the first one has ended, under any init.
CUT = "can be cut off"
NAMES = ("bare", "tini", "dumb-init", "freshinit")
INITS = {"bare": (), "tini": ("/usr/bin/tini", "--"), "dumb-init": ("/usr/bin/dumb-init", "--")}


def main_pid(site):
    """The server's main process, as this test sees it."""
    pids = re.findall(r"^(?:Starting .*\(pid|.* going on with pid) (\d+)", "\n".join(site.box.err), re.M)
    if not pids:
        return site.box.pid if not site.init else child_of(site, site.box.pid)
    return site.box.host_pid(pids[-1])


def children(site, parent):
    return [p for p in site.box.processes() if p["parent"] == parent and p["state"] != "Z"]


def child_of(site, parent):
    return until(lambda: children(site, parent), "the server", box=site.box)[0]["host_pid"]


def has_ended(site):
    return any(line.startswith("status ") for line in site.box.lines("told"))


def ends_within(site, seconds):
    try:
        site.box.wait_told(r"^status ", seconds)
    except AssertionError:
        return False
    return True


# --- What is played with each server below freshinit ------------------------------------------------

def stop(site, name):
    """A stop while requests are under way that fit the grace time."""
    site.start(name)
    is_sync = name.startswith("gunicorn") and not ("threads" in name or "asgi" in name)
    count = 2 if is_sync else 6
    requests = [site.ask_later("/slow/1") for _ in range(count)]
    site.box.wait_line(r"^slow ", SLOW, count=count)
    site.box.signal(signal.SIGTERM)
    site.box.wait(SLOW)
    for request in requests:
        request.join(SLOW)
    lost = sum(not isinstance(request.result, tuple) for request in requests)
    return "all answered" if lost == 0 else CUT


def reload_with_load(site, count):
    """How many requests failed in so many reloads; answers of old code after one are a failure."""
    with site.load() as load:
        for number in range(2, count + 2):
            site.reload(f"r{number}", number - 1)
            done = time.monotonic()
            site.wait_page(f"r{number}")
            load.wait_answers(8)
            late = {answer.release for answer in load.after(done)} - {f"r{number}"}
            assert not late, f"answers of {late} after reload {number - 1} was done"
        load.stop()
    return load.failures


def handover(site, name, count=3):
    if not SERVERS[name].takes_listen:
        return "-"
    site.start(name)
    failures = reload_with_load(site, count)
    return "none refused" if not failures else f"refused: {failures[:5]}"


def reload_alone(site, name, count=2):
    """Without `listen`: the server binds by itself."""
    site.start(name, holds=False, keys=f"ready = http://127.0.0.1:{site.port}/\n")
    failures = reload_with_load(site, count)
    return "none refused" if not failures else "refused meanwhile"


def broken_code(site, name):
    """The new release can't be imported."""
    site.start(name, keys="" if SERVERS[name].takes_listen else
               f"ready = http://127.0.0.1:{site.port}/\n", timeout="6s")
    site.set_release("broken")
    site.box.signal(signal.SIGHUP)
    until(lambda: has_ended(site) or any("Reload failed" in line for line in site.box.err),
          "the end of the reload", SLOW, site.box)
    page = None if has_ended(site) else site.page()
    return "the old one goes on" if page and page[0] == "r1" else "the container ends"


def master_killed(site, name):
    """Its workers are ended too, and the status is the master's; not as PID 1, where none else would."""
    site.start(name, as_child=True)
    os.kill(main_pid(site), signal.SIGKILL)
    status = site.box.wait(SLOW)
    assert status == 137, site.box.transcript()
    return f"{', '.join(site.box.left())} left" if site.box.left() else "workers ended"


def stuck_worker(site, name):
    """A worker that will not end by itself is of the old code, and must go."""
    keys = "stale_worker_timeout = 2s\nstop_timeout = 3s\n"
    more = ("--timeout", "0") if name.startswith("gunicorn") else ()
    holds = not name.startswith("gunicorn")
    if not SERVERS[name].takes_listen or not holds:
        keys += f"ready = http://127.0.0.1:{site.port}/\n"
    site.start(name, *more, holds=holds, keys=keys)
    site.ask_later("/stuck")
    inside = int(site.box.wait_line(r"^stuck (\d+)", SLOW)[1])
    site.reload("r2", 1)
    assert site.wait_page("r2")
    # It was killed; the kernel may need a moment.
    until(lambda: not any(p["pid"] == inside for p in site.workers()), "its end", SOON, site.box)
    return "ended"


def replaced(site, name):
    """USR2, then the old master is told to quit."""
    if not name.startswith("gunicorn"):
        return "-"
    site.start(name, holds=False)
    seen = re_exec(site)
    return "followed" if seen == "goes on" else seen


def re_exec(site):
    """gunicorn's own hand-over, in the three steps of its manual."""
    old = main_pid(site)
    site.set_release("r2")
    site.box.signal(signal.SIGUSR2)
    until(lambda: any(children(site, p["host_pid"]) for p in children(site, old)),
          "the workers of the new master", SLOW, site.box)
    os.kill(old, signal.SIGTERM)
    until(lambda: not os.path.exists(f"/proc/{old}"), "the end of the old master", SLOW)
    if ends_within(site, 1.0):
        return "container ends"
    return "goes on" if site.wait_page("r2") else "is lost"


@dataclass(frozen=True)
class Event:
    title: str
    play: Callable


EVENTS = {
    "stop": Event("stop under load", stop),
    "handover": Event("reload, `listen`", handover),
    "reload": Event("reload, no `listen`", reload_alone),
    "broken": Event("broken new code", broken_code),
    "killed": Event("master killed", master_killed),
    "stuck": Event("stuck worker at a reload", stuck_worker),
    "usr2": Event("USR2", replaced),
}


# --- The same under the other inits -----------------------------------------------------------------

def preload_keeps_code(stand):
    site = stand.run("gunicorn-preload")
    before = site.page()[1]
    site.set_release("r2")
    site.box.signal(signal.SIGHUP)
    until(lambda: (page := site.try_page()) and page[1] != before and page, "a new worker", SLOW)
    if stand.name == "freshinit":
        site.box.wait_line(r"^Reload done", SLOW)
    return "new" if site.wait_page()[0] == "r2" else "old"


def stuck_worker_stays(stand):
    site = stand.run("gunicorn", "--timeout", "0", keys="stale_worker_timeout = 2s\n")
    site.ask_later("/stuck")
    inside = int(site.box.wait_line(r"^stuck (\d+)", SLOW)[1])
    site.set_release("r2")
    site.box.signal(signal.SIGHUP)

    def is_gone(processes):
        return not any(p["pid"] == inside for p in processes)

    try:
        site.box.wait_process(is_gone, "the end of the old worker", stand.patience)
    except AssertionError:
        return "stays"
    # dumb-init sends HUP to the workers as well, which die of it in the midst of their requests.
    return "ended" if stand.name != "dumb-init" else "ended, as all are"


def broken_code_ends_it(stand):
    site = stand.run("gunicorn", listens=True)
    site.set_release("broken")
    site.box.signal(signal.SIGHUP)
    until(lambda: has_ended(site) or any("Reload failed" in line for line in site.box.err),
          "the end of the reload", SLOW, site.box)
    return "container ends" if has_ended(site) else "old one goes on"


def hangup_of_uvicorn(stand):
    site = stand.run("uvicorn", listens=True)
    site.set_release("r2")
    site.box.signal(signal.SIGHUP)
    try:
        until(lambda: has_ended(site) or (page := site.try_page()) and page[0] == "r2",
              "a reload or the end", stand.patience, site.box)
    except AssertionError:
        return "is ignored"
    return "container ends" if has_ended(site) else "new code"


def orphans_serve(stand, name):
    site = stand.run(name, as_child=True)
    pid = main_pid(site)
    os.kill(pid, signal.SIGKILL)
    site.box.wait_told(r"^status ", SLOW)
    return "go on serving" if site.box.left() else "ended"


def uvicorn_orphans(stand):
    return orphans_serve(stand, "uvicorn-workers")


def gunicorn_orphans(stand):
    return orphans_serve(stand, "gunicorn-asgi")


def usr2(stand):
    return re_exec(stand.run("gunicorn"))


def interrupt(stand):
    """gunicorn, UvicornWorker: Ctrl-C, or a platform that stops with INT."""
    site = stand.run("gunicorn-asgi")
    site.box.signal(signal.SIGINT)
    return "at once" if ends_within(site, stand.patience) else "hangs"


def stuck_stop(stand):
    site = stand.run("uvicorn-workers", keys="stop_timeout = 2s\n")
    site.ask_later("/stuck")
    site.box.wait_line(r"^stuck ", SLOW)
    site.box.signal(signal.SIGTERM)
    return "has an end" if ends_within(site, stand.patience) else "until KILL"


@dataclass(frozen=True)
class Row:
    title: str
    look: Callable
    seen: tuple  # in the order of NAMES


ROWS = [
    Row("gunicorn --preload: code after HUP", preload_keeps_code, ("old", "old", "old", "new")),
    Row("gunicorn --timeout 0: a stuck worker of before a HUP", stuck_worker_stays,
        ("stays", "stays", "ended, as all are", "ended")),
    Row("gunicorn: HUP, and the new code is broken", broken_code_ends_it,
        ("container ends", "container ends", "container ends", "old one goes on")),
    Row("uvicorn: HUP", hangup_of_uvicorn,
        ("is ignored", "container ends", "container ends", "new code")),
    Row("uvicorn --workers: the master is killed (not PID 1), its workers", uvicorn_orphans,
        ("go on serving", "go on serving", "go on serving", "ended")),
    Row("gunicorn, UvicornWorker: the same", gunicorn_orphans,
        ("go on serving", "go on serving", "go on serving", "ended")),
    Row("gunicorn: USR2, then the old master quits", usr2,
        ("container ends", "container ends", "container ends", "goes on")),
    Row("gunicorn, UvicornWorker: a stop by INT", interrupt, ("hangs", "hangs", "at once", "at once")),
    Row("uvicorn --workers: a stop while a worker is stuck", stuck_stop,
        ("until KILL", "until KILL", "until KILL", "has an end")),
]


class Stand:
    """Where a row of peers is looked at."""

    def __init__(self, site, name, patience):
        self.site, self.name, self.patience = site, name, patience

    def run(self, server, *more, keys="", listens=False, **options):
        """Below that init; listens=True: freshinit may hold the socket, which no other can."""
        if self.name == "freshinit":
            if not listens:
                keys += f"ready = http://127.0.0.1:{self.site.port}/\n"
            self.site.start(server, *more, keys=keys, holds=listens, **options)
        else:
            words = self.site.command(SERVERS[server], *more, holds=False)
            self.site.init = self.name != "bare"
            self.site.run(*INITS[self.name], *words, loads=SERVERS[server].loads, **options)
        return self.site


# --- The tables -------------------------------------------------------------------------------------

USUAL = ("all answered", "none refused", "refused meanwhile", "the old one goes on", "workers ended",
         "ended", "-")
GUNICORN = ("all answered", "none refused", "none refused", "the old one goes on", "workers ended",
            "ended", "followed")
SEEN = {name: GUNICORN if name.startswith("gunicorn") else USUAL for name in SERVERS}
SEEN["gunicorn-preload"] = (*GUNICORN[:2], "refused meanwhile", *GUNICORN[3:])
SEEN["hypercorn"] = (CUT, *USUAL[1:])
SEEN["granian"] = ("all answered", "-", "refused meanwhile", "the container ends", "workers ended",
                   "ended", "-")


def lines_of(head, rows):
    return ["| | " + " | ".join(head) + " |", "|---" * (len(head) + 1) + "|",
            *(f"| {title} | " + " | ".join(cells) + " |" for title, cells in rows)]


def table():
    """Both tables as Markdown."""
    matrix = lines_of([event.title for event in EVENTS.values()],
                      [(SERVERS[name].name, seen) for name, seen in SEEN.items()])
    beside = lines_of(NAMES, [(row.title, row.seen) for row in ROWS])
    return "\n".join([*matrix, "", "The same events under other inits:", "", *beside])
