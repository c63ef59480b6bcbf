"""`wait` goes on when a service is ready, not when its port is open, and never waits for ever."""

import contextlib
import glob
import http.server
import os
import pathlib
import re
import shutil
import signal
import socket
import socketserver
import subprocess
import tempfile
import threading
import time

import pytest
from caches import (cache_folder, free_port, liar, run_config, start_memcached,  # noqa: F401
                    start_redis)


def stage(urls, *lines):
    return "\n".join(["[stage db]", f"wait = {urls}", "on_error = fail", *lines, ""])


def log_of(result):
    return result.stderr.splitlines()


def faults(result):
    return [line for line in log_of(result) if "error" in line or "[stage" in line]


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802
        status, body = self.server.pages.get(self.path, (404, b"no such page"))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

    def address_string(self):
        return "box"


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@contextlib.contextmanager
def serving(server, pages):
    server.pages = pages
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(20)


@contextlib.contextmanager
def web(pages):
    with serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page), pages) as server:
        yield f"http://127.0.0.1:{server.server_address[1]}"


def test_a_server_starts_when_its_database_listens(anywhere, helper):
    port = free_port()
    box = anywhere(config=stage(f"tcp://127.0.0.1:{port}")
                   + f"[server]\ncommand = {helper('signals')}\n")
    box.wait_line(r"not ready after 3(\.\d)? s \(connect: Connection refused\)", stream="err")
    assert not [line for line in box.out if line.startswith("ready")]
    with socket.create_server(("127.0.0.1", port)):
        box.wait_line(rf"^Waiting for tcp://127\.0\.0\.1:{port}: ready after \d(\.\d)? s$", stream="err")
        box.wait_line("^ready", stream="out")


def test_a_stop_ends_the_waiters_too(anywhere, helper):
    box = anywhere(config=stage("tcp://127.0.0.1:1 unix:/run/none.sock", "timeout = 60s")
                   + f"[server]\ncommand = {helper('signals')}\n")
    box.wait_process(lambda found: len(found) >= 4, "freshinit, its stage and two waiters")
    box.signal(signal.SIGTERM)
    assert box.wait() == 128 + signal.SIGTERM
    assert not box.left()


def test_what_is_not_ready_is_named_with_its_reason(run_config, tmp_path):  # noqa: F811
    with socket.create_server(("127.0.0.1", 0)) as there:
        good = f"tcp://127.0.0.1:{there.getsockname()[1]}"
        bad = f"tcp://127.0.0.1:{free_port()}"
        result = run_config(stage(f"{bad} {good} file:{tmp_path}/none file:{tmp_path}",
                                  "timeout = 400ms"))
    assert result.returncode == 75
    assert re.search(rf"^Waiting for {good}: ready after ", result.stderr, re.M)
    assert re.search(rf"Waiting for {bad}: not ready after \d+ ms: connect: Connection refused",
                     result.stderr)
    assert re.search(rf"file:{tmp_path}/none: not ready after \d+ ms: can't find it: No such file",
                     result.stderr)
    assert not re.search(rf"{good}: not ready|file:{tmp_path}: not ready", result.stderr)


def hang(connection, is_over):
    is_over.wait(20)


def drip(connection, is_over):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not is_over.wait(0.05):
        connection.sendall(b"x")


def flood(connection, is_over):
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not is_over.is_set():
        connection.sendall(b"x" * 1000000)


@pytest.mark.parametrize("say", [hang, drip, flood])
@pytest.mark.parametrize("scheme", ["http", "postgres", "redis", "memcached"])
def test_a_server_that_lies_costs_the_timeout_at_most(run_config, say, scheme, liar):  # noqa: F811
    with liar(say) as port:
        began = time.monotonic()
        result = run_config(stage(f"{scheme}://127.0.0.1:{port}", "timeout = 700ms",
                                  "body = needle" if scheme == "http" else ""))
        took = time.monotonic() - began
    assert result.returncode == 75
    assert took < 5
    assert f"Waiting for {scheme}://127.0.0.1:{port}" in result.stderr


def test_several_waits_run_side_by_side(run_config, liar):  # noqa: F811
    with liar(hang) as port:
        urls = " ".join(f"http://127.0.0.1:{port}/{i}" for i in range(10))
        began = time.monotonic()
        result = run_config(stage(urls, "timeout = 700ms"))
        took = time.monotonic() - began
    assert result.returncode == 75
    assert took < 4
    assert result.stderr.count("not ready after") == 10


