"""mode = stale against what every CPython of this machine really does with each kind of bytecode."""

import os
import pathlib
import py_compile
import struct
import subprocess

import pytest

from cleaning import clean, names, pythons, stage, write

OLD = "VALUE = 'old'\n"
NEW = "VALUE = 'new'\n"
FOUND = pythons()
needs_many = pytest.mark.skipif(len(FOUND) < 2, reason="needs more than one CPython (pyenv)")


def compile_with(python, source, mode="TIMESTAMP", optimize=-1):
    code = ("import py_compile, sys; print(py_compile.compile(sys.argv[1], doraise=True, "
            f"invalidation_mode=py_compile.PycInvalidationMode.{mode}, optimize={optimize}))")
    return pathlib.Path(subprocess.run([python, "-c", code, str(source)], check=True, text=True,
                                       capture_output=True).stdout.strip())


def imports(python, folder, *options, module="mod", **environment):
    """What the interpreter makes of `import mod`: its value, or the name of the error."""
    code = (f"import sys; sys.path.insert(0, {str(folder)!r})\n"
            f"try:\n import {module}; print(getattr({module}, 'VALUE', 'namespace'))\n"
            "except BaseException as error: print(type(error).__name__)")
    run = subprocess.run([python, "-B", "-S", *options, "-c", code], capture_output=True, text=True,
                         env={"PATH": "/usr/bin:/bin", **environment}, check=True)
    return run.stdout.strip()


def set_times(path, like):
    os.utime(path, ns=(like.st_atime_ns, like.st_mtime_ns))


def tick(path):
    """Until the kernel's clock for files has moved on from that file's last change."""
    probe = path.parent / "probe"
    while True:
        probe.write_bytes(b"")
        if probe.stat().st_ctime_ns > path.stat().st_ctime_ns:
            probe.unlink()
            return


class Case:
    """A source, its bytecode, and the state they are left in."""

    def __init__(self, python, folder):
        self.python = python
        self.folder = folder
        self.source = write(folder / "mod.py", OLD)
        self.options = []
        self.environment = {}
        self.module = "mod"
        tick(self.source)

    def compile(self, mode="TIMESTAMP", optimize=-1):
        self.pyc = compile_with(self.python, self.source, mode, optimize)
        tick(self.pyc)

    def edit(self, seconds=0.0, content=NEW):
        """A fix of equal size, its time moved by that much."""
        before = self.source.stat()
        self.source.write_text(content)
        moved = before.st_mtime_ns + int(seconds * 1e9)
        os.utime(self.source, ns=(moved, moved))

    def patch(self, offset, data):
        raw = bytearray(self.pyc.read_bytes())
        raw[offset:offset + len(data)] = data
        self.pyc.write_bytes(raw)
        tick(self.pyc)


def fresh(case):
    case.compile()


def same_second(case):
    case.compile()
    case.edit()


def same_second_other_fraction(case):
    os.utime(case.source, ns=(10**18, 10**18))
    tick(case.source)
    case.compile()
    case.edit(0.25)


def one_second_later(case):
    case.compile()
    case.edit(1)


def an_older_file(case):
    case.compile()
    case.edit(-86400)


def two_to_the_32_seconds_apart(case):
    os.utime(case.source, (1000, 1000))
    tick(case.source)
    case.compile()
    case.edit(2**32)


def mtime_zero_twice(case):
    os.utime(case.source, (0, 0))
    tick(case.source)
    case.compile()
    case.edit()


def checked_hash(case):
    case.compile("CHECKED_HASH")


def unchecked_hash(case):
    case.compile("UNCHECKED_HASH")


def checked_hash_changed(case):
    case.compile("CHECKED_HASH")
    case.edit()


def unchecked_hash_changed(case):
    case.compile("UNCHECKED_HASH")
    case.edit()


def checked_hash_never_checked(case):
    case.compile("CHECKED_HASH")
    case.edit()
    case.options = ["--check-hash-based-pycs", "never"]


def optimized(case):
    case.compile(optimize=1)
    case.options = ["-O"]


def optimized_changed(case):
    case.compile(optimize=2)
    case.edit()
    case.options = ["-OO"]


def orphan(case):
    case.compile()
    case.source.unlink()


