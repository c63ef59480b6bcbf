"""`freshinit seal`: what was built is written down, and anything else is told; never a false ok."""

import os
import py_compile
import shutil
import subprocess

import pytest


class Tree:
    def __init__(self, folder, freshinit):
        self.folder, self.freshinit = folder, freshinit
        self.app = folder / "app"
        self.seal_path = folder / "app.seal"
        self.write("pkg/__init__.py", "")
        self.write("pkg/views.py", "VALUE = 1\n")
        self.write("templates/page.html", "<p>one</p>")
        self.write("node_modules/x/index.py", "passed over")
        self.write("data.bin", "no code")
        self.compile("pkg/views.py")

    def write(self, name, text):
        path = self.app / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def compile(self, name):
        return py_compile.compile(str(self.app / name),
                                  invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP)

    def run(self, *words, env=None, seal=None):
        return subprocess.run([self.freshinit, *map(str, words)], capture_output=True, text=True,
                              timeout=30, check=False, cwd=self.folder,
                              env={"PATH": os.environ["PATH"], "FRESHINIT_STATE_DIR": "/proc/no",
                                   "FRESHINIT_SEAL": str(seal or self.seal_path),
                                   "GIT_COMMIT_HASH": "3f2a9c1", **(env or {})})

    def seal(self, *roots, **options):
        done = self.run("seal", *(roots or [self.app]), **options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, **options):
        """The lines of a start that are about the seal."""
        config = self.folder / "start.ini"
        config.write_text(f"[stage bytecode]\nclear = bytecode\nin = {self.app}\n")
        done = self.run("--config", config, "true", **options)
        assert done.returncode == 0, done.stderr
        return [line for line in done.stderr.splitlines() if "Seal: " in line], done.stderr


@pytest.fixture
def tree(tmp_path, freshinit):
    return Tree(tmp_path, freshinit)


def test_sources_templates_and_fresh_bytecode_are_sealed_with_the_release(tree):
    assert tree.seal().startswith(f"Sealed 4 files into {tree.seal_path} (")
    data = tree.seal_path.read_bytes()
    assert data.startswith(f"freshinit seal 1 3f2a9c1\nroot {tree.app}\nfiles 4\n\n".encode())
    assert b"node_modules" not in data and b"data.bin" not in data


def test_the_same_files_give_the_same_bytes(tree):
    tree.seal()
    first = tree.seal_path.read_bytes()
    other = tree.folder / "again"
    shutil.copytree(tree.app, other, copy_function=shutil.copy2)
    shutil.rmtree(tree.app)
    # In another order.
    for path in sorted(other.rglob("*"), reverse=True):
        if path.is_file() and path.suffix != ".pyc":
            target = tree.app / path.relative_to(other)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
    tree.compile("pkg/views.py")
    tree.seal(tree.app, f"{tree.app}/pkg")
    again = tree.seal_path.read_bytes()
    assert again.replace(f"root {tree.app}/pkg\n".encode(), b"")[:-8] == first[:-8]
    tree.seal()
    assert tree.seal_path.read_bytes() == first


def test_it_takes_few_bytes_for_each_file(tree):
    for number in range(1000):
        tree.write(f"pkg/module_{number:04}.py", f"VALUE = {number}\n")
    tree.seal()
    assert tree.seal_path.stat().st_size < 1004 * 32


def test_without_a_change_a_start_says_ok(tree):
    tree.seal()
    lines, _ = tree.start()
    assert len(lines) == 1 and "Seal: 3 files are as they were built" in lines[0]


def test_without_a_seal_a_start_says_nothing(tree):
    assert tree.start()[0] == []


CHANGES = {
    "changed": lambda t: t.write("pkg/views.py", "VALUE = 2\n"),
    "missing": lambda t: (t.app / "pkg/views.py").unlink(),
    "added": lambda t: t.write("pkg/views.py.py", ""),
    "a template": lambda t: t.write("templates/page.html", "<p>two</p>"),
}


