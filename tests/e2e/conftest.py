"""Fixtures: `box` starts freshinit (or anything else) in namespaces of its own; see boxes.py."""

import fcntl
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from boxes import Box  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "tests" / "helpers"
HELPERS = ROOT / "build" / "helpers"
CLEAN_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                     "LANG": "C.UTF-8", "HOME": "/root"}
PEERS = {"tini": "/usr/bin/tini", "tini-static": "/usr/bin/tini-static",
         "dumb-init": "/usr/bin/dumb-init", "catatonit": "/usr/bin/catatonit"}


def find_freshinit():
    named = os.environ.get("FRESHINIT")
    if named:
        return pathlib.Path(named).resolve()
    static = ROOT / "build" / "static" / "freshinit"
    return static if static.exists() else ROOT / "build" / "freshinit"


def stale_helpers():
    pairs = [(source, HELPERS / source.stem) for source in SOURCES.glob("*.c")]
    return [(source, target) for source, target in pairs
            if not target.exists() or target.stat().st_mtime < source.stat().st_mtime]


def build_helpers():
    if not stale_helpers():
        return
    HELPERS.mkdir(parents=True, exist_ok=True)
    with open(HELPERS / ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for source, target in stale_helpers():
            fresh = HELPERS / f"{source.stem}.new"
            subprocess.run([os.environ.get("CC", "cc"), "-static", "-O1", "-std=c11", "-D_GNU_SOURCE",
                            "-Wall", "-Wextra", "-o", fresh, source], check=True)
            fresh.rename(target)


@pytest.fixture(scope="session")
def helper():
    """helper("stray") is the path of that small program."""
    build_helpers()
    return lambda name: str(HELPERS / name)


@pytest.fixture(scope="session")
def freshinit():
    path = find_freshinit()
    if not path.exists():
        pytest.fail(f"{path} is not built: make static")
    return str(path)


@pytest.fixture(scope="session")
def needs_root():
    if os.geteuid() != 0:
        pytest.skip("needs root: it changes users")


@pytest.fixture
def tmp_path():
    """As pytest's own, but one that other users may enter, and gone afterwards."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="freshinit-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def run_box(helper, tmp_path):
    """run_box(program, words...): any program in a box. Options of the box:

    as_child       not PID 1; with neighbour=True beside a process that is not ours
    uid, gid       what it starts as; drop_caps, bound_caps, no_new_privs
    read_only      the root file system; tmpfs=[...], binds={outside: inside}
    proc           "own", "none", "hidden" (hidepid), "outer"
    block_all      all signals blocked; ignore=[...], pending=[...] (blocked and sent), close=[fd...], limits={"nproc": 1}
    tty            a terminal of its own (Box.master); stderr, stdin: descriptors
    argv0, cwd, env
    """
    boxes = []

    def run(program, *words, as_child=False, neighbour=False, uid=None, gid=None, drop_caps=False,
            bound_caps=False, no_new_privs=False, read_only=False, tmpfs=("/run",), binds=None,
            proc="own", block_all=False, ignore=(), pending=(), close=(), limits=None, tty=False, stderr=None,
            stdin=None, argv0=None, cwd=None, env=None):
        options = [] if os.geteuid() == 0 else ["--userns"]
        flags = {"--child": as_child, "--neighbour": neighbour, "--drop-caps": drop_caps,
                 "--bound-caps": bound_caps, "--no-new-privs": no_new_privs,
                 "--read-only": read_only, "--block": block_all}
        options += [name for name, wanted in flags.items() if wanted]
        single = {"--uid": uid, "--gid": gid, "--argv0": argv0, "--proc": proc,
                  "--chdir": cwd or str(tmp_path)}
        for name, value in single.items():
            if value is not None:
                options += [name, str(value)]
        for outside, inside in (binds or {}).items():
            options += ["--bind", str(outside), str(inside)]
        for name, values in {"--tmpfs": tmpfs, "--ignore": ignore, "--pending": pending,
                             "--close": close}.items():
            for value in values:
                options += [name, str(int(value) if name != "--tmpfs" else value)]
        for name, value in (limits or {}).items():
            options += ["--limit", name, str(value)]
        box = Box([program, *words], options, {**CLEAN_ENVIRONMENT, **(env or {})}, stdin=stdin,
                  tty=tty, stderr=stderr, helper=helper("box"))
        boxes.append(box)
        box.wait_started()
        return box

    yield run
    for box in boxes:
        box.close()


@pytest.fixture
def box(run_box, freshinit, tmp_path):
    """box(words...): freshinit in a box. With config="..." it reads that; without it and without
    stages=True no stage is run. Further options: those of run_box."""

    def start(*words, config=None, stages=False, **options):
        own = []
        if config is not None:
            path = tmp_path / "freshinit.ini"
            path.write_text(config, encoding="utf-8")
            path.chmod(0o644)
            own = ["--config", str(path)]
        elif not stages:
            own = ["--no-stages"]
        return run_box(freshinit, *own, *words, **options)

    return start


@pytest.fixture(params=["as PID 1", "not PID 1"])
def anywhere(request, box):
    """`box`, once as PID 1 and once as a child of another init."""
    is_child = request.param == "not PID 1"

    def start(*words, **options):
        return box(*words, as_child=is_child, **options)

    start.as_child = is_child
    return start