def cut_in_the_header(case):
    case.compile()
    case.pyc.write_bytes(case.pyc.read_bytes()[:9])
    case.edit()


def cut_after_the_header(case):
    case.compile()
    case.pyc.write_bytes(case.pyc.read_bytes()[:16])


def zeroed_body(case):
    case.compile()
    raw = case.pyc.read_bytes()
    case.pyc.write_bytes(raw[:16] + bytes(len(raw) - 16))


def empty(case):
    case.compile()
    case.pyc.write_bytes(b"")


def unknown_flags(case):
    case.compile()
    case.patch(4, struct.pack("<I", 4))


def another_magic(case):
    case.compile()
    magic = 3394 if case.pyc.read_bytes()[:2] != struct.pack("<H", 3394) else 3425
    case.patch(0, struct.pack("<H", magic))


def size_differs(case):
    case.compile()
    case.edit(content=NEW + "# longer\n")


def rsync_keeps_the_time(case):
    """A new file put in place of the old one, with its time: only the ctime tells."""
    case.compile()
    other = write(case.folder / "other", NEW)
    set_times(other, case.source.stat())
    other.rename(case.source)


def touched_after_a_chown(case):
    """chown -R at start moves every ctime; the bytecode's own mtime still tells when it was made."""
    case.compile()
    case.edit()
    os.chmod(case.source, 0o600)
    tick(case.source)
    os.chmod(case.pyc, 0o600)


# What the interpreter runs, and whether mode = stale keeps the file.
CASES = [
    (fresh, "old", True), (same_second, "old", False), (same_second_other_fraction, "old", False),
    (one_second_later, "new", False), (an_older_file, "new", False),
    (two_to_the_32_seconds_apart, "old", False), (mtime_zero_twice, "old", False),
    (checked_hash, "old", True), (unchecked_hash, "old", True), (checked_hash_changed, "new", False),
    (unchecked_hash_changed, "old", False), (checked_hash_never_checked, "old", False),
    (optimized, "old", True), (optimized_changed, "old", False),
    (orphan, "ModuleNotFoundError", False), (cut_in_the_header, "new", False),
    (cut_after_the_header, "EOFError", False), (zeroed_body, "ValueError", False),
    (empty, "old", False), (unknown_flags, "old", False), (another_magic, "old", False),
    (size_differs, "new", False), (rsync_keeps_the_time, "old", False),
    (touched_after_a_chown, "old", False),
]


def bytecode_stage(*lines):
    return stage("clear = bytecode", "in = .", *lines)


@needs_many
@pytest.mark.parametrize("version", sorted(FOUND), ids=lambda v: f"{v[0]}.{v[1]}")
@pytest.mark.parametrize("build,runs,is_kept", CASES, ids=lambda row: getattr(row, "__name__", None))
def test_the_verdict_agrees_with_the_interpreter(freshinit, tmp_path, version, build, runs, is_kept):
    case = Case(FOUND[version], tmp_path / "app")
    build(case)
    assert imports(case.python, case.folder, *case.options) == runs
    result = clean(freshinit, bytecode_stage(), cwd=case.folder)
    assert result.code == 0, result.err
    assert case.pyc.exists() == is_kept, result.err
    assert result.done()["done"] == (0 if is_kept else 1)
    # Whatever it was: from here on only today's source runs.
    if case.source.exists():
        today = case.source.read_text().split("'")[1]
        assert imports(case.python, case.folder, *case.options) == today


@needs_many
@pytest.mark.parametrize("version", sorted(FOUND), ids=lambda v: f"{v[0]}.{v[1]}")
def test_a_prefix_is_judged_by_the_sources_it_names(freshinit, tmp_path, version):
    python, app, prefix = FOUND[version], tmp_path / "app", tmp_path / "prefix"
    sources = [write(app / f"{name}.py", OLD) for name in ("good", "bad")]
    tick(sources[1])
    subprocess.run([python, "-m", "compileall", "-q", str(app)], check=True,
                   env={"PYTHONPYCACHEPREFIX": str(prefix)})
    pycs = {path.name.split(".")[0]: path for path in (prefix / str(app)[1:]).rglob("*.pyc")}
    assert sorted(pycs) == ["bad", "good"]
    tick(pycs["good"])
    like = sources[1].stat()
    sources[1].write_text(NEW)
    set_times(sources[1], like)
    assert imports(python, app, module="bad", PYTHONPYCACHEPREFIX=str(prefix)) == "old"
    result = clean(freshinit, bytecode_stage(), cwd=app, PYTHONPYCACHEPREFIX=str(prefix))
    assert pycs["good"].exists() and not pycs["bad"].exists(), result.err
    assert imports(python, app, module="bad", PYTHONPYCACHEPREFIX=str(prefix)) == "new"


