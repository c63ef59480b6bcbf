"""A command as PID 1 (or not) in namespaces of its own, watched without sleeping.

Everything waits for an event with a deadline. What is started here ends here: the namespace ends
with its helper, and the helper with this process.
"""

import ctypes
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

WITHIN = 30.0


def set_parent_death_signal():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def until(look, what, within=WITHIN, box=None):
    """The first true answer of look(): for what gives no event, looked at often."""
    pause = threading.Event()
    deadline = time.monotonic() + within
    while True:
        answer = look()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {within} s"
                                 + (f"\n{box.transcript()}" if box else ""))
        pause.wait(0.02)


class Stream:
    """The lines of one descriptor, as they come."""

    def __init__(self, fd, changed):
        self.fd = fd
        self.enough, self.stop_end = os.pipe()
        self.changed = changed
        self.lines = []
        self.rest = b""
        self.is_over = False
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def stop(self):
        """Reads no more, and closes the descriptor."""
        if self.thread.is_alive():
            os.write(self.stop_end, b"x")
            self.thread.join(WITHIN)

    def _read(self):
        while True:
            ready, _, _ = select.select([self.fd, self.enough], [], [])
            try:
                data = b"" if self.enough in ready else os.read(self.fd, 65536)
            except OSError:  # a terminal whose last user has gone
                data = b""
            with self.changed:
                *whole, self.rest = (self.rest + data).split(b"\n")
                if not data and self.rest:
                    whole.append(self.rest)
                    self.rest = b""
                self.lines += [line.decode("utf-8", "replace").rstrip("\r") for line in whole]
                self.is_over = not data
                self.changed.notify_all()
            if not data:
                break
        for fd in (self.fd, self.enough, self.stop_end):
            os.close(fd)


