"""A container, watched without sleeping: a line of its log or its end is waited for, with a deadline.

It keeps its own name and is removed by it; no other container is touched.
"""

import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import uuid

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from boxes import WITHIN, Stream, until  # noqa: E402, F401


def docker(*words, check=True, within=300):
    done = subprocess.run(["docker", *map(str, words)], capture_output=True, text=True, timeout=within)
    if check and done.returncode:
        raise AssertionError(f"docker {' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
    return done.stdout.strip() if check else done


class Container:
    """One running container; its log arrives line by line."""

    def __init__(self, words):
        self.name = f"freshinit-test-{uuid.uuid4().hex[:12]}"
        self.changed = threading.Condition()
        self.words = words
        self.process = subprocess.Popen(["docker", "run", "--name", self.name, *words],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.streams = {"out": self.watch(self.process.stdout), "err": self.watch(self.process.stderr)}

    def watch(self, file):
        stream = Stream(os.dup(file.fileno()), self.changed)
        file.close()
        return stream

    def lines(self, stream=None):
        with self.changed:
            return [line for name, one in self.streams.items() if stream in (None, name)
                    for line in one.lines]

    @property
    def out(self):
        return self.lines("out")

    @property
    def err(self):
        return self.lines("err")

    def transcript(self):
        return "\n".join([f"$ docker run {' '.join(self.words)}", *self.lines()[-80:]])

    def wait_line(self, pattern, within=WITHIN, count=1):
        """The count-th line that matches; its re.Match."""
        wanted = re.compile(pattern)
        deadline = time.monotonic() + within
        with self.changed:
            while True:
                found = [m for one in self.streams.values() for m in map(wanted.search, one.lines) if m]
                if len(found) >= count:
                    return found[count - 1]
                left = deadline - time.monotonic()
                if left <= 0 or all(one.is_over for one in self.streams.values()):
                    break
                self.changed.wait(min(left, 1.0))
        raise AssertionError(f"no line {count} with {pattern!r}\n{self.transcript()}")

    def wait(self, within=WITHIN):
        """The container's exit status; all of its log has arrived afterwards."""
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not end within {within} s\n{self.transcript()}") from None
        for stream in self.streams.values():
            stream.thread.join(within)
        return int(self.inspect("{{.State.ExitCode}}"))

    def stop(self, *options):
        """docker stop; the seconds it took."""
        begin = time.monotonic()
        docker("stop", *options, self.name)
        return time.monotonic() - begin

    def kill(self, signal):
        docker("kill", "--signal", signal, self.name)

    def inspect(self, form):
        return docker("inspect", "--format", form, self.name)

    def run(self, *command, options=()):
        """docker exec, to its end; what it printed."""
        return docker("exec", *options, self.name, *command)

    def start(self, name, *command):
        """docker exec, going on; its output joins the log."""
        process = subprocess.Popen(["docker", "exec", self.name, *command], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.streams[name] = self.watch(process.stdout)
        return process

    def page(self, path="/", port=8000):
        """The answer to one request: (status, text, headers). The server must be listening."""
        host = self.inspect("{{.NetworkSettings.IPAddress}}")
        connection = http.client.HTTPConnection(host, port, timeout=WITHIN)
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers

    def host_pids(self):
        """The processes of the container as the host sees them."""
        return [int(pid) for pid in docker("top", self.name, "-o", "pid").split()[1:]]

    def remove(self):
        docker("rm", "--force", self.name, check=False)
        self.process.wait(WITHIN)
        for stream in self.streams.values():
            stream.thread.join(WITHIN)


def report(one):
    """What the helper `report` printed."""
    return json.loads(one.wait_line(r"^\{.*\}$")[0])