def own_pyc(source):
    return pathlib.Path(py_compile.compile(str(source), doraise=True))


def test_a_prefix_inside_the_root_is_no_heap_of_sourceless_files(freshinit, tmp_path):
    source = write(tmp_path / "mod.py", OLD)
    tick(source)
    subprocess.run(["/usr/bin/python3", "-m", "compileall", "-q", "mod.py"], check=True, cwd=tmp_path,
                   env={"PYTHONPYCACHEPREFIX": str(tmp_path / "cache")})
    kept = names(tmp_path)
    result = clean(freshinit, bytecode_stage(), cwd=tmp_path, PYTHONPYCACHEPREFIX=str(tmp_path / "cache"))
    assert names(tmp_path) == kept
    assert result.done()["seen"] >= 1 and not result.of("stage.sourceless"), result.err


def test_a_sourceless_pyc_is_kept_and_named(freshinit, tmp_path):
    source = write(tmp_path / "mod.py", OLD)
    pyc = own_pyc(source).rename(tmp_path / "mod.pyc")
    source.unlink()
    for mode in ("stale", "all"):
        result = clean(freshinit, bytecode_stage(f"mode = {mode}"), cwd=tmp_path)
        assert pyc.exists()
        assert [row["path"] for row in result.of("stage.sourceless")] == [str(pyc)]
    result = clean(freshinit, bytecode_stage("sourceless = remove"), cwd=tmp_path)
    assert not pyc.exists() and result.done()["done"] == 1


def test_a_plain_pyc_beside_its_source_is_judged_too(freshinit, tmp_path):
    source = write(tmp_path / "mod.py", OLD)
    tick(source)
    pyc = own_pyc(source).rename(tmp_path / "mod.pyc")
    clean(freshinit, bytecode_stage(), cwd=tmp_path)
    assert pyc.exists()
    write(source, NEW)
    clean(freshinit, bytecode_stage(), cwd=tmp_path)
    assert not pyc.exists()


def test_other_pythons_are_left_and_named(freshinit, tmp_path):
    source = write(tmp_path / "mod.py", OLD)
    cache = tmp_path / "__pycache__"
    kept = {write(cache / name, b"\x00" * 40).name
            for name in ("mod.pypy39.pyc", "mod.cpython-399.pyc", "mod.graalpy-38.pyc", "data.txt")}
    result = clean(freshinit, bytecode_stage(), cwd=tmp_path)
    assert {path.name for path in cache.iterdir()} == kept
    assert result.of("stage.foreign")[0]["count"] == 3
    assert source.exists()


def test_pytest_files_are_known_by_their_tag(freshinit, tmp_path):
    source = write(tmp_path / "test_a.py", OLD)
    tick(source)
    pyc = own_pyc(source)
    ours = pyc.rename(pyc.with_name(pyc.name.replace(".pyc", "-pytest-7.4.0.pyc")))
    tick(ours)
    assert clean(freshinit, bytecode_stage(), cwd=tmp_path).done()["done"] == 0 and ours.exists()
    write(source, NEW)
    assert clean(freshinit, bytecode_stage(), cwd=tmp_path).done()["done"] == 1


def test_leftovers_and_pyo_go_in_both_modes(freshinit, tmp_path):
    for mode in ("stale", "all"):
        write(tmp_path / "mod.py", OLD)
        gone = [write(tmp_path / name, b"x") for name in
                ("__pycache__/mod.cpython-311.pyc.140213", "mod.pyo", "mod.pyc.99")]
        kept = [write(tmp_path / name, b"x") for name in ("mod.pyc.bak", "notes.pyc.1a", "x.pycc")]
        clean(freshinit, bytecode_stage(f"mode = {mode}"), cwd=tmp_path)
        assert not any(path.exists() for path in gone)
        assert all(path.exists() for path in kept)


