"""The Python servers below freshinit: which there are, an application whose release can be seen, and
a server that runs in a box, asked from outside."""

import http.client
import os
import pathlib
import random
import signal
import socket
import threading
from dataclasses import dataclass

import pytest

import venvs
from boxes import WITHIN, until
from load import Load

# Under load of the machine a Python server needs seconds to come up.
SLOW = 60.0

# Its release is what the file says when it is imported; "broken" is a new release that can't be, and
# "failing" one that answers with errors.
APP = r'''
import asyncio
import os
import pathlib
import sys
import time

RELEASE = pathlib.Path(__file__).with_name("release").read_text().strip()
if RELEASE == "broken":
    raise RuntimeError("this release is broken")
os.write(1, f"loaded {os.getpid()}\n".encode())


def words():
    return f"{RELEASE} {os.getpid()}".encode()


def seconds(path):
    """/slow/0.5 answers after that time; /stuck, which never does, says so first."""
    if path == "/stuck":
        os.write(1, f"stuck {os.getpid()}\n".encode())
        return 10000.0
    if path.startswith("/slow/"):
        os.write(1, f"slow {os.getpid()}\n".encode())
        return float(path[6:])
    return 0.0


def wsgi(environ, start_response):
    time.sleep(seconds(environ["PATH_INFO"]))
    body = words()
    status = "500 Internal Server Error" if RELEASE == "failing" else "200 OK"
    start_response(status, [("Content-Length", str(len(body)))])
    return [body]


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await asyncio.sleep(seconds(scope["path"]))
    body = words()
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})
'''


# A master and one worker that serves: enough of gunicorn for freshinit to take it for one.
LIGHT = r'''#!/usr/bin/python3 -SE
import os, signal, socket
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
listener = socket.socket(fileno=3)
pid = os.fork()
if pid:
    def end(*_):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os._exit(0)
    signal.signal(signal.SIGTERM, end)
    os.write(1, b"loaded 1\n")
    while True:
        signal.pause()
while True:
    connection, _ = listener.accept()
    connection.recv(65536)
    body = b"r1 %d" % os.getpid()
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"
                       % (len(body), body))
    connection.close()
'''


@dataclass(frozen=True)
class Server:
    name: str      # of the row in the table
    venv: str
    words: tuple   # program and arguments, without an address
    address: tuple # the words by which it binds by itself: "PORT" stands for the port
    takes_listen: bool = True
    loads: int = 2  # processes that import the application


GUNICORN = ("--bind", "127.0.0.1:PORT")
UVICORN = ("--host", "127.0.0.1", "--port", "PORT")
WORKERS = ("--workers", "2")
BEAT = ("--worker-tmp-dir", "/dev/shm")


def gunicorn(venv, title, *more, app="app:wsgi", **other):
    return Server(f"gunicorn {title}", venv, ("gunicorn", app, *WORKERS, *BEAT, *more), GUNICORN, **other)


def uvicorn(venv, title, workers=1):
    more = ("--workers", str(workers)) if workers > 1 else ()
    title += f", {workers} workers" if workers > 1 else ""
    return Server(f"uvicorn {title}", venv, ("uvicorn", "app:asgi", "--no-access-log", *more), UVICORN, loads=workers)


NEWEST, OLDEST, DEBIAN = "newest", "oldest", "debian"
SERVERS = {
    "gunicorn": gunicorn(NEWEST, "27.0, sync"),
    "gunicorn-threads": gunicorn(NEWEST, "27.0, threads", "--threads", "4"),
    "gunicorn-asgi": gunicorn(NEWEST, "27.0, UvicornWorker", "--worker-class",
                              "uvicorn_worker.UvicornWorker", app="app:asgi"),
    "gunicorn-preload": gunicorn(NEWEST, "27.0, --preload", "--preload", loads=1),
    "uvicorn": uvicorn(NEWEST, "0.54"),
    "uvicorn-workers": uvicorn(NEWEST, "0.54", 4),
    "hypercorn": Server("hypercorn 0.18", NEWEST, ("hypercorn", "app:asgi", *WORKERS),
                        ("--bind", "127.0.0.1:PORT")),
    "granian": Server("granian 2.8", NEWEST, ("granian", "app:asgi", "--interface", "asgi", *WORKERS),
                      UVICORN, takes_listen=False),
    "gunicorn-oldest": gunicorn(OLDEST, "20.1, sync"),
    "gunicorn-threads-oldest": gunicorn(OLDEST, "20.1, threads", "--threads", "4"),
    "gunicorn-asgi-oldest": gunicorn(OLDEST, "20.1, UvicornWorker", "--worker-class",
                                     "uvicorn.workers.UvicornWorker", app="app:asgi"),
    "uvicorn-oldest": uvicorn(OLDEST, "0.20"),
    "uvicorn-workers-oldest": uvicorn(OLDEST, "0.20", 4),
    "gunicorn-debian": gunicorn(DEBIAN, "20.1 of Debian 12, sync"),
    "uvicorn-debian": uvicorn(DEBIAN, "0.17 of Debian 12"),
}


