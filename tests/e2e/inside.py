"""freshinit's looking subcommands, run in the namespaces of a box as `docker exec` does."""

import json
import os
import subprocess

from boxes import WITHIN


class Answer:
    def __init__(self, done):
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    @property
    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return f"{self.code}\n{self.out}{self.err}"


def inside(box, program, *words, uid=None, env=None, folder=None):
    """Runs it to its end beside the box's processes, but not below them."""
    box.wait_started()
    enter = ["nsenter", f"--target={box.init}", "--pid", "--mount"]
    enter += ["--user", "--preserve-credentials"] if os.geteuid() else []
    enter += [f"--wdns={folder}"] if folder else []
    if uid is not None:
        enter += [f"--setuid={uid}", f"--setgid={uid}"]
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", **(env or {})}
    done = subprocess.run([*enter, "--", program, *map(str, words)], capture_output=True, text=True,
                          timeout=WITHIN, env=environment, check=False)
    return Answer(done)


def status(box, freshinit, *words, **options):
    answer = inside(box, freshinit, "status", "--json", *words, **options)
    assert answer.code == 0, answer
    return answer.json

