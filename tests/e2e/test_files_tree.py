"""clear, empty and touch: what is taken, what is left, and what can't be made to happen."""

import ctypes
import errno
import os
import pathlib
import pty
import random
import re
import resource
import shutil
import stat
import subprocess
import threading
import time

import pytest

from cleaning import clean, names, stage, write

CLEAR_TMP = stage("clear = *.tmp build/", "in = .")
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

SHELL = r"""
find . -type d -name __pycache__ -prune -exec rm -rf {} +
find . -type f -name '*.pyc' -delete
find . -type f -name '*.pyo' -delete
find . -type f -name '*.html' -exec touch {} +
"""
AS_SHELL = (stage("clear = bytecode", "in = .", "mode = all", "exclude =", "sourceless = remove", name="a")
            + stage("touch = *.html", "in = .", "exclude =", name="b"))


def grow(folder, seed):
    """A tree out of a seed: names, depths and kinds as they come in applications."""
    pick = random.Random(seed)
    folders = [folder]
    for number in range(pick.randint(3, 25)):
        name = pick.choice([f"pkg{number}", "__pycache__", "templates", ".git", "node_modules",
                            f"odd name {number}", "site-packages", f"-x{number}", "a\nb"])
        path = pick.choice(folders) / name
        path.mkdir(exist_ok=True)
        folders.append(path)
    for number in range(pick.randint(5, 120)):
        stem = pick.choice(["mod", "test_a", "index", "x y", "*", "ünï", "-n"])
        name = stem + str(number % 7) + pick.choice(
            [".py", ".pyc", ".pyo", ".html", ".cpython-311.pyc", ".cpython-312.opt-1.pyc", ".txt",
             ".pyc.12", ".tar.gz", ""])
        path = pick.choice(folders) / name
        if path.exists():
            continue
        if pick.random() < 0.06:
            path.symlink_to(pick.choice(["/etc/passwd", "mod1.py", ".", "nowhere"]))
        else:
            write(path, b"x" * pick.randint(0, 50))
            os.utime(path, (1000, 1000))


def test_fifty_trees_end_as_the_shell_script_leaves_them(freshinit, tmp_path):
    for seed in range(50):
        ours, theirs = tmp_path / f"o{seed}", tmp_path / f"t{seed}"
        for folder in (ours, theirs):
            folder.mkdir()
            grow(folder, seed)
        assert names(ours) == names(theirs)
        subprocess.run(["sh", "-c", SHELL], cwd=theirs, check=True)
        result = clean(freshinit, AS_SHELL, cwd=ours)
        assert result.code == 0, result.err
        # The one difference by contract: Python's leftovers go, and links named like bytecode.
        left = {name for name in names(theirs)
                if not re.search(rb"\.pyc\.\d+$", name) and
                not (re.search(rb"\.py[co]$", name) and os.path.islink(os.fsencode(theirs) + b"/" + name))}
        assert names(ours) == left, seed
        for name in left:
            one, other = (os.lstat(os.path.join(os.fsencode(folder), name)) for folder in (ours, theirs))
            if stat.S_ISREG(one.st_mode):
                assert (one.st_mtime > 2000) == (other.st_mtime > 2000), (seed, name)


def test_a_folder_pattern_takes_all_of_it_and_a_path_pattern_only_there(freshinit, tmp_path):
    for name in ("build/a/b/c.py", "x/build/keep.html", "node_modules/.cache/deep/er/f",
                 "node_modules/left/f", ".cache/f", "x/node_modules/.cache/g", "builds/f"):
        write(tmp_path / name)
    (tmp_path / "build" / "link").symlink_to("/etc")
    os.mkfifo(tmp_path / "build" / "fifo")
    clean(freshinit, stage("clear = build/ node_modules/.cache/", "in = ."), cwd=tmp_path)
    assert names(tmp_path) == {b"x", b"x/node_modules", b"node_modules", b"node_modules/left",
                               b"node_modules/left/f", b".cache", b".cache/f", b"builds", b"builds/f"}
    assert pathlib.Path("/etc/passwd").exists()