def test_a_ghost_package_is_named_and_its_cache_removed(freshinit, tmp_path):
    source = write(tmp_path / "pk" / "mod.py", OLD)
    own_pyc(source)
    source.unlink()
    result = clean(freshinit, bytecode_stage(), cwd=tmp_path)
    assert names(tmp_path) == {b"pk"}
    assert result.of("stage.ghost")[0]["path"] == str(tmp_path / "pk")


def test_pruned_folders_are_left_and_never_opened(freshinit, tmp_path):
    for folder in (".git", "node_modules", "lib/site-packages", "dist-packages"):
        write(tmp_path / folder / "__pycache__" / "gone.cpython-311.pyc", b"x")
    before = names(tmp_path)
    trace = tmp_path / "trace"
    result = clean(freshinit, bytecode_stage(), cwd=tmp_path,
                   prefix=["strace", "-f", "-o", str(trace), "-e", "trace=file,openat2"])
    calls = trace.read_text()
    trace.unlink()
    assert names(tmp_path) == before and result.done()["seen"] == 0
    assert "lib" in calls
    for folder in ("node_modules", "site-packages", "dist-packages", '".git"'):
        assert folder not in calls
    assert clean(freshinit, bytecode_stage("exclude ="), cwd=tmp_path).done()["done"] == 4


def test_a_link_to_the_source_counts_when_it_changes(freshinit, tmp_path):
    """releases/1 and releases/2 with equal times and sizes, and a link that moves."""
    one, two = (write(tmp_path / "releases" / n / "mod.py", text) for n, text in
                (("1", OLD), ("2", NEW)))
    set_times(two, one.stat())
    app = tmp_path / "app"
    app.mkdir()
    (app / "mod.py").symlink_to(one)
    tick(two)
    pyc = own_pyc(app / "mod.py")
    tick(pyc)
    clean(freshinit, bytecode_stage(), cwd=app)
    assert pyc.exists()
    (app / "new").symlink_to(two)
    (app / "new").rename(app / "mod.py")
    assert imports("/usr/bin/python3", app) == "old"
    clean(freshinit, bytecode_stage(), cwd=app)
    assert not pyc.exists()
    assert imports("/usr/bin/python3", app) == "new"


def test_bytecode_that_is_a_link_goes_unless_it_may_be_the_application(freshinit, tmp_path):
    """A ConfigMap's files are links into ..data."""
    real = write(tmp_path / "..data" / "only.pyc", b"x")
    for name in ("only.pyc", "mod.pyc"):
        (tmp_path / name).symlink_to(real)
    write(tmp_path / "mod.py", OLD)
    result = clean(freshinit, bytecode_stage("exclude = ..data"), cwd=tmp_path)
    assert (tmp_path / "only.pyc").is_symlink() and not (tmp_path / "mod.pyc").is_symlink()
    assert [kept["path"] for kept in result.of("stage.sourceless")] == [str(tmp_path / "only.pyc")]


def test_a_source_that_is_a_fifo_or_a_device_is_not_opened(freshinit, tmp_path):
    source = write(tmp_path / "mod.py", OLD)
    code = "import py_compile as p; p.compile('mod.py', invalidation_mode=p.PycInvalidationMode.{})"
    subprocess.run(["/usr/bin/python3", "-c", code.format("UNCHECKED_HASH")], check=True, cwd=tmp_path)
    source.unlink()
    os.mkfifo(source)
    result = clean(freshinit, bytecode_stage("timeout = 5s"), cwd=tmp_path)
    assert result.code == 0 and result.done()["done"] == 1


def test_linked_sources_are_hashed_by_every_thread(freshinit, tmp_path):
    real = write(tmp_path / "real" / "mod.py", OLD)
    compile_with("/usr/bin/python3", real, "UNCHECKED_HASH")
    made, = (real.parent / "__pycache__").iterdir()
    for number in range(600):
        folder = tmp_path / "app" / f"p{number}"
        write(folder / "__pycache__" / made.name, made.read_bytes())
        (folder / "mod.py").symlink_to(real)
    result = clean(freshinit, bytecode_stage(), cwd=tmp_path / "app")
    assert result.done()["seen"] == 600 and result.done()["done"] == 0, result.err