def test_a_name_that_is_not_known_is_tried_until_the_timeout(run_config):  # noqa: F811
    result = run_config(stage("tcp://db.invalid:5432", "timeout = 500ms"))
    assert result.returncode == 75
    assert re.search(r"tcp://db\.invalid:5432: not ready after \d+ ms: (look up|no answer yet)",
                     result.stderr)


def test_no_secret_is_printed(run_config, tmp_path):  # noqa: F811
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    urls = [f"{scheme}://me:hunter2@127.0.0.1:{free_port()}/0?x=hunter2"
            for scheme in ("redis", "http", "postgres", "memcached")]
    for text in (stage(" ".join(urls), "timeout = 200ms"),
                 stage(urls[0], "timeout = 200ms", f"password_file = {secret}"),
                 stage("nonsense://me:hunter2@x:1"), stage("redis://me:hunter2@x/notanumber")):
        for words in ((), ("check",)):
            result = run_config(text, *words)
            assert "hunter2" not in result.stderr
            if not words:
                assert result.returncode in (75, 78)


@pytest.mark.parametrize("url, words", [
    ("https://box/", "no TLS inside"),
    ("rediss://box/", "no TLS inside"),
    ("tcp://box", "needs a port"),
    ("db:5432", "\"db:5432\" is no URL: write it like tcp://db:5432"),
    ("pidfile:/run/x.pid", "can't be asked"),
    ("http+unix:///run/x.sock?path=a%0d%0ab", "blank|begins with"),
    ("redis://box/one", "no redis database"),
])
def test_a_url_that_can_not_work_is_a_fault_of_the_configuration(run_config, url, words):  # noqa: F811
    result = run_config(stage(url))
    assert result.returncode == 78
    assert re.search(rf"freshinit\.ini:\d+.*\[stage db\].*({words})", result.stderr)


def test_a_status_without_http_is_a_fault_of_the_configuration(run_config):  # noqa: F811
    result = run_config(stage("tcp://127.0.0.1:1", "status = 200"))
    assert result.returncode == 78
    assert "only http has a status" in result.stderr


@pytest.mark.parametrize("path, lines, words", [
    ("/ok", [], None),
    ("/moved", [], None),
    ("/busy", [], "it answered 503"),
    ("/busy", ["status = 503"], None),
    ("/ok", ["status = 204"], "it answered 200, not 204"),
    ("/ok", ["body = needle"], None),
    ("/ok", ["body = thread"], 'it answered 200, without "thread"'),
    ("/ok?x=1", [], "it answered 404"),
])
def test_http_is_ready_by_status_and_body(run_config, path, lines, words):  # noqa: F811
    pages = {"/ok": (200, b"hay" * 5000 + b"needle"), "/moved": (302, b""), "/busy": (503, b"")}
    with web(pages) as url:
        result = run_config(stage(url + path, "timeout = 300ms", *lines))
    assert result.returncode == (75 if words else 0)
    assert not words or words in result.stderr


def test_http_over_a_unix_socket(run_config, tmp_path):  # noqa: F811
    path = tmp_path / "app.sock"
    with serving(UnixServer(str(path), Page), {"/healthz": (200, b"fine")}):
        result = run_config(stage(f"http+unix://{path}?path=/healthz unix:{path}",
                                  "timeout = 5s"))
        assert result.returncode == 0, result.stderr
        result = run_config(stage(f"http+unix://{path}?path=/other", "timeout = 300ms"))
        assert "it answered 404" in result.stderr