def test_next_is_its_three_folders(freshinit, tmp_path):
    for name in (".next/x/y", ".turbo/z", "node_modules/.cache/w", "node_modules/m/index.js"):
        write(tmp_path / name)
    result = clean(freshinit, stage("clear = next", "in = ."), cwd=tmp_path)
    assert names(tmp_path) == {b"node_modules", b"node_modules/m", b"node_modules/m/index.js"}
    assert result.done()["message"].startswith("Clearing .next/ .turbo/ node_modules/.cache/: 3 files")


def test_empty_leaves_the_folder_and_its_excludes(freshinit, tmp_path):
    target = tmp_path / "static"
    for name in ("a", "d/e/f", ".hidden", ".git/config"):
        write(target / name)
    result = clean(freshinit, stage(f"empty = {target}"))
    assert names(target) == {b".git", b".git/config"}
    assert re.match(rf"Emptying {target}: 3 files removed, ", result.done()["message"])


MAKO = b"""# -*- coding:utf-8 -*-
from mako import runtime, filters, cache
UNDEFINED = runtime.UNDEFINED
_magic_number = 10
_template_filename = 'index.html'
"""


def test_compiled_templates_are_known_by_what_is_in_them(freshinit, tmp_path):
    gone = [write(tmp_path / "_jinja2-cache-0" / f"__jinja2_{'a' * 40}.cache", b"j2\x05"),
            write(tmp_path / "mako" / "index.html.py", MAKO)]
    kept = [write(tmp_path / "app" / "views.html.py", b"from mako import runtime\n"),
            write(tmp_path / "app" / "mako.py", MAKO), write(tmp_path / "app" / "x.cache")]
    result = clean(freshinit, stage("clear = jinja", "in = ."), cwd=tmp_path)
    assert not any(path.exists() for path in gone) and all(path.exists() for path in kept)
    assert result.done()["message"].startswith("Clearing compiled templates: 2 files removed below")


def test_touch_sets_files_to_now_but_no_link_and_no_folder(freshinit, tmp_path):
    paths = [write(tmp_path / name) for name in ("a.html", "d/b.html", ".git/c.html", "e.txt")]
    outside = write(tmp_path / "outside" / "target")
    app = tmp_path / "app"
    app.mkdir()
    for path in [*paths, outside]:
        os.utime(path, (1000, 1000))
    (tmp_path / "link.html").symlink_to(outside)
    before = time.time() - 1
    result = clean(freshinit, stage("touch = *.html", "in = ."), cwd=tmp_path)
    assert [path.stat().st_mtime > before for path in paths] == [True, True, False, False]
    assert outside.stat().st_mtime == 1000
    assert re.match(r"Forcing template recompilation: 2 templates touched below \S+, \d+ ms$",
                    result.done()["message"])


def test_a_dry_run_lists_what_goes_and_changes_nothing(freshinit, tmp_path):
    for name in ("a.tmp", "build/x/y", "b.txt"):
        write(tmp_path / name)
    before = names(tmp_path)
    result = clean(freshinit, CLEAR_TMP, "--dry-run", cwd=tmp_path)
    assert names(tmp_path) == before
    gone = {f"{tmp_path}/{name}" for name in ("a.tmp", "build/x/y", "build/x/", "build/")}
    assert sorted(result.out) == sorted(gone)
    assert result.done()["message"].startswith("Would clear *.tmp build/: 2 files below")
    clean(freshinit, CLEAR_TMP, cwd=tmp_path)
    assert names(tmp_path) == {b"b.txt"}


