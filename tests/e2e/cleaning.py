"""Helpers of test_files_*.py: one stage, run by `freshinit clean`, and what it says."""

import json
import os
import pathlib
import re
import subprocess

PYTHONS = sorted({path for path in [*map(str, pathlib.Path.home().glob(".pyenv/versions/3.*/bin/python")),
                                    "/usr/bin/python3"] if os.path.exists(path)})


def pythons(least=(3, 8)):
    """Every CPython of this machine from `least` on, one path for each minor."""
    found = {}
    for path in PYTHONS:
        text = subprocess.run([path, "-c", "import sys; print(*sys.version_info[:2], "
                               "sys.implementation.name)"], capture_output=True, text=True)
        words = text.stdout.split()
        if len(words) == 3 and words[2] == "cpython" and (int(words[0]), int(words[1])) >= least:
            found.setdefault((int(words[0]), int(words[1])), path)
    return found


def stage(*lines, name="s"):
    return "\n".join([f"[stage {name}]", *lines, "when = build start reload", ""])


class Result:
    def __init__(self, run):
        self.code = run.returncode
        self.out = run.stdout.decode(errors="surrogateescape").splitlines()
        self.err = run.stderr.decode(errors="surrogateescape")
        self.events = [json.loads(line) for line in self.err.splitlines() if line.startswith("{")]

    def done(self, name="s"):
        rows = [event for event in self.events
                if event["event"] == "stage.done" and event.get("stage") == name]
        assert len(rows) == 1, self.err
        return rows[0]

    def of(self, event):
        return [row for row in self.events if row["event"] == event]


def clean(freshinit, text, *words, cwd="/", log="json", prefix=(), wrap=None, **environment):
    """Runs `freshinit clean` with this configuration; `wrap` is called before exec."""
    config = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"freshinit-clean-{os.getpid()}.ini"
    config.write_text(f"[freshinit]\nlog = {log}\nlog_level = debug\n" + text)
    config.chmod(0o644)
    env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **environment}
    try:
        return Result(subprocess.run([*prefix, freshinit, "--config", str(config), "clean", *words],
                                     capture_output=True, cwd=cwd, env=env, timeout=100,
                                     preexec_fn=wrap))
    finally:
        config.unlink()


def names(folder):
    """Everything below, as relative paths."""
    found = set()
    for path, folders, files in os.walk(os.fsencode(folder)):
        for name in folders + files:
            found.add(os.path.relpath(os.path.join(path, name), os.fsencode(folder)))
    return found


def write(path, content=b""):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def number(pattern, text):
    return int(re.search(pattern, text).group(1))