def test_a_socket_that_talks_to_itself_is_no_server(freshinit, tmp_path):
    """Callers get ports from that range: a call to one of them can be answered by itself."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        pytest.skip("needs root and ip: a network namespace with two ports")
    config = tmp_path / "freshinit.ini"
    config.write_text(stage("tcp://127.0.0.1:40000", "timeout = 1s"))
    script = ("ip link set lo up && echo '40000 40001' >/proc/sys/net/ipv4/ip_local_port_range && "
              f"exec {freshinit} --config {config} /bin/true")
    result = subprocess.run(["unshare", "-n", "sh", "-c", script], text=True, capture_output=True,
                            timeout=30, check=False)
    assert result.returncode == 75, result.stderr
    assert "connect: " in result.stderr


def test_a_redis_is_ready_by_ping(start_redis, run_config, tmp_path):  # noqa: F811
    server = start_redis("--requirepass", "s3cret", password="s3cret")
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    good = run_config(stage(f"{server.url()} redis+unix://{server.socket_path}", "timeout = 5s",
                            f"password_file = {secret}"))
    assert good.returncode == 0, good.stderr
    bad = run_config(stage(server.url(), "timeout = 300ms"))
    assert bad.returncode == 75
    assert "password" in bad.stderr and "s3cret" not in bad.stderr


def test_a_redis_that_loads_is_not_ready(run_config, liar):  # noqa: F811
    loading = threading.Event()
    asked = []

    def say(connection, is_over):
        connection.recv(4096)
        asked.append(1)
        if len(asked) > 3:
            loading.set()
        connection.sendall(b"+PONG\r\n" if loading.is_set()
                           else b"-LOADING Redis is loading the dataset in memory\r\n")

    with liar(say) as port:
        result = run_config(stage(f"redis://127.0.0.1:{port}", "timeout = 10s"))
    assert result.returncode == 0, result.stderr
    assert len(asked) == 4


@pytest.mark.parametrize("unix", [False, True])
def test_a_memcached_is_ready_by_its_version(start_memcached, run_config, unix):  # noqa: F811
    server = start_memcached(unix=unix)
    result = run_config(stage(server.url(), "timeout = 5s"))
    assert result.returncode == 0, result.stderr


@contextlib.contextmanager
def postgres():
    """A server of its own, as the user postgres; the port it will listen on, and how to start it."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if not found or os.geteuid() != 0:
        pytest.skip("postgresql is not installed, or we are not root")
    programs = pathlib.Path(found[-1]).parent
    folder = pathlib.Path(tempfile.mkdtemp(prefix="freshinit-postgres."))
    port = free_port()
    as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
    started = []

    def start():
        words = [programs / "postgres", "-D", folder / "data", "-p", port, "-k", folder,
                 "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "shared_buffers=1MB"]
        started.append(subprocess.Popen([*as_postgres, *map(str, words)], cwd="/",
                                        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL))

    shutil.chown(folder, "postgres", "postgres")
    try:
        subprocess.run([*as_postgres, str(programs / "initdb"), "-N", "-A", "trust", "-U", "postgres",
                        "-D", str(folder / "data")], check=True, capture_output=True, cwd="/")
        yield port, start
    finally:
        for process in started:
            process.send_signal(signal.SIGINT)
            process.communicate()
        shutil.rmtree(folder)


def test_a_real_postgres_is_waited_for(box, helper, run_config):  # noqa: F811
    with postgres() as (port, start):
        waiting = box(config=stage(f"postgres://127.0.0.1:{port}/postgres", "timeout = 60s")
                      + f"[server]\ncommand = {helper('signals')}\n")
        start()
        waiting.wait_line("^ready", stream="out", within=60)
        other = run_config(stage(f"postgresql://127.0.0.1:{port}/notmade", "timeout = 400ms"))
        assert other.returncode == 75
        assert 'database "notmade" does not exist (3D000)' in other.stderr
        stranger = run_config(stage(f"postgres://stranger@127.0.0.1:{port}", "timeout = 400ms"))
        assert stranger.returncode == 0, stranger.stderr


def test_a_postgres_that_starts_up_is_not_ready(run_config, liar):  # noqa: F811
    asked = []

    def say(connection, is_over):
        asked.append(connection.recv(4096))
        fields = b"SFATAL\0C57P03\0Mthe database system is starting up\0\0"
        connection.sendall(b"R\0\0\0\x08\0\0\0\x05" if len(asked) > 3
                           else b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)

    with liar(say) as port:
        result = run_config(stage(f"postgres://app@127.0.0.1:{port}/shop", "timeout = 10s"))
        assert result.returncode == 0, result.stderr
        assert len(asked) == 4
        assert asked[0] == b"\0\0\0\x20\0\x03\0\0user\0app\0database\0shop\0\0"

    def never(connection, is_over):
        del asked[:]
        say(connection, is_over)

    with liar(never) as port:
        result = run_config(stage(f"postgres://127.0.0.1:{port}", "timeout = 300ms"))
    assert result.returncode == 75
    assert "the database system is starting up (57P03)" in result.stderr
