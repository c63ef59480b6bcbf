#!/usr/bin/env python3
"""Runs suites of tests, all of them whatever fails, and counts: the last line is
`N passed, N failed, N skipped`. `make test` calls it; nothing else needs to.

    tests/run.py [--all] [--mode release|asan|coverage] SUITE...
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent
MAKE = [os.environ.get("MAKE", "make"), "--no-print-directory", f"-j{os.cpu_count()}"]
PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")

# Each is one test: the make target lint-NAME, and the programs it can't do without.
LINTS = {
    "layers": ["nm"],
    "format": ["clang-format"],
    "tidy": ["clang-tidy"],
    "cppcheck": ["cppcheck"],
    "analyzer": ["gcc"],
    "clang": ["clang"],
    "musl": ["gcc"],
    "shell": ["shellcheck"],
    "man": ["scdoc"],
}
# No suite takes as long as this; one that does hangs.
LONGEST_S = {"make test": 900, "make test-all": 7200}
UNIT_LONGEST_S = 120


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.notes = []

    def add(self, passed=0, failed=0, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped

    def fail(self, name, why):
        self.add(failed=1)
        self.note("FAILED", name, why)

    def skip(self, name, why):
        self.add(skipped=1)
        self.note("SKIPPED", name, why)

    def note(self, what, name, why):
        self.notes.append(f"{what} {name}: {why}")
        print(self.notes[-1], flush=True)

    def line(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def run(command, timeout=None, env=None, capture=False):
    """The exit status (None after the timeout) and, if captured, the output. Nothing is left."""
    child = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        start_new_session=True,
        text=True,
        errors="replace",
        stdout=subprocess.PIPE if capture else None,
        stderr=subprocess.STDOUT if capture else None,
    )
    try:
        output, _ = child.communicate(timeout=timeout)
        return child.returncode, output or ""
    except BaseException as error:
        os.killpg(child.pid, signal.SIGKILL)
        output, _ = child.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            return None, output or ""
        raise


def make(*targets):
    return run([*MAKE, "-k", *targets], capture=True)


def lint(tally, _options):
    for name, tools in LINTS.items():
        absent = [tool for tool in tools if not shutil.which(tool)]
        if absent:
            tally.skip(f"lint {name}", f"no {' '.join(absent)} (make deps)")
            continue
        status, output = make("-s", f"lint-{name}")
        if status:
            print(output)
            tally.fail(f"lint {name}", f"make lint-{name} says no")
        else:
            tally.add(passed=1)


def count_cmocka(output):
    found = {}
    for word in ("PASSED", "FAILED", "SKIPPED"):
        numbers = re.findall(rf"^\[  {word} *\] (\d+) test\(s\)", output, re.M)
        found[word.lower()] = sum(map(int, numbers))
    return found


def unit(tally, options):
    names = sorted(path.stem for path in (ROOT / "tests/unit").glob("test_*.c"))
    if not names:
        tally.fail("unit", "there are no tests")
        return
    folder = f"build/{options.mode}/unit"
    status, output = make(*(f"{folder}/{name}" for name in names))
    if status:
        print(output)
    for name in names:
        # What does not build now must not pass with the program of before.
        if status and make("-q", f"{folder}/{name}")[0]:
            tally.fail(f"unit {name}", "does not build")
            continue
        code, output = run([f"{folder}/{name}"], timeout=UNIT_LONGEST_S, capture=True)
        counts = count_cmocka(output)
        tally.add(**counts)
        if code != 0:
            print(output)
        if code is None:
            tally.fail(f"unit {name}", f"still ran after {UNIT_LONGEST_S} s")
        elif code != 0 and not counts["failed"]:
            tally.fail(f"unit {name}", f"ended with status {code}")
        elif not any(counts.values()):
            tally.fail(f"unit {name}", "told of no test")


def corpus(tally, _options):
    """Every input that once mattered, through its parser under ASan and UBSan."""
    targets = sorted(path.stem for path in (ROOT / "tests/fuzz").glob("fuzz_*.c"))
    if not targets:
        tally.fail("corpus", "there are no fuzz targets")
    for name in targets:
        inputs = sorted((ROOT / "tests/fuzz/corpus" / name.removeprefix("fuzz_")).glob("*"))
        if not inputs:
            tally.fail(f"corpus {name}", "has no inputs")
            continue
        status, output = make(f"build/asan/fuzz/{name}")
        if status:
            print(output)
            tally.fail(f"corpus {name}", "does not build")
            continue
        code, output = run([f"build/asan/fuzz/{name}", *map(str, inputs)], 60, capture=True)
        if code == 0:
            tally.add(passed=1)
        else:
            print(output[-4000:])
            tally.fail(f"corpus {name}", "still ran after 60 s" if code is None else "crashed")


def pytest(tally, options, suite, timeout):
    folder = ROOT / "tests" / suite
    if not list(folder.glob("test_*.py")):
        tally.fail(suite, "there are no tests")
        return
    binary = "build/static/freshinit" if options.mode == "release" else f"build/{options.mode}/freshinit"
    status, output = make(binary)
    if status:
        print(output)
        tally.fail(suite, f"{binary} does not build")
        return
    report = ROOT / "build/results" / f"{suite}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    command = [PYTHON, "-m", "pytest", "-q", "-rs", f"--junitxml={report}", str(folder)]
    env = {"FRESHINIT": str(ROOT / binary), "PYTHONDONTWRITEBYTECODE": "1"}
    if options.mode == "asan":
        # What the arena holds lives until the end.
        env["ASAN_OPTIONS"] = "detect_leaks=0"
    if options.all:
        env["FRESHINIT_TEST_ALL"] = "1"
    else:
        command += ["-m", "not matrix"]
    status, _ = run(command, timeout=timeout, env=env)
    if not report.exists():
        why = f"still ran after {timeout:.0f} s" if status is None else f"pytest ended with {status}"
        tally.fail(suite, why)
        return
    counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for part in xml.parse(report).getroot().iter("testsuite"):
        for key in counts:
            counts[key] += int(part.get(key, 0))
    failed = counts["failures"] + counts["errors"]
    tally.add(counts["tests"] - failed - counts["skipped"], failed, counts["skipped"])
    if status and not failed:
        tally.fail(suite, f"pytest ended with {status}")


def run_suite(name, tally, options, timeout):
    own = {"lint": lint, "unit": unit, "corpus": corpus}
    if name in own:
        own[name](tally, options)
    elif not run([PYTHON, "-c", "import pytest"], capture=True)[0] == 0:
        tally.skip(name, "no python3-pytest (make deps)")
    else:
        pytest(tally, options, name, timeout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true", help="the matrices as well")
    parser.add_argument("--mode", default="release")
    parser.add_argument("suites", nargs="+")
    options = parser.parse_args()
    timeout = LONGEST_S["make test-all" if options.all else "make test"]
    total = Tally()
    rows = []
    for name in options.suites:
        print(f"== {name}", flush=True)
        tally, start = Tally(), time.monotonic()
        run_suite(name, tally, options, timeout)
        total.add(tally.passed, tally.failed, tally.skipped)
        total.notes += tally.notes
        rows.append(f"{name:8} {tally.line()}, {time.monotonic() - start:.0f} s")
    print("==", *rows, *total.notes, sep="\n")
    print(total.line(), flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
