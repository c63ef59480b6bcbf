"""Nine faults that people really had: `freshinit verify` names each, points at the fix, and is green
after it. Run by `docker exec`, as after a deploy."""

import contextlib
import http.client
import json
import pathlib
import shutil
import subprocess
import tempfile
import threading
import uuid

import pytest

from containers import docker, until

OLD, NEW = "aaaaaaa", "bbbbbbb"
APP = '''
import os
import threading

from flask import Flask, make_response

import value

app = Flask(__name__)


@app.after_request
def name_release(response):
    response.headers["X-Release"] = os.environ["FRESHINIT_RELEASE"]
    response.headers["Cache-Control"] = os.environ.get("CACHE_CONTROL", "no-store")
    return response


@app.get("/")
def page():
    return f"<p>{value.VALUE}</p>"


@app.get("/healthz")
def healthz():
    return make_response("ok", {"Content-Type": "text/plain"})


@app.get("/stuck")
def stuck():
    threading.Event().wait()
'''
# Few steps: each one takes seconds on some engines.
RECIPE = """FROM {base}
ENV GIT_COMMIT_HASH={release}
COPY tree /
RUN ["sh", "-c", "python3 -m compileall -q /app && freshinit seal /app"]
WORKDIR /app
ENTRYPOINT ["freshinit"]
"""
GUNICORN = "gunicorn app:app --bind 0.0.0.0:8000 --workers 2 --timeout 0 --worker-tmp-dir /dev/shm"
CONFIG = """
[freshinit]
expect = ${EXPECTED_RELEASE:-}
[stage bytecode]
clear = bytecode
in = /app
[server]
command = GUNICORN
user = nobody
workdir = /app
[health]
url = http://127.0.0.1:8000/healthz
release_header = X-Release
""".replace("GUNICORN", GUNICORN)
# Where the disk is meant to change, no seal is held against it.
UNSEALED = CONFIG.replace("[freshinit]", "[freshinit]\nseal =")


@pytest.fixture(scope="module")
def release(image, tmp_path_factory):
    """release(NEW) is the image of that release."""
    folder = tmp_path_factory.mktemp("verified")
    for name, text in {"app/app.py": APP, "app/value.py": "VALUE = 'one'\n",
                       "etc/freshinit.ini": CONFIG}.items():
        path = folder / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o644)
    made = {}

    def build(name, recipe):
        (folder / "Dockerfile").write_text(recipe)
        made[name] = f"freshinit-test:verify-{name}-{uuid.uuid4().hex[:6]}"
        docker("build", "--tag", made[name], folder)

    def make(name):
        if not made:
            build(NEW, RECIPE.format(base=image("python"), release=NEW))
        if name not in made:
            build(name, f"FROM {made[NEW]}\nENV GIT_COMMIT_HASH={name}\n")
        return made[name]

    yield make
    for name in reversed(made.values()):
        docker("rmi", name, check=False)


@pytest.fixture
def serve(release, container):
    def start(name=NEW, env=None, options=(), **more):
        words = [word for item in (env or {}).items() for word in ("--env", "=".join(item))]
        one = container(release(name), options=[*words, *options], **more)
        until(lambda: docker("exec", one.name, "freshinit", "health", check=False).returncode == 0,
              "a healthy server")
        return one

    return start


class Verified:
    """One `freshinit verify`: its lines by their names."""

    def __init__(self, one, *words):
        done = docker("exec", one.name, "freshinit", "verify", "--json", *words, check=False)
        self.code = done.returncode
        self.text = done.stdout + done.stderr
        told = json.loads(done.stdout)
        assert told["version"] == 1
        self.ok = told["ok"]
        self.lines = {line["name"]: line for line in told["lines"]}
        self.failed = {name for name, line in self.lines.items() if line["result"] == "FAIL"}

    def must_fail(self, name, reason, fix):
        assert self.code == 1 and not self.ok, self.text
        assert name in self.failed, self.text
        assert reason in self.lines[name]["reason"], self.text
        assert fix in self.lines[name]["fix"], self.text


def assert_green(one):
    seen = Verified(one)
    assert seen.code == 0 and seen.ok and not seen.failed, seen.text
    return seen


