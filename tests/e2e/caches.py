"""Real redis and memcached servers on loopback, as a user without rights; and servers that lie."""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading

import pytest

NOBODY = 65534


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def unprivileged(words):
    if os.geteuid() != 0:
        return words
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--", *words]


class Redis:
    """One server; call("GET", "x") is its raw answer: bytes, int, None, or a list."""

    program = "redis-server"
    ready = "Ready to accept connections"

    def __init__(self, folder, port, password=None):
        self.port, self.socket_path, self.password = port, str(folder / "redis.sock"), password

    def words(self, options):
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket",
                self.socket_path, "--unixsocketperm", "777", "--save", "", "--appendonly", "no",
                "--maxclients", "1000", *options]

    def call(self, *words, db=0):
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as wire:
            stream = wire.makefile("rb")
            commands = [("AUTH", self.password)] if self.password else []
            commands += [("SELECT", db), words]
            for command in commands:
                parts = [w if isinstance(w, bytes) else str(w).encode() for w in command]
                wire.sendall(b"*%d\r\n" % len(parts)
                             + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
                answer = self.answer(stream)
            return answer

    def answer(self, stream):
        kind, rest = (line := stream.readline())[:1], line[1:-2]
        if kind == b"$":
            return None if rest == b"-1" else stream.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.answer(stream) for _ in range(int(rest))]
        return int(rest) if kind == b":" else rest

    def calls_of(self, command):
        """How often the server has carried it out."""
        found = re.search(rb"cmdstat_%s:calls=(\d+)" % command.encode(),
                          self.call("INFO", "commandstats"))
        return int(found.group(1)) if found else 0

    def url(self, db=0):
        return f"redis://127.0.0.1:{self.port}/{db}"


class Memcached:
    """One server; call("get x") is the text of its answer, up to its last line."""

    program = "memcached"
    ready = "server listening"

    def __init__(self, folder, port, unix=False):
        self.port, self.socket_path, self.unix = port, str(folder / "memcached.sock"), unix

    def words(self, options):
        place = (["-s", self.socket_path, "-a", "777"] if self.unix
                 else ["-p", str(self.port), "-l", "127.0.0.1"])
        return ["memcached", "-vv", "-U", "0", "-m", "64", *place, *options]

    def call(self, command):
        family = socket.AF_UNIX if self.unix else socket.AF_INET
        with socket.socket(family) as wire:
            wire.settimeout(20)
            wire.connect(self.socket_path if self.unix else ("127.0.0.1", self.port))
            wire.sendall(command.encode() + b"\r\n")
            last = re.compile(rb"(?m)^(END|STORED|NOT_STORED|OK|ERROR|DELETED|\w+_ERROR.*)\r\n\Z")
            text = b""
            while not last.search(text):
                part = wire.recv(65536)
                assert part, text
                text += part
            return text.decode()

    def set(self, key, value):
        assert self.call(f"set {key} 0 0 {len(value)}\r\n{value}") == "STORED\r\n"

    def get(self, key):
        found = re.match(r"VALUE \S+ \d+ \d+\r\n(.*)\r\nEND", self.call(f"get {key}"), re.S)
        return found.group(1) if found else None

    def flushes(self):
        return int(re.search(r"STAT cmd_flush (\d+)", self.call("stats")).group(1))

    def url(self):
        return (f"memcached+unix://{self.socket_path}" if self.unix
                else f"memcached://127.0.0.1:{self.port}")


@contextlib.contextmanager
def running(server, options):
    process = subprocess.Popen(unprivileged(server.words(options)), stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    try:
        for line in process.stdout:
            if server.ready in line:
                break
        else:
            pytest.fail(f"{server.program} did not start")
        drain = threading.Thread(target=process.stdout.read, daemon=True)
        drain.start()
        yield server
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def cache_folder():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="freshinit-cache."))
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def starter(kind):
    @pytest.fixture
    def start(cache_folder):
        """start(options...): a server of its own, ended with the test."""
        if not shutil.which(kind.program):
            pytest.skip(f"{kind.program} is not installed")
        with contextlib.ExitStack() as stack:
            def start(*options, **own):
                server = kind(cache_folder, free_port(), **own)
                return stack.enter_context(running(server, options))
            yield start
    return start


start_redis = starter(Redis)
start_memcached = starter(Memcached)


@pytest.fixture
def redis(start_redis):
    return start_redis()


@pytest.fixture
def memcached(start_memcached):
    return start_memcached()


@contextlib.contextmanager
def lying(say):
    listener = socket.create_server(("127.0.0.1", 0))
    is_over = threading.Event()

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(20)
                say(connection, is_over)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        is_over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(20)


@pytest.fixture
def liar():
    """with liar(say) as port: a server that calls say(connection, is_over) for whoever comes."""
    return lying


@pytest.fixture
def run_config(freshinit, tmp_path):
    """run_config(text, words...): freshinit with that configuration, to its end."""

    def run(config, *words, env=None, timeout=60):
        path = tmp_path / "freshinit.ini"
        path.write_text(config, encoding="utf-8")
        path.chmod(0o644)
        words = words or ("/bin/true",)
        return subprocess.run([freshinit, "--config", str(path), *words], text=True, cwd=tmp_path,
                              timeout=timeout, capture_output=True, stdin=subprocess.DEVNULL,
                              env={"PATH": os.environ["PATH"], **(env or {})}, check=False)

    return run
