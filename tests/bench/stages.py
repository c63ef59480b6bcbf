#!/usr/bin/python3
"""The file stages beside the floor, find, fd and pyclean: full, idle, proven fresh, how the cost grows,
and what a user feels. Interleaved, medians, ratios to the floor. Needs root (namespaces, mounts). `--help`."""

import argparse
import json
import os
import pathlib
import py_compile
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import feel

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILT = ROOT / "build" / "bench"
IN_NAMESPACE = "FRESHINIT_BENCH_INSIDE"
REALTIME = "--realtime" in sys.argv
PRUNED = (".git", "node_modules", "venv/lib/python3.11/site-packages")
SHELL = r"""find . -type d -name __pycache__ -exec rm -rf {} + 2>/dev/null
find . -name '*.pyc' -delete
find . -name '*.pyo' -delete
find . -name '*.html' -exec touch {} + """
FIND = ["find", ".", "(", "-name", "__pycache__", "-o", "-name", "*.py[co]", ")", "-delete"]


def build_floor():
    BUILT.mkdir(parents=True, exist_ok=True)
    floor = BUILT / "walk_floor"
    subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-o", floor, ROOT / "tests/bench/walk_floor.c"], check=True)
    return str(floor)


class Tree:
    """Folders of 20 sources each, beside folders that no one should look into."""

    def __init__(self, folder, sources, others=True):
        self.folder = pathlib.Path(folder)
        self.packages = [self.folder / "app" / f"p{n // 50}" / f"m{n}" for n in range(max(sources // 20, 1))]
        for package in self.packages:
            self.fill(package, [f"mod{n}.py" for n in range(20)], b"VALUE = 1\n")
        for name, share in zip(PRUNED, (5, 3, 3)):
            for number in range(len(self.packages) // share if others else 0):
                self.fill(self.folder / name / f"d{number}", [f"f{n}.js" for n in range(20)], b"x")
        self.header = None

    @staticmethod
    def fill(folder, files, content):
        folder.mkdir(parents=True, exist_ok=True)
        here = os.open(folder, os.O_RDONLY)
        for name in files:
            fd = os.open(name, os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=here)
            os.write(fd, content)
            os.close(fd)
        os.close(here)

    def compile(self, is_real=False):
        """Bytecode for every source: real for verdicts, a header's worth for removal."""
        content = b"\0" * 64
        for package in self.packages:
            if is_real:
                for number in range(20):
                    py_compile.compile(str(package / f"mod{number}.py"), doraise=True)
            else:
                self.fill(package / "__pycache__", [f"mod{n}.cpython-311.pyc" for n in range(20)], content)

    def compile_hashed(self):
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        for package in self.packages:
            for number in range(20):
                py_compile.compile(str(package / f"mod{number}.py"), doraise=True, invalidation_mode=mode)


def go_first():
    """Other work on the machine waits for the few ms of a run, for each contender alike."""
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def measure(command, folder):
    """Wall and processor time in ms."""
    before = os.times()
    start = time.perf_counter()
    run = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                         preexec_fn=go_first if REALTIME else None)
    wall = (time.perf_counter() - start) * 1000
    after = os.times()
    if run.returncode != 0:
        sys.exit(f"{command[0]}: {run.stderr.decode()[-300:]}")
    cpu = (after.children_user + after.children_system - before.children_user - before.children_system) * 1000
    return wall, cpu


def interleave(contenders, folders, rounds, prepare=None):
    """Each in turn, so that all meet the same weather. `folders`: one, or one for each run."""
    times = {name: [] for name in contenders}
    folders = iter([folders] * rounds * len(contenders) if isinstance(folders, pathlib.Path) else folders)
    for _ in range(rounds):
        for name, command in contenders.items():
            if prepare:
                prepare()
            times[name].append(measure(command, next(folders)))
    return {name: {"wall_ms": round(statistics.median(row[0] for row in rows), 2),
                   "least_ms": round(min(row[0] for row in rows), 2),
                   "cpu_ms": round(statistics.median(row[1] for row in rows), 2)}
            for name, rows in times.items()}


def ours(mode, where):
    config = where / f"{mode}.ini"
    config.write_text(f"[stage s]\nclear = bytecode\nin = .\nwhen = build\nmode = {mode}\ntimeout = 10m\n")
    return [str(where / "freshinit"), "--config", str(config), "clean"]


def contenders(floor, scratch, is_growth=False):
    rows = {"floor": [floor, "."], "freshinit": ours("all", scratch), "shell script": ["sh", "-c", SHELL]}
    if is_growth:
        return rows
    rows["one find"] = FIND
    fd = shutil.which("fdfind") or shutil.which("fd")
    if fd:
        rows["fd"] = [fd, "-HI", "-t", "d", "^__pycache__$", ".", "-X", "rm", "-rf"]
    pyclean = os.environ.get("PYCLEAN") or shutil.which("pyclean")
    if pyclean:
        rows["pyclean"] = [pyclean, "."]
    return rows


def show(title, rows, base):
    print(f"\n{title}\n{'':24}{'median ms':>10}{'least ms':>10}{'cpu ms':>9}{'x floor':>9}{'x (least)':>10}")
    for name, row in rows.items():
        ratio = row["wall_ms"] / base["wall_ms"]
        print(f"{name:24}{row['wall_ms']:10.1f}{row['least_ms']:10.1f}{row['cpu_ms']:9.1f}{ratio:9.2f}"
              f"{row['least_ms'] / base['least_ms']:10.2f}", flush=True)
        row["ratio"] = round(ratio, 3)


def bench_one(floor, folder, scratch, label, rounds):
    """Full, idle, and proven fresh on one kind of file system."""
    rows = contenders(floor, scratch)
    tree = Tree(folder / "t", 20000)
    out = {}
    out["idle"] = interleave({**rows, "floor, pruning": [floor, ".", "prune"],
                              "freshinit stale": ours("stale", scratch)}, tree.folder, rounds)
    show(f"{label}: idle, 20,000 sources", out["idle"], out["idle"]["floor"])
    out["full"] = bench_full(rows, tree, label, max(rounds // 2, 3))
    show(f"{label}: full, 20,000 bytecode files to remove", out["full"], out["full"]["floor"])
    for kind, make in (("timestamp", lambda: tree.compile(True)), ("hash", tree.compile_hashed)):
        make()
        rows = {"freshinit stale": ours("stale", scratch)}
        out[kind] = interleave(rows, tree.folder, rounds)
        show(f"{label}: 20,000 {kind} files proven fresh, none removed", out[kind], out["idle"]["floor"])
        subprocess.run([floor, "."], cwd=tree.folder, check=True)
    shutil.rmtree(tree.folder)
    return out


def bench_full(rows, tree, label, rounds):
    if label == "tmpfs":
        return interleave(rows, tree.folder, rounds, tree.compile)
    # ext4 is slow to make files where others have just been removed, so all trees are made first.
    rows = {name: command for name, command in rows.items() if name != "pyclean"}
    trees = [Tree(tree.folder.parent / f"full{n}", 20000, others=False) for n in range(3 * len(rows))]
    for one in trees:
        one.compile()
    os.sync()
    times = interleave(rows, [one.folder for one in trees], 3)
    for one in trees:
        shutil.rmtree(one.folder)
    return times


class Overlay:
    """A container's view of an image: the tree in the lower layer, a fresh upper layer for each run."""

    def __init__(self, where):
        self.where = where
        self.seen = where / "seen"
        self.seen.mkdir(parents=True)
        self.is_mounted = False

    def mount(self, lower):
        self.umount()
        for name in ("upper", "work"):
            shutil.rmtree(self.where / name, ignore_errors=True)
            (self.where / name).mkdir()
        layers = f"lowerdir={lower},upperdir={self.where / 'upper'},workdir={self.where / 'work'}"
        subprocess.run(["mount", "-t", "overlay", "-o", layers, "overlay", self.seen], check=True)
        self.is_mounted = True

    def umount(self):
        if self.is_mounted:
            subprocess.run(["umount", self.seen], check=True)
        self.is_mounted = False


def bench_overlay(floor, folder, scratch, rounds):
    """Every removal makes a whiteout, and no run finds what another has left."""
    rows = {name: command for name, command in contenders(floor, scratch).items() if name != "pyclean"}
    stale = {"freshinit stale": ours("stale", scratch)}
    overlay = Overlay(folder / "overlay")
    out = {}
    for kind, title, compile_, commands in (
            ("idle", "idle, 20,000 sources", lambda tree: None, {**rows, **stale}),
            ("full", "full, 20,000 bytecode files to remove", Tree.compile, rows),
            ("timestamp", "20,000 timestamp files proven fresh, none removed", lambda tree: tree.compile(True), stale)):
        tree = Tree(folder / "lower", 20000)
        compile_(tree)
        os.sync()
        out[kind] = interleave(commands, overlay.seen, rounds if kind != "full" else max(rounds // 2, 3),
                               lambda lower=tree.folder: overlay.mount(lower))
        show(f"overlay: {title}", out[kind], out["full" if kind == "full" else "idle"]["floor"])
        overlay.umount()
        shutil.rmtree(tree.folder)
    return out


def bench_feel(folder, scratch, rounds):
    rows = feel.bench(folder, str(scratch / "freshinit"), SHELL, rounds)
    base = next(iter(rows.values()))
    print(f"\nstart to first response, {feel.MODULES} modules, 2 workers\n{'':28}{'median ms':>10}{'least ms':>10}"
          f"{'x warm':>9}{'x (least)':>10}")
    for name, row in rows.items():
        row["ratio"] = round(row["wall_ms"] / base["wall_ms"], 3)
        print(f"{name:28}{row['wall_ms']:10.1f}{row['least_ms']:10.1f}{row['ratio']:9.2f}"
              f"{row['least_ms'] / base['least_ms']:10.2f}")
    return rows


def bench_hash(folder, scratch):
    """Bytes of source hashed in a second, over large files."""
    app = folder / "hash"
    app.mkdir()
    line = b"VALUE = 'some text that is long enough to be a line of source'\n"
    for number in range(16):
        (app / f"m{number}.py").write_bytes(b"VALUE = 1\n" + b"#" + b"x" * (32 << 20) + b"\n" + line)
        code = struct.pack("<HHIQ", 3495, 0x0a0d, 3, 1) + b"\xe3" + b"\0" * 50
        (app / "__pycache__").mkdir(exist_ok=True)
        (app / "__pycache__" / f"m{number}.cpython-311.pyc").write_bytes(code)
    size = sum(path.stat().st_size for path in app.glob("*.py"))
    best = []
    for _ in range(3):
        best.append(measure([*ours("stale", scratch), "--dry-run"], app)[0])
    shutil.rmtree(app)
    # A hash that does not match is tried with the other kind of SipHash too: 1-3, then 2-4.
    rate = 2 * size / min(best) / 1e6
    print(f"\nhashing on one thread, 1-3 and 2-4 in turn: {rate:.2f} GB/s")
    return round(rate, 2)


def bench_growth(floor, folder, scratch, sizes):
    out = {}
    rows = contenders(floor, scratch, is_growth=True)
    for size in sizes:
        tree = Tree(folder / f"g{size}", size)
        rounds = 7 if size <= 20000 else 3
        out[size] = {"idle": interleave(rows, tree.folder, rounds),
                     "full": interleave(rows, tree.folder, min(rounds, 3), tree.compile)}
        for kind in ("idle", "full"):
            show(f"growth: {size} sources, {kind}", out[size][kind], out[size][kind]["floor"])
        shutil.rmtree(tree.folder)
    return out


COLOURS = {"floor": "#888888", "freshinit": "#1f6fb4", "shell script": "#c4472f"}


def plot(growth, path):
    """Both axes logarithmic; drawn by hand, so that nothing has to be installed."""
    import math
    sizes = sorted(growth)
    values = [row["wall_ms"] for size in sizes for kind in ("idle", "full") for row in growth[size][kind].values()]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))

    def x(size):
        return 70 + 430 * (math.log10(size) - math.log10(sizes[0])) / max(math.log10(sizes[-1] / sizes[0]), 1e-9)

    def y(ms):
        return 330 - 290 * (math.log10(ms) - low) / (high - low)

    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="660" height="390" font-family="sans-serif" '
             'font-size="12"><rect width="660" height="390" fill="white"/>',
             '<text x="70" y="22" font-size="14">Clearing bytecode: time over number of sources (tmpfs, median)</text>']
    for power in range(low, high + 1):
        ms = 10 ** power
        parts.append(f'<line x1="70" x2="500" y1="{y(ms):.1f}" y2="{y(ms):.1f}" stroke="#dddddd"/>'
                     f'<text x="62" y="{y(ms) + 4:.1f}" text-anchor="end">{ms:g} ms</text>')
    for size in sizes:
        parts.append(f'<text x="{x(size):.1f}" y="350" text-anchor="middle">{size:,}</text>')
    parts.append('<text x="285" y="374" text-anchor="middle">sources</text>')
    for number, (name, colour) in enumerate(COLOURS.items()):
        for kind, dash in (("full", ""), ("idle", ' stroke-dasharray="5 4"')):
            points = [(x(size), y(growth[size][kind][name]["wall_ms"])) for size in sizes]
            line = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
            parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
            parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in points]
            row = 60 + 18 * (number * 2 + (kind == "idle"))
            parts.append(f'<line x1="515" x2="540" y1="{row - 4}" y2="{row - 4}" stroke="{colour}" '
                         f'stroke-width="2"{dash}/><text x="546" y="{row}">{name}, {kind}</text>')
    path.write_text("\n".join(parts) + "\n</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--disk", default="/var/tmp", help="a folder on a disk")
    parser.add_argument("--sizes", type=int, nargs="*", default=[1000, 20000, 200000])
    parser.add_argument("--realtime", action="store_true", help="for a machine that is busy")
    parser.add_argument("--only", choices=["tmpfs", "disk", "overlay", "growth", "hash", "feel"])
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("needs root: for namespaces and a tmpfs")
    if IN_NAMESPACE not in os.environ:
        # A /proc of its own: who else runs here should not be part of the measure.
        os.execvpe("unshare", ["unshare", "-p", "-m", "-f", "--mount-proc", sys.executable, *sys.argv],
                   {**os.environ, IN_NAMESPACE: "1"})
    floor = build_floor()
    record = BUILT / "stages.json"
    results = json.loads(record.read_text()) if options.only and record.exists() else {}
    with tempfile.TemporaryDirectory(prefix="freshinit-bench-", dir=options.disk) as name:
        scratch = pathlib.Path(name)
        # A copy: a build meanwhile does no harm.
        shutil.copy(os.environ.get("FRESHINIT", ROOT / "build/static/freshinit"), scratch / "freshinit")
        (scratch / "tmpfs").mkdir()
        (scratch / "disk").mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8g,nr_inodes=4m", "tmpfs", scratch / "tmpfs"], check=True)
        try:
            for kind in ("tmpfs", "disk"):
                if options.only in (None, kind):
                    results[kind] = bench_one(floor, scratch / kind, scratch, kind, options.rounds)
            if options.only in (None, "overlay"):
                results["overlay"] = bench_overlay(floor, scratch / "disk", scratch, options.rounds)
            if options.only in (None, "feel"):
                results["feel"] = bench_feel(scratch / "disk", scratch, options.rounds)
            if options.only in (None, "hash"):
                results["hash_gb_per_s"] = bench_hash(scratch / "tmpfs", scratch)
            if options.only in (None, "growth"):
                results["growth"] = bench_growth(floor, scratch / "tmpfs", scratch, options.sizes)
                plot(results["growth"], BUILT / "stages.svg")
        finally:
            subprocess.run(["umount", scratch / "tmpfs"], check=True)
    record.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\n{record}" + (f", {BUILT / 'stages.svg'}" if "growth" in results else ""))


if __name__ == "__main__":
    main()