def python(one, text, *options):
    docker("exec", *options, one.name, "python3", "-c", text)


def test_without_a_fault_each_line_is_ok(serve):
    seen = assert_green(serve(env={"EXPECTED_RELEASE": NEW}))
    results = {name: line["result"] for name, line in seen.lines.items()}
    assert results == dict.fromkeys(["release", "seal", "bytecode", "code", "templates", "stages",
                                     "workers", "orphans", "grace", "port", "answer", "no-store"], "ok")


def test_a_stale_layer(serve):
    """The build cache gave an old layer: the image is not the release that was meant."""
    stale = serve(OLD, env={"EXPECTED_RELEASE": NEW})
    assert "stale image: this image is release aaaaaaa" in "\n".join(stale.err)
    Verified(stale).must_fail("release", "aaaaaaa (from GIT_COMMIT_HASH), but bbbbbbb was expected",
                              "rebuild")
    assert_green(serve(NEW, env={"EXPECTED_RELEASE": NEW}))


def test_a_changed_file_on_a_volume(serve):
    """A volume of before hides the image's files."""
    volume = f"freshinit-test-{uuid.uuid4().hex[:12]}"
    try:
        first = serve(options=["--volume", f"{volume}:/app"])
        python(first, "open('/app/value.py', 'w').write('VALUE = 22')")
        first.remove()
        second = serve(options=["--volume", f"{volume}:/app"])
        assert "1 changed (/app/value.py)" in "\n".join(second.err)
        Verified(second).must_fail("seal", "1 changed (/app/value.py)", "take away the volume")
        second.remove()
        assert_green(serve())
    finally:
        docker("volume", "rm", volume, check=False)


EDIT = """
import os
before = os.stat("/app/value.py")
open("/app/value.py", "w").write("VALUE = 'two'\\n")
os.utime("/app/value.py", ns=(before.st_atime_ns, before.st_mtime_ns))
"""


def test_an_edit_of_the_same_second_and_size(serve):
    """Python takes the old bytecode for good, now and after each restart of its own."""
    one = serve(config=UNSEALED)
    python(one, EDIT)
    seen = Verified(one)
    seen.must_fail("bytecode", "/app/__pycache__/value.cpython-311.pyc (source changed since)",
                   "freshinit reload")
    seen.must_fail("code", "/app/value.py changed", "freshinit reload")
    assert "one" in one.page()[1]
    one.run("freshinit", "reload")
    assert_green(one)
    assert "two" in one.page()[1]


def test_bytecode_of_an_unchecked_hash(serve):
    """It was built so to start faster, and is never held against its source."""
    one = serve(config=UNSEALED)
    python(one, "import py_compile as p; p.compile('/app/value.py', "
                "invalidation_mode=p.PycInvalidationMode.UNCHECKED_HASH)")
    python(one, "open('/app/value.py', 'w').write('VALUE = 333')")
    Verified(one).must_fail("bytecode", "value.cpython-311.pyc (stale)", "freshinit reload")
    one.run("freshinit", "reload")
    assert_green(one)
    assert "333" in one.page()[1]


def test_a_worker_stuck_since_before_the_reload(serve):
    one = serve(config=UNSEALED)
    threading.Thread(target=ask_stuck, args=(one,), daemon=True).start()
    old = until(lambda: stuck_worker(one), "the stuck worker")
    reload = one.start("reload", "freshinit", "reload")
    seen = until(lambda: (v := Verified(one)).lines["workers"]["reason"].startswith("1 from ") and v,
                 "the stale worker")
    seen.must_fail("workers", "1 from before the last reload still run", "stale_worker_timeout")
    assert f"{old} (gunicorn)" in seen.lines["workers"]["reason"]
    python(one, f"import os; os.kill({old}, 9)")
    assert reload.wait(30) == 0
    assert_green(one)