@pytest.mark.parametrize("name, words", [
    ("changed", "1 changed (APP/pkg/views.py)"), ("missing", "1 missing (APP/pkg/views.py)"),
    ("added", "1 added (APP/pkg/views.py.py)"), ("a template", "1 changed (APP/templates/page.html)"),
])
def test_a_change_is_named(tree, name, words):
    tree.seal()
    CHANGES[name](tree)
    lines, _ = tree.start()
    assert len(lines) == 1
    assert "the disk is not what was built" in lines[0]
    assert words.replace("APP", str(tree.app)) in lines[0]


def test_of_many_the_first_names_are_told(tree):
    tree.seal()
    for number in range(9):
        tree.write(f"new_{number}.py", "")
    lines, _ = tree.start()
    assert "9 added (" in lines[0] and lines[0].endswith(", ...)")


def test_bytecode_may_come_and_go(tree):
    tree.seal()
    shutil.rmtree(tree.app / "pkg/__pycache__")
    tree.compile("pkg/__init__.py")
    assert "as they were built" in tree.start()[0][0]


def harm(data, how):
    return {"cut": data[:-20], "cut in the head": data[:30], "empty": b"", "longer": data + b"x",
            "a changed byte": data[:-30] + bytes([data[-30] ^ 1]) + data[-29:],
            "another version": data.replace(b"seal 1", b"seal 9", 1),
            "more files": data.replace(b"files 4", b"files 9", 1),
            "noise": os.urandom(300)}[how]


@pytest.mark.parametrize("how", ["cut", "cut in the head", "empty", "longer", "a changed byte",
                                 "another version", "more files", "noise"])
def test_a_seal_that_is_not_whole_is_never_ok(tree, how):
    tree.seal()
    tree.seal_path.write_bytes(harm(tree.seal_path.read_bytes(), how))
    lines, log = tree.start()
    assert any("is cut, changed, or of another version: seal again" in line for line in lines), log
    assert "as they were built" not in log


def test_a_seal_that_others_may_write_proves_nothing(tree):
    tree.seal()
    tree.seal_path.chmod(0o666)
    assert "may be written by others" in tree.start()[0][0]


def test_a_seal_of_another_tree_is_named(tree, tmp_path):
    tree.seal()
    shutil.rmtree(tree.app)
    tree.app.mkdir()
    assert f"made for another tree ({tree.app})" in tree.start()[0][0]


def test_a_release_that_nothing_else_tells_comes_from_the_seal(tree):
    tree.seal()
    _, log = tree.start(env={"GIT_COMMIT_HASH": ""})
    assert "release 3f2a9c1" in log


def age(path):
    """As if it were written long ago, by its times."""
    os.utime(path, (1700000000, 1700000000))


def test_with_a_seal_timestamp_bytecode_is_judged_with_certainty(tree):
    """The same second and the same size: by Python's own rule the old bytecode is good."""
    source = tree.app / "pkg/views.py"
    age(source)
    tree.compile("pkg/views.py")
    tree.seal()
    tree.write("pkg/views.py", "VALUE = 9\n")
    age(source)
    assert "1 of 1 file stale" in tree.start()[1]


def test_with_a_seal_good_bytecode_stays_whatever_the_times_of_change_say(tree):
    """A copy changes every ctime, so without a seal nothing could be shown."""
    source = tree.app / "pkg/views.py"
    tree.seal()
    (cached,) = (tree.app / "pkg/__pycache__").iterdir()
    os.chmod(cached, 0o600)
    os.chmod(source, 0o600)
    before = tree.start(seal="/nowhere")
    assert "1 of 1 file stale" in before[1] and not cached.exists()
    tree.compile("pkg/views.py")
    tree.seal()
    os.chmod(source, 0o644)
    assert "0 of 1 file stale" in tree.start()[1] and cached.exists()


def test_a_folder_that_is_not_there_is_a_fault(tree):
    done = tree.run("seal", "/nowhere/at/all")
    assert done.returncode == 1 and "/nowhere/at/all" in done.stderr


def test_system_folders_are_refused(tree):
    done = tree.run("seal", "/usr")
    assert done.returncode == 1 and "belongs to the system" in done.stderr


def test_where_it_can_not_be_written_it_says_so(tree):
    done = tree.run("seal", tree.app, seal="/proc/seal")
    assert done.returncode == 1 and "/proc/seal" in done.stderr