def test_lines_are_as_the_contract_shows_them(freshinit, tmp_path):
    write(tmp_path / "__pycache__" / "gone.cpython-311.pyc", b"x" * 2048)
    text = stage("clear = bytecode", f"in = {tmp_path}")
    result = clean(freshinit, text, log="human")
    assert re.search(rf"^Clearing Python cache: 1 of 1 file stale, removed below {tmp_path}, 2\.0 KiB, "
                     r"\d+ ms$", result.err, re.M), result.err
    result = clean(freshinit, text, log="human")
    assert re.search(rf"^Clearing Python cache: 0 of 0 files stale, nothing to remove below {tmp_path}, "
                     r"\d+ ms$", result.err, re.M), result.err


def test_neighbours_share_one_walk_and_keep_their_own_counts(freshinit, tmp_path):
    for name in ("a.tmp", "b.tmp", "c.html", "d/e.html", "d/f.log"):
        write(tmp_path / name)
    text = (stage("clear = *.tmp", "in = .", "exclude =", name="one") +
            stage("touch = *.html", "in = .", "exclude = d", name="two") +
            stage("clear = *.log", "in = .", "exclude =", name="three"))
    trace = tmp_path.parent / f"{tmp_path.name}.trace"
    result = clean(freshinit, text, cwd=tmp_path,
                   prefix=["strace", "-f", "-o", str(trace), "-e", "trace=getdents64"])
    walks = [line for line in trace.read_text().splitlines() if "= 0" not in line]
    trace.unlink()
    assert [result.done(name)["done"] for name in ("one", "two", "three")] == [2, 1, 1]
    assert len([line for line in walks if re.search(r"getdents64\(\d+, .* /\* [3-9] entries", line)]) <= 3


def test_two_calls_for_each_removed_file(freshinit, tmp_path):
    for number in range(500):
        write(tmp_path / "__pycache__" / f"m{number}.cpython-311.pyc", b"x")
    trace = tmp_path.parent / f"{tmp_path.name}.trace"
    result = clean(freshinit, stage("clear = bytecode", "in = .", "mode = all"), cwd=tmp_path,
                   prefix=["strace", "-f", "-o", str(trace)])
    calls = [line for line in trace.read_text().splitlines() if ".cpython-311.pyc" in line]
    trace.unlink()
    assert result.done()["done"] == 500 and names(tmp_path) == set()
    assert len(calls) <= 1000


@pytest.mark.parametrize("folders, is_shared", [(60, False), (600, True)])
def test_a_wide_tree_with_nothing_to_do_is_walked_by_several(freshinit, tmp_path, folders, is_shared):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs two processors")
    for number in range(folders):
        write(tmp_path / f"p{number % 20}" / f"m{number}" / "mod.py", b"x")
    trace = tmp_path.parent / f"{tmp_path.name}.trace"
    clean(freshinit, stage("clear = bytecode", "in = ."), cwd=tmp_path,
          prefix=["strace", "-f", "-o", str(trace), "-e", "trace=clone,clone3"])
    threads = [line for line in trace.read_text().splitlines() if "CLONE_THREAD" in line]
    trace.unlink()
    assert bool(threads) == is_shared


def test_a_missing_root_is_said_and_no_failure(freshinit, tmp_path):
    write(tmp_path / "here" / "x.tmp")
    text = stage("clear = *.tmp", f"in = {tmp_path}/gone {tmp_path}/here {tmp_path}/no*", "on_error = fail")
    result = clean(freshinit, text)
    assert result.code == 0 and result.done()["done"] == 1
    rows = result.of("stage.root_missing")
    assert sorted(row["path"] for row in rows) == [f"{tmp_path}/gone", f"{tmp_path}/no*"]
    assert {row["level"] for row in rows} == {"info"}


def test_a_root_that_is_a_link_is_not_followed_but_explained(freshinit, tmp_path):
    kept = write(tmp_path / "real" / "x.tmp")
    (tmp_path / "link").symlink_to("real")
    for path in (tmp_path / "link", tmp_path / "link" / "."):
        result = clean(freshinit, stage("clear = *.tmp", f"in = {path}"))
        assert kept.exists()
        assert f"write {tmp_path}/real" in result.of("stage.root_link")[0]["message"]
    write(tmp_path / "real" / "sub" / "y.tmp")
    clean(freshinit, stage("clear = *.tmp", f"in = {tmp_path}/link/sub"))
    assert (tmp_path / "real" / "sub" / "y.tmp").exists()