def ask_stuck(one):
    """Never answered."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        one.page("/stuck")


def stuck_worker(one):
    """The worker that has an accepted connection open, as the container counts it."""
    told = json.loads(one.run("freshinit", "status", "--json"))
    for process in told["processes"]:
        done = docker("exec", "--user", "nobody", one.name, "sh", "-c",
                      f"ls -l /proc/{process['pid']}/fd | grep -c socket:", check=False)
        if process["role"] == "worker" and int(done.stdout or 0) > 1:
            return process["pid"]
    return None


SECOND = """
import http.server, socketserver
class Old(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("X-Release", "aaaaaaa")
        self.end_headers()
class Server(socketserver.TCPServer):
    allow_reuse_port = True
    allow_reuse_address = True
    def server_bind(self):
        import socket
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()
server = Server(("0.0.0.0", 8000), Old)
print("second listens", flush=True)
server.serve_forever()
"""


def test_a_second_server_on_the_port(serve):
    """Left by hand or by a script: the kernel shares requests out between both."""
    one = serve(config=CONFIG.replace("--workers", "--reuse-port --workers"))
    second = subprocess.Popen(["docker", "exec", "--user", "nobody", one.name, "python3", "-c", SECOND],
                              stdout=subprocess.PIPE, text=True)
    assert second.stdout.readline() == "second listens\n"
    seen = Verified(one)
    seen.must_fail("port", "127.0.0.1:8000 is also held by", "free = tcp://")
    assert "python3 -c" in seen.lines["port"]["reason"]
    pid = seen.lines["port"]["reason"].split("held by ")[1].split()[0]
    python(one, f"import os; os.kill({pid}, 9)")
    second.wait(30)
    second.stdout.close()
    assert_green(one)


@pytest.fixture
def network(engine):
    """Asked for before the containers, so that it goes after them."""
    name = f"freshinit-test-{uuid.uuid4().hex[:12]}"
    docker("network", "create", name)
    yield name
    docker("network", "rm", name, check=False)


def test_an_old_replica_behind_the_same_address(network, serve):
    """The service's name still leads to a container of the release before."""
    options = ["--network", network, "--network-alias", "web"]
    old = serve(OLD, options=options)
    new = serve(NEW, options=options)
    words = ["--set", "health.url=http://web:8000/healthz"]
    seen = until(lambda: (v := Verified(new, *words)).failed == {"answer"} and v, "the old replica")
    seen.must_fail("answer", "the answer is of release aaaaaaa, not of bbbbbbb", "an old replica")
    old.remove()
    after = Verified(new, *words)
    assert after.ok, after.text


def test_a_missing_no_store_header(serve):
    """A browser or a proxy goes on showing the page of yesterday."""
    one = serve(env={"CACHE_CONTROL": "max-age=3600"})
    Verified(one).must_fail("no-store", "GET / is HTML with Cache-Control: \"max-age=3600\"", "no-store")
    assert_green(serve())


@pytest.fixture
def socket_folder():
    if not shutil.which("memcached"):
        pytest.skip("no memcached here")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="freshinit-test-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_a_memcached_that_was_not_flushed(serve, socket_folder):
    """It was not there yet when the container started, and has the pages of the release before."""
    config = CONFIG + ("[stage pages]\nflush = memcached+unix:///cache/memcached.sock\nall = yes\n"
                       "once = release\ntimeout = 2s\n")
    one = serve(config=config, options=["--volume", f"{socket_folder}:/cache"])
    path = socket_folder / "memcached.sock"
    memcached = subprocess.Popen(["memcached", "-u", "nobody", "-s", path, "-a", "777"])
    try:
        until(path.exists, "memcached's socket")
        seen = Verified(one)
        seen.must_fail("cache", "was not flushed for bbbbbbb", "freshinit reload")
        seen.must_fail("stages", "pages (failed)", "freshinit reload")
        one.run("freshinit", "reload")
        assert "was flushed for this release" in assert_green(one).lines["cache"]["reason"]
    finally:
        memcached.terminate()
        memcached.wait(30)


def test_the_table_as_people_see_it(serve):
    one = serve()
    done = docker("exec", one.name, "freshinit", "verify", check=False)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].split()[:2] == ["skipped", "release"]
    assert lines[1].strip().startswith("-> say which release is meant")
    assert all(line.startswith(("ok ", "skipped ", " ")) for line in lines)
