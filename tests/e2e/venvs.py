#!/usr/bin/env python3
"""The Python servers of the tests: virtual environments below the cache folder, made at first use.

    venvs.py            makes all of them
    venvs.py newest     makes that one, and prints where its programs are
"""

import contextlib
import fcntl
import os
import pathlib
import shutil
import subprocess
import sys

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
FOLDER = CACHE / "freshinit" / "venvs"
PYTHON = "/usr/bin/python3"

# What pip is asked for. "debian" is what apt installed: nothing is made.
WANTED = {
    "newest": ["gunicorn", "uvicorn", "uvicorn-worker", "hypercorn", "granian"],
    # The oldest that freshinit promises to know. gunicorn 20.1 imports pkg_resources.
    "oldest": ["gunicorn==20.1.0", "uvicorn==0.20.0", "setuptools<81"],
    "debian": None,
}


class Unavailable(Exception):
    """They can't be had here, for the reason in its text."""


@contextlib.contextmanager
def one_at_a_time():
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make(name):
    path, wanted = FOLDER / name, WANTED[name]
    mark = path / "wanted"
    text = "\n".join(wanted)
    with one_at_a_time():
        if mark.exists() and mark.read_text(encoding="utf-8") == text:
            return path / "bin"
        shutil.rmtree(path, ignore_errors=True)
        for command in ([PYTHON, "-m", "venv", path],
                        [path / "bin/pip", "install", "--quiet", "--disable-pip-version-check", *wanted]):
            done = subprocess.run(command, capture_output=True, text=True, errors="replace")
            if done.returncode:
                shutil.rmtree(path, ignore_errors=True)
                raise Unavailable(f"{name}: {(done.stderr or done.stdout).strip()[-300:]}")
        mark.write_text(text, encoding="utf-8")
    return path / "bin"


def programs(name):
    """The folder of the programs of that set."""
    if WANTED[name] is not None:
        return make(name)
    if not all(shutil.which(program, path="/usr/bin") for program in ("gunicorn", "uvicorn")):
        raise Unavailable("debian: gunicorn and uvicorn are not installed (make deps)")
    return pathlib.Path("/usr/bin")


def main():
    for name in sys.argv[1:] or WANTED:
        try:
            print(name, programs(name))
        except Unavailable as why:
            sys.exit(f"venvs.py: {why}")


if __name__ == "__main__":
    main()