def test_globs_find_roots_and_never_the_systems(freshinit, tmp_path):
    for name in ("site1/app/t/a.tmp", "site2/app/t/b.tmp", "other/app/t/c.tmp", "site3/x"):
        write(tmp_path / name)
    result = clean(freshinit, stage("clear = *.tmp", f"in = {tmp_path}/site*/app/t"))
    assert result.done()["done"] == 2 and (tmp_path / "other/app/t/c.tmp").exists()
    result = clean(freshinit, stage("clear = *.freshinit-none", "in = /us? /et? /de*/shm"))
    assert result.done()["message"].startswith("Clearing *.freshinit-none: 0 files removed below no folder")


REFUSED = ["/", "/usr", "/usr/lib/", "//usr//bin", "/etc", "/etc/x", "/proc/1", "/sys", "/dev/shm", "/boot",
           "/var", "/lib64", "a/../..", "..", "''", "/var/lib", "/usr/local/lib", "/./"]


@pytest.mark.parametrize("path", REFUSED)
def test_roots_of_the_system_are_configuration_errors(freshinit, path):
    for action in ("clear = *.tmp\nin", "touch = *.html\nin", "empty"):
        result = clean(freshinit, stage(f"{action} = {path}"))
        assert result.code == 78, result.err


@pytest.mark.parametrize("path", ["/home", "/opt", "/srv", "/root", "/run"])
def test_whole_homes_are_never_emptied(freshinit, path):
    assert clean(freshinit, stage(f"empty = {path}")).code == 78
    assert clean(freshinit, stage("clear = *.freshinit-none", f"in = {path}")).code == 0


@pytest.mark.parametrize("pattern", ["*", "*.*", ".*", "*.py", "*.p?", "*.html", "app.json", "cache*", "*/",
                                     "?*", "*.[jt]s", "../x", "/tmp/*.x", "a//b", "bytecodes", "!x.tmp",
                                     "*.sqlite3", "**", "core"])
def test_patterns_that_match_source_or_all_are_configuration_errors(freshinit, pattern):
    result = clean(freshinit, stage(f"clear = {pattern}", "in = ."))
    assert result.code == 78, result.err


@pytest.mark.parametrize("pattern", ["*.tmp", "*.pyc", "build/", "a/b/", "*.cache", "x[0-9].log", "core/"])
def test_patterns_of_caches_are_accepted(freshinit, pattern, tmp_path):
    assert clean(freshinit, stage(f"clear = {pattern}", "in = ."), cwd=tmp_path).code == 0


def test_names_of_any_bytes(freshinit, tmp_path):
    folder = os.fsencode(tmp_path)
    odd = [bytes([number]) for number in range(1, 256) if number not in b"/."]
    for name in odd:
        os.makedirs(folder + b"/build/" + name + name, exist_ok=True)
        os.close(os.open(folder + b"/" + name + b".tmp", os.O_CREAT | os.O_WRONLY))
        os.close(os.open(folder + b"/build/" + name + name + b"/" + b"n" * 254 + name,
                         os.O_CREAT | os.O_WRONLY))
    result = clean(freshinit, CLEAR_TMP, cwd=tmp_path)
    assert names(tmp_path) == set() and result.done()["done"] == 2 * len(odd)


