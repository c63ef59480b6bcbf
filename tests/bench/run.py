#!/usr/bin/python3
"""freshinit beside tini, dumb-init and catatonit: what an init costs. `run.py --help`."""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from boxes import Box  # noqa: E402
from conftest import CLEAN_ENVIRONMENT, HELPERS, PEERS, build_helpers, find_freshinit  # noqa: E402

HERE = ROOT / "tests" / "bench"
BUILT = ROOT / "build" / "bench"
# Ten sections, as someone might have them; --no-stages keeps them from being run.
CONFIG = """\
[freshinit]
release = ${GIT_COMMIT_HASH:-3f2a9c1}
[env]
PYTHONDONTWRITEBYTECODE = 1
CACHE_VERSION = ${FRESHINIT_RELEASE}
[stage bytecode]
clear = bytecode
in = /srv/app
[stage templates]
touch = *.html *.jinja2
in = /srv/app/templates
[stage jinja]
clear = jinja
in = /srv/cache
[stage cache]
flush = memcached://127.0.0.1:11211
all = yes
[stage redis]
flush = redis://127.0.0.1:6379/1
keys = app:cache:*
[stage db]
wait = postgres://db:5432
timeout = 30s
[stage migrate]
run = true
once = change
in = /srv/app
[server]
umask = 027
stop_timeout = 20s
"""
FIGURES = [
    # key, title, unit, digits
    ("size", "size", "KB", 0),
    ("start", "start-up, plain", "us", 0),
    ("start_pid1", "start-up, PID 1", "us", 0),
    ("calls", "calls before the child's exec", "", 0),
    ("pss", "idle PSS", "KB", 0),
    ("dirty", "private dirty", "KB", 0),
    ("signal", "signal delay", "us", 1),
    ("exit", "exit delay, plain", "us", 0),
    ("exit_pid1", "exit delay, PID 1", "us", 0),
    ("wakeups", "wake-ups, 10 s idle", "", 0),
    ("reap", "CPU for each orphan", "us", 2),
    ("reap_linear", "the same, 10 x as many: ratio", "x", 2),
]


def build():
    BUILT.mkdir(parents=True, exist_ok=True)
    small = shutil.which("musl-gcc") or "cc"
    for name, compiler in {"floor": small, "stamp": small, "measure": "cc"}.items():
        subprocess.run([compiler, "-static", "-Os", "-s", "-std=c11", "-D_GNU_SOURCE", "-Wall",
                        "-Wextra", "-Wl,--gc-sections", "-o", BUILT / name, HERE / f"{name}.c"],
                       check=True)
    build_helpers()
    # Pages of a binary that was just linked would count as its private dirty memory.
    os.sync()


def candidates(config, peers_only):
    """name -> its command line up to the child's."""
    found = {"floor": [str(BUILT / "floor")]}
    for name, path in PEERS.items():
        if os.access(path, os.X_OK):
            # -s keeps tini from writing its warning where it is not PID 1.
            found[name] = [path, "-s", "--"] if name.startswith("tini") else [path, "--"]
    if not peers_only:
        found["freshinit"] = [str(find_freshinit()), "--config", config, "--no-stages", "--"]
    return found


def measure(what, rounds, how, commands):
    words = [str(BUILT / "measure"), what, str(rounds), how]
    for command in commands:
        words += ["---", *command]
    result = subprocess.run(words, check=True, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, env=CLEAN_ENVIRONMENT)
    samples = [[] for _ in commands]
    for line in result.stdout.split(b"\n")[:-1]:
        index, *values = map(int, line.split())
        samples[index].append(values)
    return samples


def median_us(samples, column):
    return statistics.median(values[column] for values in samples) / 1000