def free_port(among=range(20000, 32000)):
    """Outside the range from which the kernel gives ports to clients."""
    while True:
        port = random.choice(among)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Site:
    """One application, its release, and the server that runs it."""

    def __init__(self, folder, run_box, freshinit):
        self.folder = pathlib.Path(folder)
        self.run_box = run_box
        self.freshinit = freshinit
        self.port = free_port()
        self.box = None
        self.init = False  # is there another init above the server?
        (self.folder / "app.py").write_text(APP, encoding="utf-8")
        self.set_release("r1")

    def set_release(self, text):
        """What is imported from now on."""
        new = self.folder / "release.new"
        new.write_text(text, encoding="utf-8")
        new.rename(self.folder / "release")

    def command(self, server, *more, holds=True):
        """The words of the server; with holds=True freshinit holds the socket."""
        try:
            folder = venvs.programs(server.venv)
        except venvs.Unavailable as why:
            pytest.skip(str(why))
        own = () if holds else server.address
        program, *words = (*server.words, *own, *more)
        return [str(folder / program), *(word.replace("PORT", str(self.port)) for word in words)]

    def environment(self):
        # Not the test's own home: gunicorn keeps a socket there.
        return {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "HOME": str(self.folder)}

    def start(self, name, *more, keys="", holds=True, timeout=f"{SLOW:.0f}s", loads=None, **options):
        """Below freshinit, until it answers. `keys` are further lines of [server], `own` is before
        the command."""
        server = SERVERS[name]
        holds = holds and server.takes_listen
        return self.start_words(self.command(server, *more, holds=holds), keys, holds, timeout,
                                loads=loads or server.loads, **options)

    def start_words(self, command, keys="", holds=True, timeout=f"{SLOW:.0f}s", loads=1, own=(), **options):
        listen = f"listen = 127.0.0.1:{self.port}\n" if holds else ""
        path = self.folder / "freshinit.ini"
        path.write_text(f"[server]\nready_timeout = {timeout}\n{listen}{keys}", encoding="utf-8")
        path.chmod(0o644)
        return self.run(self.freshinit, "--config", str(path), *own, "--", *command, loads=loads, **options)

    def start_light(self, keys="", **options):
        """A server that starts in no time, for when freshinit is what is looked at."""
        program = self.folder / "gunicorn"
        program.write_text(LIGHT, encoding="utf-8")
        program.chmod(0o755)
        return self.start_words([str(program)], keys, **options)

    def run(self, *words, loads, **options):
        """Until it answers, and all its workers have imported the release of now."""
        self.box = self.run_box(*words, env=self.environment(), **options)
        self.wait_page()
        self.box.wait_line(r"^loaded ", SLOW, count=loads)
        return self.box

    # Asking

    def page(self, path="/", timeout=SLOW):
        """(release, pid) of one answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            release, pid = connection.getresponse().read().decode().split()
            return release, int(pid)
        finally:
            connection.close()

    def try_page(self):
        try:
            return self.page()
        except (OSError, ValueError, http.client.HTTPException):
            return None

    def wait_page(self, release=None, within=SLOW):
        """Until it answers, with that release if one is named."""
        return until(lambda: (page := self.try_page()) and (release in (None, page[0])) and page,
                     f"a page of {release or 'any release'}", within, self.box)

    def ask_later(self, path):
        """A request in the background; its `result` is a page or the error, after `join`."""
        return Request(self, path)

    def load(self, **options):
        return Load(self.port, **options)

    # Reloading

    def reload(self, release, count, within=SLOW):
        """A new release by HUP, until freshinit says that the count-th reload is done."""
        self.set_release(release)
        self.box.signal(signal.SIGHUP)
        return self.box.wait_line(r"^Reload done: generation (\d+)", within, count=count)

    def workers(self):
        """All processes of the box but freshinit and zombies."""
        return [p for p in self.box.processes() if p["host_pid"] != self.box.pid and p["state"] != "Z"]


class Request(threading.Thread):
    def __init__(self, site, path):
        super().__init__(daemon=True)
        self.site, self.path, self.result = site, path, None
        self.start()

    def run(self):
        try:
            self.result = self.site.page(self.path)
        except (OSError, ValueError, http.client.HTTPException) as error:
            self.result = error


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


@pytest.fixture
def site(tmp_path, run_box, freshinit):
    return Site(tmp_path, run_box, freshinit)