def make_deep(folder, depth, name=b"d"):
    here = os.open(folder, os.O_RDONLY)
    for level in range(depth):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
        if level % 500 == 0 or level == depth - 1:
            os.close(os.open(b"x.tmp", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


@pytest.mark.parametrize("files", [1024, 100])
def test_a_tree_2000_deep_with_few_descriptors(freshinit, tmp_path, files):
    make_deep(tmp_path, 2000, b"d" * 100)

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    result = clean(freshinit, stage("clear = *.tmp", "in = ."), cwd=tmp_path, wrap=limit)
    assert result.done()["done"] == 5 and result.done()["problems"] == 0, result.err
    result = clean(freshinit, stage(f"clear = {'d' * 100}/", "in = ."), cwd=tmp_path, wrap=limit)
    assert names(tmp_path) == set(), result.err


@pytest.mark.parametrize("most", [20000, pytest.param(200000, marks=pytest.mark.matrix)])
def test_memory_is_flat_over_a_large_folder(freshinit, tmp_path, most):
    peaks = []
    for count in (1000, most):
        folder = tmp_path / str(count)
        folder.mkdir()
        here = os.open(folder, os.O_RDONLY)
        for number in range(count):
            os.close(os.open(f"file-{number:06}.tmp", os.O_CREAT | os.O_WRONLY, dir_fd=here))
        for number in range(0, count, 10):
            os.mkdir(f"folder-{number}", dir_fd=here)
        os.close(here)
        record = tmp_path / "peak"
        result = clean(freshinit, stage("clear = *.tmp", "in = ."), cwd=folder,
                       prefix=["/usr/bin/time", "-o", str(record), "-f", "%M"])
        assert result.done()["done"] == count
        peaks.append(int(record.read_text()))
    assert peaks[1] < peaks[0] + 1500, peaks


@root_only
def test_a_mount_below_the_root_is_not_entered(freshinit, tmp_path):
    """Also a bind mount of the same file system, which no device number tells."""
    outside = write(tmp_path / "outside" / "x.tmp")
    inside = tmp_path / "app" / "mount"
    inside.mkdir(parents=True)
    write(tmp_path / "app" / "y.tmp")
    script = (f"mount --bind {outside.parent} {inside} && shift 0 && exec \"$@\"")
    result = clean(freshinit, stage("clear = *.tmp mount/", f"in = {tmp_path}/app"),
                   prefix=["unshare", "-m", "sh", "-c", script, "sh"])
    assert outside.exists() and not (tmp_path / "app" / "y.tmp").exists(), result.err
    assert result.of("stage.mount")[0]["path"] == str(inside)
    # As a root of its own it is, and there is nothing to tell.
    result = clean(freshinit, stage("clear = *.tmp", f"in = {tmp_path}/app {inside}"),
                   prefix=["unshare", "-m", "sh", "-c", script, "sh"])
    assert not outside.exists() and not result.of("stage.mount"), result.err


def deny(call, error):
    """A seccomp filter that answers `error` to one system call, as old profiles do."""
    class Line(ctypes.Structure):
        _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte),
                    ("k", ctypes.c_uint)]

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("lines", ctypes.POINTER(Line))]

    lines = (Line * 4)(Line(0x20, 0, 0, 0), Line(0x15, 0, 1, call), Line(0x06, 0, 0, 0x00050000 | error),
                       Line(0x06, 0, 0, 0x7fff0000))
    program = Program(4, lines)
    libc = ctypes.CDLL(None, use_errno=True)

    def wrap():
        if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(program)):
            raise OSError(ctypes.get_errno(), "seccomp")
    return wrap


CLOSE_RANGE, OPENAT2, LANDLOCK = 436, 437, 444