def measure_start(inits, rounds, figures):
    stamp = [str(BUILT / "stamp")]
    commands = [stamp] + [command + stamp for command in inits.values()]
    for how, suffix in (("plain", ""), ("pid1", "_pid1")):
        bare, *rest = measure("start", rounds, how, commands)
        for name, samples in zip(inits, rest):
            figures[name]["start" + suffix] = median_us(samples, 0) - median_us(bare, 0)
            figures[name]["exit" + suffix] = median_us(samples, 1) - median_us(bare, 1)


@contextlib.contextmanager
def cpu_cgroup():
    """The cgroup.procs of a fresh cpu cgroup, or "-" where none can be made."""
    for root in ("/sys/fs/cgroup/cpu", "/sys/fs/cgroup"):
        path = pathlib.Path(root, f"freshinit-bench-{os.getpid()}")
        try:
            path.mkdir()
        except OSError:
            continue
        try:
            yield str(path / "cgroup.procs")
        finally:
            path.rmdir()
        return
    yield "-"


def measure_signal(inits, rounds, figures):
    # Started anew ten times: on which CPU a process came to live matters more than what it is.
    commands = [command + [str(BUILT / "stamp"), "stay"] for command in inits.values()]
    with cpu_cgroup() as procs:
        parts = [measure("signal", rounds // 10, procs, commands) for _ in range(10)]
    for index, name in enumerate(inits):
        figures[name]["signal"] = median_us([value for part in parts for value in part[index]], 0)
    return procs != "-"


def count_calls(command):
    """System calls of all processes after the first exec, up to and with the child's."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8", errors="replace") as trace:
        subprocess.run(["strace", "-f", "-o", trace.name, *command, str(BUILT / "stamp")], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=CLEAN_ENVIRONMENT)
        count = 0
        for line in trace.read().split("\n")[1:]:
            if re.search(r"^\d+ +(\w+\(|<\.\.\. vfork)", line):
                count += 1
            if "execve(" in line and "bench/stamp" in line and "ENOENT" not in line:
                break
    return count


def status_number(path, key):
    with open(path, encoding="ascii", errors="replace") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(key))


def run_box(words, options=()):
    box = Box(words, list(options), CLEAN_ENVIRONMENT, helper=str(HELPERS / "box"))
    box.wait_started()
    return box


def measure_idle(inits, seconds, figures):
    boxes = {name: run_box(command + [str(HELPERS / "signals")]) for name, command in inits.items()}
    try:
        for box in boxes.values():
            box.wait_line("^ready")
            box.wait_rest()
        status = {name: f"/proc/{box.pid}/status" for name, box in boxes.items()}
        before = {name: status_number(path, "voluntary_ctxt") for name, path in status.items()}
        signal.sigtimedwait([], seconds)
        for name, box in boxes.items():
            after = status_number(status[name], "voluntary_ctxt")
            figures[name]["wakeups"] = (after - before[name]) * 10 / seconds
            figures[name]["pss"] = status_number(f"/proc/{box.pid}/smaps_rollup", "Pss:")
            figures[name]["dirty"] = status_number(f"/proc/{box.pid}/smaps_rollup", "Private_Dirty:")
    finally:
        for box in boxes.values():
            box.close()


def cpu_us(pid):
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0]) / 1000


def reap_us(command, count):
    """CPU time of the init for each of count orphans, come in bursts of 500."""
    box = run_box(command + [str(HELPERS / "orphans"), str(count)])
    try:
        box.wait_line(f"^orphaned {count}", within=300)
        box.wait_process(lambda all_: len(all_) == 2, "an end of the zombies", within=60)
        return cpu_us(box.pid) / count
    finally:
        box.close()


def measure_reaping(inits, few, many, figures):
    for name, command in inits.items():
        figures[name]["reap"] = statistics.median(reap_us(command, few) for _ in range(3))
        if many:
            figures[name]["reap_linear"] = reap_us(command, many) / figures[name]["reap"]


def goals(figures):
    """(text, is met) for each goal that these figures can show."""
    own, tini = figures.get("freshinit"), figures.get("tini-static")
    if not own or not tini:
        return []
    peers = [value for name, value in figures.items() if name in PEERS]
    found = [
        ("size <= 180 KB", own["size"] <= 180),
        ("start-up, plain, <= 0.6 x tini-static", own["start"] <= 0.6 * tini["start"]),
        ("start-up, PID 1, <= 0.6 x tini-static", own["start_pid1"] <= 0.6 * tini["start_pid1"]),
        ("idle PSS <= 200 KB", own["pss"] <= 200),
        ("private dirty <= 64 KB", own["dirty"] <= 64),
        ("signal delay at parity (<= 1.1 x tini-static)", own["signal"] <= 1.1 * tini["signal"]),
        ("exit delay, plain, <= 1.0 x tini-static", own["exit"] <= tini["exit"]),
        ("exit delay, PID 1, <= 1.0 x tini-static", own["exit_pid1"] <= tini["exit_pid1"]),
        ("no wake-ups while idle", own["wakeups"] == 0),
        ("CPU for each orphan <= the best peer's (10.4 us)",
         own["reap"] <= max(10.4, min(peer["reap"] for peer in peers))),
    ]
    if "reap_linear" in own:
        found.append(("reaping is linear (<= 1.15 x for each of 100,000)", own["reap_linear"] <= 1.15))
    return found


def show(figures):
    base = figures.get("tini-static", {})
    names = list(figures)
    print(f"{'':32}" + "".join(f"{name:>17}" for name in names))
    for key, title, unit, digits in FIGURES:
        if not any(key in figures[name] for name in names):
            continue
        cells = []
        for name in names:
            value = figures[name].get(key)
            ratio = f" {value / base[key]:4.2f}x" if value is not None and base.get(key) else ""
            cells.append("-" if value is None else f"{value:.{digits}f}{ratio}")
        print(f"{title + (', ' + unit if unit else ''):32}" + "".join(f"{cell:>17}" for cell in cells))
    print("\n(medians; bare exec subtracted from start-up and exit; ratios to tini-static)")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--long", action="store_true", help="more rounds, and 100,000 orphans")
    options.add_argument("--peers-only", action="store_true", help="without freshinit")
    options.add_argument("--json", metavar="FILE", help="the figures for machines ('-': stdout)")
    options.add_argument("--check", action="store_true", help="exit 1 when a goal is not met")
    chosen = options.parse_args()
    if os.geteuid() != 0:
        sys.exit("run.py: needs root, for namespaces and a cgroup")

    build()
    with tempfile.NamedTemporaryFile("w", suffix=".ini", encoding="ascii") as config:
        config.write(CONFIG)
        config.flush()
        inits = candidates(config.name, chosen.peers_only)
        figures = {name: {"size": os.path.getsize(command[0]) / 1024}
                   for name, command in inits.items()}
        measure_start(inits, 1000 if chosen.long else 200, figures)
        in_cgroup = measure_signal(inits, 2000 if chosen.long else 400, figures)
        for name, command in inits.items():
            figures[name]["calls"] = count_calls(command)
        measure_idle(inits, 10, figures)
        measure_reaping(inits, 10_000, 100_000 if chosen.long else 0, figures)

    reached = goals(figures)
    if chosen.json != "-":
        show(figures)
        if not in_cgroup:
            print("signal delay was measured outside a cpu cgroup: compare with care")
        for text, is_met in reached:
            print(f"{'met    ' if is_met else 'NOT MET'} {text}")
    if chosen.json:
        text = json.dumps({"figures": figures, "in_cgroup": in_cgroup, "goals": dict(reached)}, indent=1)
        if chosen.json == "-":
            print(text)
        else:
            pathlib.Path(chosen.json).write_text(text + "\n", encoding="utf-8")
    return 1 if chosen.check and not all(is_met for _, is_met in reached) else 0


if __name__ == "__main__":
    sys.exit(main())
