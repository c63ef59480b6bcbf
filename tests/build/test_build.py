"""The build's own promises: the same bytes each time, nothing needed at run time, clear refusals."""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(
    os.environ.get("DOWNLOADS")
    or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    / "freshinit/downloads"
)


def run(*command, cwd=ROOT, **environment):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    env.update(environment)
    return subprocess.run(command, cwd=cwd, env=env, text=True, capture_output=True, timeout=600)


def make(*arguments, cwd=ROOT, **environment):
    return run("make", "--no-print-directory", *arguments, cwd=cwd, **environment)


def ok(result):
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def copy_tree(folder):
    """What a build reads, in a place of its own."""
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    for name in ("src", "include", "scripts"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def static():
    ok(make("-j2", "static"))
    return ROOT / "build/static/freshinit"


@pytest.fixture(scope="session")
def elsewhere(static, tmp_path_factory):
    """Everything from nothing, musl too, in a folder of another depth."""
    assert static.exists()
    tree = copy_tree(tmp_path_factory.mktemp("build") / "much" / "deeper")
    ok(make("-j2", "static", cwd=tree))
    return tree / "build/static/freshinit"


@pytest.fixture(scope="session")
def dynamic():
    ok(make("-j2"))
    return ROOT / "build/freshinit"


def test_the_same_inputs_give_the_same_bytes_in_another_folder(static, elsewhere):
    assert sha256(static) == sha256(elsewhere)


def test_the_static_binary_needs_no_library_and_no_loader(static):
    headers = ok(run("readelf", "-lWd", str(static)))
    assert "INTERP" not in headers
    assert "NEEDED" not in headers
    assert "RWE" not in headers


def test_the_static_binary_keeps_its_size(static):
    limit = int(re.search(r"at most (\d+)", ok(make("size")))[1])
    assert static.stat().st_size <= limit


def test_the_static_binary_says_its_version(static):
    version = re.search(r"^VERSION := (\S+)", (ROOT / "Makefile").read_text(), re.M)[1]
    assert version in ok(run(str(static), "--version"))


def test_the_arm64_binary_runs_a_command(tmp_path):
    for tool in ("aarch64-linux-gnu-gcc", "qemu-aarch64-static"):
        if not shutil.which(tool):
            pytest.skip(f"no {tool} (make deps)")
    ok(make("-j2", "static", "ARCH=arm64"))
    binary = ROOT / "build/static-arm64/freshinit"
    assert "AArch64" in ok(run("readelf", "-h", str(binary)))
    assert "freshinit" in ok(run("qemu-aarch64-static", str(binary), "--version"))
    # As PID 1, since qemu's user mode knows no subreaper.
    space = ["unshare", "--pid", "--fork", "--mount-proc"]
    if os.geteuid() != 0:
        space += ["--user", "--map-root-user"]
    ended = run(*space, "qemu-aarch64-static", str(binary), "--no-stages", "sh", "-c", "exit 7",
                cwd=tmp_path)
    assert ended.returncode == 7, ended.stderr


def test_the_default_build_is_hardened(dynamic):
    headers = ok(run("readelf", "-lhdW", str(dynamic)))
    assert "DYN (Position-Independent Executable" in headers
    assert "GNU_RELRO" in headers
    assert "BIND_NOW" in headers or "FLAGS_1" in headers and "NOW" in headers
    assert "RWE" not in headers
    assert "__stack_chk_fail" in ok(run("nm", "-D", str(dynamic)))


def test_your_flags_come_after_our_own(tmp_path):
    tree = copy_tree(tmp_path / "tree")
    plan = ok(make("-n", "CC=mycc", "CFLAGS=-O1", "CPPFLAGS=-DMINE", "LDFLAGS=-Wl,-mine", "LDLIBS=-lmine",
                   cwd=tree))
    compiled = next(line for line in plan.splitlines() if "-c -o build/release/main.o" in line)
    linked = next(line for line in plan.splitlines() if "-o build/release/freshinit" in line)
    assert re.search(r"mycc .*-fstack-protector-strong.* -DMINE -O1 ", compiled)
    assert re.search(r"mycc .*-Wl,-z,relro.* -Wl,-mine .* -lmine( |$)", linked)


def test_a_missing_library_is_one_line_that_says_what_to_do(tmp_path):
    tree = copy_tree(tmp_path / "tree")
    refused = make("-j2", cwd=tree, PKG_CONFIG_LIBDIR="/nonexistent")
    assert refused.returncode != 0
    ours = [line for line in refused.stderr.splitlines() if "make: ***" not in line]
    assert ours == ["inih is missing (or pkg-config is): run 'make deps'"], refused.stderr


def test_another_flag_makes_every_object_again(tmp_path):
    tree = copy_tree(tmp_path / "tree")
    ok(make("build/release/base/clock.o", cwd=tree))
    assert "clock.o" not in ok(make("build/release/base/clock.o", cwd=tree))
    assert "clock.o" in ok(make("build/release/base/clock.o", "CFLAGS=-O1", cwd=tree))


def test_install_puts_binary_and_manual_below_destdir_and_uninstall_removes_them(tmp_path, dynamic):
    assert dynamic.exists()
    target = tmp_path / "root"
    ok(make("install", f"DESTDIR={target}", "PREFIX=/usr"))
    there = sorted(str(p.relative_to(target)) for p in target.rglob("*") if p.is_file())
    assert "usr/bin/freshinit" in there
    assert "usr/share/man/man8/freshinit.8" in there
    ok(make("uninstall", f"DESTDIR={target}", "PREFIX=/usr"))
    assert not [p for p in target.rglob("*") if p.is_file()]


def test_the_source_archive_is_the_same_each_time(tmp_path):
    ok(run("git", "clone", "-q", "--no-hardlinks", str(ROOT), str(tmp_path / "clone")))
    sums = set()
    for _ in range(2):
        ok(make("dist", cwd=tmp_path / "clone"))
        sums.add(sha256(next((tmp_path / "clone/build/dist").glob("*.tar.gz"))))
        shutil.rmtree(tmp_path / "clone/build")
    assert len(sums) == 1


def test_cached_sources_need_no_network(tmp_path, static):
    assert static.exists()
    ok(run(ROOT / "scripts/fetch.sh", str(tmp_path / "out"), "inih", DOWNLOADS=str(CACHE),
           DEBIAN_MIRROR="file:///nonexistent"))
    assert (tmp_path / "out/libinih_59.orig.tar.gz").exists()


def test_a_source_with_another_checksum_is_never_used(tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "libinih_59.orig.tar.gz").write_bytes(b"not what was pinned")
    refused = run(ROOT / "scripts/fetch.sh", str(tmp_path / "out"), "inih", DOWNLOADS=str(cache),
                  DEBIAN_MIRROR="file:///nonexistent")
    assert refused.returncode != 0
    assert "cannot download libinih_59.orig.tar.gz" in refused.stderr
    assert not list((tmp_path / "out").glob("*.gz"))


def test_help_names_every_target_that_people_use():
    told = {word for line in ok(make("help")).splitlines() for word in line.split("  ")[0].split()}
    assert {"all", "static", "test", "test-all", "lint", "install", "clean", "demo", "deps"} <= told