@root_only
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="call numbers of x86_64")
@pytest.mark.parametrize("error", [errno.ENOSYS, errno.EPERM])
def test_without_openat2_links_and_mounts_are_still_kept_out(freshinit, tmp_path, error):
    outside = write(tmp_path / "outside" / "x.tmp")
    app = tmp_path / "app"
    write(app / "deep" / "er" / "y.tmp")
    (app / "mount").mkdir()
    (app / "link").symlink_to(outside.parent)
    script = f"mount --bind {outside.parent} {app}/mount && exec \"$@\""
    result = clean(freshinit, stage("clear = *.tmp", f"in = {app}"), wrap=deny(OPENAT2, error),
                   prefix=["unshare", "-m", "sh", "-c", script, "sh"])
    assert outside.exists() and not (app / "deep/er/y.tmp").exists(), result.err
    assert result.of("stage.mount")
    (tmp_path / "root").symlink_to(app)
    assert clean(freshinit, stage("clear = *.tmp", f"in = {tmp_path}/root"),
                 wrap=deny(OPENAT2, error)).of("stage.root_link")


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="call numbers of x86_64")
@pytest.mark.parametrize("call", [None, CLOSE_RANGE, OPENAT2])
def test_several_threads_take_all_of_a_wide_tree(freshinit, tmp_path, call):
    for number in range(600):
        write(tmp_path / f"a{number % 3}" / f"gone-{number}" / "c" / "x.bin", b"x")
        write(tmp_path / f"a{number % 3}" / f"kept-{number}" / "x.bin", b"x")
    result = clean(freshinit, stage("clear = gone-*/", "in = ."), cwd=tmp_path,
                   wrap=deny(call, errno.ENOSYS) if call else None)
    assert result.done()["done"] == 600 and result.done()["problems"] == 0, result.err
    left = [path.name for path in tmp_path.glob("*/*")]
    assert len(left) == 600 and all(name.startswith("kept-") for name in left)


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="call numbers of x86_64")
def test_without_landlock_it_works_and_says_so(freshinit, tmp_path):
    write(tmp_path / "y.tmp")
    result = clean(freshinit, CLEAR_TMP, cwd=tmp_path, wrap=deny(LANDLOCK, errno.ENOSYS))
    assert result.done()["done"] == 1
    assert result.of("stage.unconfined")[0]["level"] == "debug"


@root_only
def test_a_read_only_mount_is_counted_and_named(freshinit, tmp_path):
    for number in range(30):
        write(tmp_path / f"{number}.tmp")
    script = f"mount --bind {tmp_path} {tmp_path} && mount -o remount,ro,bind {tmp_path} && exec \"$@\""
    ways = {"warn": 0, "fail": 75}
    for way, code in ways.items():
        result = clean(freshinit, stage("clear = *.tmp", f"in = {tmp_path}", f"on_error = {way}"),
                       prefix=["unshare", "-m", "sh", "-c", script, "sh"])
        assert result.code == code, result.err
        assert result.done()["problems"] == 30 and result.done()["done"] == 0
        rows = result.of("stage.problem")
        assert 1 <= len(rows) <= 5 and {row["error"] for row in rows} == {os.strerror(errno.EROFS)}


@root_only
def test_what_a_user_may_not_remove_does_not_stop_the_rest(freshinit, tmp_path):
    mine, other = tmp_path / "mine", tmp_path / "other"
    for folder in (mine, other):
        write(folder / "x.tmp")
    (tmp_path / "closed").mkdir(mode=0o700)
    os.chown(mine, 65534, 65534)
    result = clean(freshinit, stage("clear = *.tmp", f"in = {tmp_path}"),
                   prefix=["setpriv", "--reuid", "65534", "--clear-groups"])
    assert not (mine / "x.tmp").exists() and (other / "x.tmp").exists()
    assert result.done()["problems"] == 2
    assert {row["path"] for row in result.of("stage.problem")} == {f"{other}/x.tmp", f"{tmp_path}/closed"}


