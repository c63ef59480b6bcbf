"""
A stop, and three things that go wrong with Python servers in containers, each seen twice: with what
is usually there, and under freshinit. Says what it expects and what it saw; exits 1 if a claim was not seen.
Started by docker/demo.sh, which builds everything first.
"""
import http.client
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FRESHINIT = ROOT / "build/static/freshinit"
EXAMPLE = ROOT / "examples/flask-gunicorn"
BASE_IMAGE = "freshinit-base:python"
EXAMPLE_IMAGE = "freshinit-example:flask-gunicorn"

# Says who answers: the words of a module of its own, the worker, and the worker's parent.
HELLO_APP = '''
import os

import greeting


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = f"{greeting.TEXT} {os.getpid()} {os.getppid()}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
'''

MAKO_APP = '''
from mako.lookup import TemplateLookup

pages = TemplateLookup(["templates"], module_directory="compiled")


def app(environ, start_response):
    start_response("200 OK", [])
    return [pages.get_template("page.html").render().encode()]
'''


class Box:
    """A PID namespace with one command as its PID 1; ended and removed with the `with` block."""

    def __init__(self, folder, command, image=None, has_init=False):
        self.folder = folder
        self.log = tempfile.TemporaryFile()
        self.start(command, image, has_init)

    def run(self, argv, **options):
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def page(self, within=15, path="/"):
        """The page's text; None when no one answers within that many seconds."""
        deadline = time.monotonic() + within
        while True:
            try:
                connection = http.client.HTTPConnection(*self.address(), timeout=2)
                connection.request("GET", path)
                return connection.getresponse().read().decode()
            except (OSError, http.client.HTTPException):
                if time.monotonic() > deadline or self.process.poll() is not None:
                    return None
                time.sleep(0.05)

    def lines(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace").splitlines()


class DockerBox(Box):
    def start(self, command, image, has_init):
        self.name = f"freshinit-demo-{os.getpid()}-{time.monotonic_ns()}"
        argv = ["docker", "run", "--name", self.name, "--rm"]
        argv += ["--init"] * has_init
        if self.folder:
            argv += ["--volume", f"{self.folder}:/app", "--workdir", "/app",
                     "--volume", f"{FRESHINIT}:/usr/local/bin/freshinit:ro"]
        self.bind = "0.0.0.0:8000"
        self.tini = "/sbin/docker-init"
        self.process = self.run(argv + [image or BASE_IMAGE] + command(self))

    def address(self):
        answer = subprocess.run(["docker", "inspect", "--format", "{{.NetworkSettings.IPAddress}}",
                                 self.name], capture_output=True, text=True)
        if answer.returncode or not answer.stdout.strip():
            raise ConnectionError("no address yet")
        return answer.stdout.strip(), 8000

    def is_up(self):
        return self.enter(["true"]).wait() == 0

    def enter(self, command):
        return self.run(["docker", "exec", self.name] + command)

    def stop(self):
        subprocess.run(["docker", "stop", self.name], capture_output=True)
        return self.process.wait(15)

    def end(self):
        subprocess.run(["docker", "rm", "--force", self.name], capture_output=True)
        self.process.wait(15)


class NamespaceBox(Box):
    def start(self, command, image, has_init):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.bind = f"127.0.0.1:{self.port}"
        self.tini = shutil.which("tini")
        # With a /tmp of its own: what freshinit clears there must not be the machine's.
        own_tmp = ["sh", "-c", 'mount -t tmpfs tmpfs /tmp && exec "$@"', "sh"]
        self.process = self.run(["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "--"]
                                + own_tmp + command(self), cwd=self.folder, env=clean_environment())

    def address(self):
        return "127.0.0.1", self.port

    def first(self):
        """PID 1 of the namespace, as seen from outside."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        wait_for(children.read_text)
        return int(children.read_text().split()[0])

    def is_up(self):
        return " /tmp tmpfs " in pathlib.Path(f"/proc/{self.first()}/mounts").read_text()

    def enter(self, command):
        return self.run(["nsenter", "--target", str(self.first()), "--pid", "--mount",
                         f"--wd={self.folder}", "--"] + command,
                        env=clean_environment())

    def stop(self):
        os.kill(self.first(), signal.SIGTERM)
        return self.process.wait(15)

    def end(self):
        self.process.kill()
        self.process.wait(15)


def clean_environment():
    """Nothing of the user's that changes what Python or gunicorn do; freshinit first in PATH."""
    kept = {name: value for name, value in os.environ.items() if name in ("HOME", "LANG", "TERM")}
    return kept | {"PATH": f"{FRESHINIT.parent}:/usr/sbin:/usr/bin:/sbin:/bin"}


claims = []


def title(text):
    print(f"\n{text}", flush=True)


def claim(who, expected, seen, is_true):
    claims.append(is_true)
    print(f"  {'ok ' if is_true else 'NOT'} {who:<22} expected: {expected:<42} seen: {seen}",
          flush=True)


def show(lines, *words):
    for line in lines:
        if any(word in line for word in words):
            print(f"      | {line}")


def gunicorn(app, *extra):
    return lambda box: ["gunicorn", app, "--bind", box.bind, "--worker-tmp-dir", "/dev/shm", *extra]


def under_freshinit(command):
    return lambda box: ["freshinit", "--", *command(box)]


def demo_example(make_box):
    title("1. The example, and how fast it stops")
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        if make_box is DockerBox:
            box = DockerBox(None, lambda _: [], image=EXAMPLE_IMAGE)
        else:
            shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True, ignore=lambda *_: ["freshinit.ini"])
            box = NamespaceBox(folder, under_freshinit(gunicorn("app:app", "--workers=2")))
        with box:
            page = box.page()
            if not page:
                print("\n".join(box.lines()))
            claim("freshinit", "the page", "the page" if page else "no page", page is not None)
            begin = time.monotonic()
            status = box.stop()
            took = time.monotonic() - begin
            claim("freshinit, stop", "status 0 at once, not after Docker's 10 s",
                  f"{status} after {took:.2f} s", status == 0 and took < 3)
            show(box.lines(), "Clearing", "Forcing", "refreshed", "Starting gunicorn app",
                 "ready after")


def demo_bytecode(make_box):
    title("2. A module edited so that its size and its second of change stay equal "
          "(rsync -t, clamped image times)")
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        source = pathlib.Path(folder, "greeting.py")
        shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True, ignore=lambda *_: ["freshinit.ini"])
        plain = gunicorn("app:app")
        with make_box(folder, plain) as box:
            before = box.page() or ""
        times = source.stat()
        source.write_text(source.read_text().replace("release one", "release two"))
        os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
        claim("before the edit", "release one", words_of(before), "release one" in before)
        with make_box(folder, plain) as box:
            page = box.page() or ""
            claim("gunicorn alone", "release one: old bytecode runs", words_of(page),
                  "release one" in page)
        with make_box(folder, under_freshinit(plain)) as box:
            page = box.page() or ""
            claim("under freshinit", "release two", words_of(page), "release two" in page)
            show(box.lines(), "Python cache")