def process(pid):
    """What /proc tells of one process of the host's view, or None when it has gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        inside = int(status["NSpid"].split()[-1])
        return {"host_pid": pid, "pid": inside, "name": status["Name"], "status": status,
                "state": status["State"][0], "parent": int(status["PPid"])}
    except (OSError, ValueError, KeyError):
        return None


class Box:
    """One running command. `pid` is its PID as this test sees it."""

    def __init__(self, words, options, environment, stdin=None, tty=False, stderr=None, helper=None):
        self.changed = threading.Condition()
        self.transcript_title = " ".join(map(str, words))
        self.streams = {}
        self.pid = self.init = self.master = None
        self.as_child = "--child" in options
        told_read, told_write = os.pipe()
        mine = [told_write]
        if tty:
            self.master, slave = pty.openpty()
            fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 80, 0, 0))
            out_read = os.dup(self.master)
            given = {"stdin": slave, "stdout": slave, "stderr": slave}
            mine.append(slave)
            options = ["--ctty", *options]
        else:
            out_read, out_write = os.pipe()
            given = {"stdin": stdin if stdin is not None else subprocess.DEVNULL, "stdout": out_write}
            mine.append(out_write)
            if stderr is None:
                err_read, err_write = os.pipe()
                mine.append(err_write)
                self.streams["err"] = Stream(err_read, self.changed)
                given["stderr"] = err_write
            else:
                given["stderr"] = stderr
        self.streams["out"] = Stream(out_read, self.changed)
        self.streams["told"] = Stream(told_read, self.changed)
        command = [helper, "--tell", str(told_write), *options, "--", *map(str, words)]
        self.process = subprocess.Popen(command, env=environment, pass_fds=[told_write],
                                        preexec_fn=set_parent_death_signal, **given)
        for fd in mine:
            os.close(fd)

    # What it said

    def lines(self, stream=None):
        names = [stream] if stream else [name for name in ("out", "err") if name in self.streams]
        with self.changed:
            return [line for name in names for line in self.streams[name].lines]

    @property
    def out(self):
        return self.lines("out")

    @property
    def err(self):
        return self.lines("err")

    @property
    def log(self):
        """The log as objects; every line of stderr that is no JSON is a failure."""
        return [json.loads(line) for line in self.err]

    def transcript(self):
        parts = [f"$ {self.transcript_title}"]
        for name in self.streams:
            parts += [f"{name:>4}| {line}" for line in self.lines(name)[-60:]]
        return "\n".join(parts)

    # Waiting

    def wait_for(self, condition, what, within=WITHIN):
        """Until condition() is true; it is looked at again after each line and each end of a stream."""
        deadline = time.monotonic() + within
        with self.changed:
            while True:
                value = condition()
                if value:
                    return value
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                if all(stream.is_over for stream in self.streams.values()):
                    break
                self.changed.wait(min(left, 1.0))
        raise AssertionError(f"{what} did not come within {within} s\n{self.transcript()}")

    def wait_line(self, pattern, within=WITHIN, stream=None, count=1):
        """The count-th line that matches; its re.Match."""
        wanted = re.compile(pattern)

        def seen():
            found = [match for match in map(wanted.search, self.lines(stream)) if match]
            return found[count - 1] if len(found) >= count else None

        return self.wait_for(seen, f"line {count} with {pattern!r}", within)

    def wait_told(self, pattern, within=WITHIN):
        return self.wait_line(pattern, within, "told")

    def wait_started(self, within=WITHIN):
        """The command was started (its exec may still be under way)."""
        if self.pid is None:
            inside = int(self.wait_told(r"^pid (\d+)$", within)[1])
            if self.as_child:
                self.init = int(self.wait_told(r"^init (\d+)$", within)[1])
                self.pid = next((p["host_pid"] for p in self.processes() if p["pid"] == inside), None)
            else:
                self.pid = self.init = inside
        return self.pid

    def wait_status(self, within=WITHIN):
        """The wait status, once it ended."""
        return int(self.wait_told(r"^status (\d+)$", within)[1])

    def wait(self, within=WITHIN):
        """The exit code; -N when it was ended by signal N. All output has arrived afterwards."""
        status = self.wait_status(within)
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the box did not end\n{self.transcript()}") from None
        for stream in self.streams.values():
            stream.thread.join(within)
        return os.waitstatus_to_exitcode(status)

    def wait_process(self, condition, what, within=WITHIN):
        """Until condition(processes) is true: for what gives no event, looked at often."""
        deadline = time.monotonic() + within
        while True:
            value = condition(self.processes())
            if value:
                return value
            if time.monotonic() > deadline:
                seen = [(p["pid"], p["name"], p["state"]) for p in self.processes()]
                raise AssertionError(f"{what} did not come within {within} s: {seen[:40]}\n"
                                     f"{self.transcript()}")
            with self.changed:
                self.changed.wait(0.01)

    def wait_rest(self):
        """Until every process waits: PID 1 has done, and written down, what there was to do."""
        self.wait_process(lambda all_: all(p["state"] == "S" for p in all_), "rest")

    # Doing

    def signal(self, number):
        os.kill(self.wait_started() or 0x7FFFFFFF, number)  # the latter: ProcessLookupError

    def type(self, data):
        os.write(self.master, data)

    def bring_to_front(self):
        """As a shell's `fg`: box's PID 1 gives the terminal back to the job, and wakes it."""
        os.kill(self.init, signal.SIGUSR1)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hang_up(self):
        self.streams["out"].stop()
        os.close(self.master)
        self.master = None

    def processes(self):
        """All processes of the namespace, without box's own PID 1."""
        try:
            namespace = os.readlink(f"/proc/{self.init}/ns/pid")
        except OSError:
            return []
        found = []
        for name in os.listdir("/proc"):
            if not name.isdigit() or (self.as_child and int(name) == self.init):
                continue
            try:
                if os.readlink(f"/proc/{name}/ns/pid") != namespace:
                    continue
            except OSError:
                # A zombie has no namespace left to show, but still its parents.
                if not self._is_inside(name):
                    continue
            entry = process(int(name))
            if entry:
                found.append(entry)
        return found

    def _is_inside(self, pid):
        entry = process(int(pid))
        while entry and entry["host_pid"] != self.init and entry["parent"] > 1:
            entry = process(entry["parent"])
        return bool(entry) and entry["host_pid"] == self.init

    def host_pid(self, inside):
        """The PID as this test sees it of one that the namespace calls `inside`."""
        return next(p["host_pid"] for p in self.processes() if p["pid"] == int(inside))

    def zombies(self):
        return [p for p in self.processes() if p["state"] == "Z"]

    def left(self):
        """After the end, not as PID 1: the names of the processes that were left."""
        return [line.split()[3] for line in self.lines("told") if line.startswith("left ")]

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(WITHIN)
        if self.master is not None:
            os.close(self.master)
            self.master = None
        for stream in self.streams.values():
            stream.thread.join(WITHIN)