def test_files_that_vanish_meanwhile_are_no_problem(freshinit, tmp_path):
    """Two of us at once over the same tree: between them everything goes, and no one complains."""
    for number in range(4000):
        write(tmp_path / f"d{number % 40}" / "build" / f"{number}.x")
    config = write(tmp_path.parent / f"{tmp_path.name}.ini", stage("clear = build/", f"in = {tmp_path}"))
    results = []
    threads = [threading.Thread(target=lambda: results.append(clean_apart(freshinit, config)))
               for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    config.unlink()
    assert [result.returncode for result in results] == [0, 0, 0]
    assert not [result.stderr for result in results if b"problem" in result.stderr]
    assert names(tmp_path) == {b"d%d" % number for number in range(40)}


def clean_apart(freshinit, config):
    return subprocess.run([freshinit, "--config", str(config), "clean"], capture_output=True, timeout=60)


class Swapper:
    """A hostile user: folders become links and folders again, as fast as a thread can."""

    def __init__(self, folder, target, count=8):
        self.folder, self.target, self.count = folder, target, count
        self.is_over = False
        self.turns = 0
        self.thread = threading.Thread(target=self.run)

    def fill(self, number):
        here = f"{self.folder}/d{number}"
        os.makedirs(f"{here}/build/deep", exist_ok=True)
        for name in ("a.tmp", "b.html", "build/c", "build/deep/d"):
            os.close(os.open(f"{here}/{name}", os.O_CREAT | os.O_WRONLY))

    def run(self):
        while not self.is_over:
            number = self.turns % self.count
            here = f"{self.folder}/d{number}"
            for path in (here, f"{here}/build"):
                try:
                    self.fill(number)
                    os.rename(path, f"{path}.away")
                    os.symlink(self.target, path)
                    os.unlink(path)
                    os.rename(f"{path}.away", path)
                except OSError:
                    shutil.rmtree(f"{path}.away", ignore_errors=True)
                    if os.path.islink(path):
                        os.unlink(path)
            self.turns += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.thread.join()


def race(freshinit, tmp_path, seconds):
    outside = tmp_path / "outside"
    for name in ("a.tmp", "b.html", "build/c", "build/deep/d", "d0/a.tmp", "deep/d", "c"):
        os.utime(write(outside / name), (1000, 1000))
    before = {path: path.lstat().st_ctime_ns for path in outside.rglob("*")}
    app = tmp_path / "app"
    app.mkdir()
    text = (stage("clear = *.tmp build/", f"in = {app}", name="one") +
            stage("touch = *.html", f"in = {app}", "exclude =.git", name="two"))
    end = time.monotonic() + seconds
    runs = done = 0
    with Swapper(str(app), str(outside)) as swapper:
        while time.monotonic() < end:
            result = clean(freshinit, text)
            assert result.code == 0, result.err
            runs += 1
            done += result.done("one")["done"]
    after = {path: path.lstat().st_ctime_ns for path in outside.rglob("*")}
    assert after == before
    # The race was one: both sides did much work.
    assert runs > seconds and swapper.turns > 50 and done > 0


@root_only
def test_swapped_links_lead_nowhere(freshinit, tmp_path):
    race(freshinit, tmp_path, 3)


@root_only
@pytest.mark.matrix
def test_swapped_links_lead_nowhere_for_20_seconds(freshinit, tmp_path):
    race(freshinit, tmp_path, 20)


def test_a_long_stage_shows_its_progress_on_a_terminal_only(freshinit, tmp_path):
    config = write(tmp_path / "c.ini", stage("clear = *.tmp", f"in = {tmp_path}/app"))
    for is_terminal in (True, False):
        for number in range(90):
            write(tmp_path / "app" / f"d{number}" / "x.tmp")
        near, far = pty.openpty() if is_terminal else os.pipe()
        # Each removal is made to last, so that even a fast machine needs more than a second.
        run = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-e",
                                "inject=unlinkat:delay_enter=30000", freshinit, "--config",
                                str(config), "clean"], stderr=far, stdin=subprocess.DEVNULL)
        os.close(far)
        text = b""
        while True:
            try:
                data = os.read(near, 65536)
            except OSError:
                break
            if not data:
                break
            text += data
        os.close(near)
        assert run.wait() == 0
        assert (b"\rClearing *.tmp: " in text) == is_terminal, text