def words_of(page):
    return next((name for name in ("release one", "release two") if name in page), "no page")


def demo_template(make_box):
    title("3. A template rolled back to an older file, and Mako's compiled one that is younger")
    print("     (Jinja needs no help here: a new process reads each template anew, and touching it "
          "changes nothing)")
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        pathlib.Path(folder, "pages.py").write_text(MAKO_APP)
        template = pathlib.Path(folder, "templates/page.html")
        template.parent.mkdir()
        template.write_text("the bad release")
        plain = gunicorn("pages:app")
        with make_box(folder, plain) as box:
            claim("before the rollback", "the bad release", box.page(), box.page() == "the bad release")
        template.write_text("the good release")
        os.utime(template, (1_600_000_000, 1_600_000_000))
        with make_box(folder, plain) as box:
            page = box.page()
            claim("gunicorn alone", "the bad release: old compiled template", page,
                  page == "the bad release")
        with make_box(folder, under_freshinit(plain)) as box:
            page = box.page()
            claim("under freshinit", "the good release", page, page == "the good release")
            show(box.lines(), "jinja", "emplate")


def demo_worker(make_box):
    title("4. uvicorn's parent process is killed (out of memory, a bug); "
          "not PID 1, as in a pod with a shared PID namespace")
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        pathlib.Path(folder, "hello.py").write_text(HELLO_APP)
        pathlib.Path(folder, "greeting.py").write_text('TEXT = "old"\n')

        def uvicorn(box):
            host, port = box.bind.split(":")
            return ["uvicorn", "hello:app", "--workers", "2", "--host", host, "--port", port]

        # The log goes to a file: `docker exec` would wait for the workers that hold its pipe.
        log = pathlib.Path(folder, "log")
        code = pathlib.Path(folder, "status")
        write_both = 'rm -f status; "$@" >log 2>&1; echo $? >status.new; mv status.new status'
        for who in ("tini -s", "freshinit"):
            with make_box(folder, lambda _: ["sleep", "infinity"], has_init=True) as box:
                wait_for(box.is_up)
                init = [box.tini, "-s", "--"] if who == "tini -s" else ["freshinit", "--"]
                box.enter(["sh", "-c", write_both, "sh", *init, *uvicorn(box)])
                page = box.page()
                if page is None:
                    claim(f"under {who}", "a page", "none", False)
                    print(log.read_text())
                    continue
                _, worker, master = page.split()
                box.enter(["sh", "-c", f"kill -KILL {master}"]).wait()
                wait_for(code.exists, within=30)
                status = int(code.read_text())
                is_served = box.page(within=0) is not None
                seen = f"{status}, {'still serving' if is_served else 'no one serves'}"
                if who == "tini -s":
                    claim("under tini -s", "137, and old workers still serve", seen,
                          status == 137 and is_served)
                    continue
                claim("under freshinit", "137, and no one serves old code", seen,
                      status == 137 and not is_served)
                lines = log.read_text().splitlines()
                is_named = any(" left behind: " in line and f" {worker} (" in line for line in lines)
                claim("freshinit's log", f"names the worker, pid {worker}",
                      "it does" if is_named else "it does not", is_named)
                show(lines, "was ended by", "left behind")


def wait_for(is_true, within=10):
    deadline = time.monotonic() + within
    while not is_true():
        if time.monotonic() > deadline:
            sys.exit("demo: the box did not start")
        time.sleep(0.05)


def main():
    make_box = {"docker": DockerBox, "namespace": NamespaceBox}[sys.argv[1]]
    version = subprocess.run([FRESHINIT, "--version"], capture_output=True, text=True).stdout.strip()
    print(f"{version}, {FRESHINIT.stat().st_size // 1024} KiB, in "
          f"{'Docker' if make_box is DockerBox else 'PID namespaces'}")
    begin = time.monotonic()
    for demo in (demo_example, demo_bytecode, demo_template, demo_worker):
        demo(make_box)
    seen = sum(claims)
    print(f"\n{seen} of {len(claims)} claims seen, {time.monotonic() - begin:.0f} s")
    return 0 if seen == len(claims) else 1


if __name__ == "__main__":
    sys.exit(main())
