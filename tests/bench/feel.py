"""What a user feels: from the start to the first response of a gunicorn application with 200 modules
and 2 workers. Warm, with `mode = stale`, with `mode = all`, and after the usual shell script."""

import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import time

MODULES = 200
PYTHON = "/usr/bin/python3"
GUNICORN = "/usr/bin/gunicorn"
PACKAGES = pathlib.Path("/usr/lib/python3/dist-packages")
LONGEST_S = 60


class Application:
    """200 modules, and its server in a venv of its own, as an image would have them."""

    def __init__(self, folder):
        self.folder = folder
        self.site = folder / "venv" / "lib" / "python3.11" / "site-packages"
        self.socket = folder / "socket"
        package = folder / "shop"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        for number in range(MODULES):
            (package / f"part{number}.py").write_text(self.module(number))
        imports = "".join(f"from shop import part{number}\n" for number in range(MODULES))
        (folder / "wsgi.py").write_text(f"{imports}\n\ndef app(environ, start_response):\n"
                                        "    start_response('200 OK', [('Content-Length', '2')])\n"
                                        "    return [b'ok']\n")
        # Tells when there is something to connect to.
        self.bound = socket.socket(socket.AF_UNIX)
        self.bound.bind(str(folder / "bound"))
        self.bound.listen()
        self.bound.settimeout(LONGEST_S)
        (folder / "gunicorn.conf.py").write_text("import socket\n\n\ndef when_ready(server):\n"
                                                 "    with socket.socket(socket.AF_UNIX) as bound:\n"
                                                 "        bound.connect('bound')\n")
        for name in ("gunicorn", "pkg_resources", "packaging"):
            if (PACKAGES / name).is_dir():
                shutil.copytree(PACKAGES / name, self.site / name)
        self.compile()

    @staticmethod
    def module(number):
        parts = [f'"""Part {number}."""\n\nimport dataclasses\n']
        for which in range(12):
            parts.append(f"""
@dataclasses.dataclass
class Item{which}:
    \"\"\"One of many.\"\"\"
    name: str
    price: int = {which}

    def total(self, count, discount=0):
        if count < 0 or discount > 100:
            raise ValueError(f"{{count}} of {{self.name}}")
        return [self.price * each * (100 - discount) / 100 for each in range(count)]
""" if which < 2 else f"""
def work{which}(first, second=None, *rest, **named):
    \"\"\"Adds what there is.\"\"\"
    found = {{key: value for key, value in named.items() if value is not None}}
    for each in rest:
        try:
            found[str(each)] = first + (second or 0) + {which}
        except (TypeError, KeyError) as error:
            found["error"] = f"{{error}}: {{each!r}}"
    return sorted(found.items(), key=lambda pair: pair[0])
""")
        return "".join(parts)

    def compile(self):
        """As warm for each: whatever ran before has left its mark on bytecode and page cache."""
        warm = "import compileall; compileall.compile_dir('.', quiet=2); import gunicorn.app.wsgiapp, wsgi"
        subprocess.run([PYTHON, "-c", warm], cwd=self.folder, env=self.environment(), check=True)

    def environment(self):
        return {**os.environ, "PYTHONPATH": str(self.site)}

    def server(self):
        return [GUNICORN, "--workers", "2", "--bind", f"unix:{self.socket}", "--log-level", "error", "wsgi:app"]

    def time_to_first(self, command):
        """ms from the start to the first response."""
        self.socket.unlink(missing_ok=True)
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   env=self.environment(), start_new_session=True)
        try:
            self.bound.accept()[0].close()
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(LONGEST_S)
                client.connect(str(self.socket))
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                if b"200 OK" not in client.recv(4096):
                    raise SystemExit(f"{command}: no good response")
            return (time.perf_counter() - start) * 1000
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate()


def bench(folder, freshinit, shell, rounds):
    """Rows of medians in ms, each in turn."""
    app = Application(folder / "feel")
    commands = {"gunicorn alone, warm": app.server()}
    commands["freshinit, no stage"] = [freshinit, "--no-stages", "--", *app.server()]
    for name, lines in (("stale", "mode = stale"), ("all", "mode = all"), ("all, no exclude", "mode = all\nexclude =")):
        config = folder / f"feel-{name.replace(' ', '-')}.ini"
        config.write_text(f"[stage s]\nclear = bytecode\nin = .\n{lines}\n")
        commands[f"freshinit, {name}"] = [freshinit, "--config", str(config), "--", *app.server()]
    commands["shell script"] = ["sh", "-c", f'{shell}; exec "$@"', "sh", *app.server()]
    times = {name: [] for name in commands}
    names = list(commands)
    for number in range(rounds):
        for name in names[number % len(names):] + names[:number % len(names)]:
            app.compile()
            times[name].append(app.time_to_first(commands[name]))
    shutil.rmtree(app.folder)
    return {name: {"wall_ms": round(statistics.median(row), 1), "least_ms": round(min(row), 1)}
            for name, row in times.items()}
