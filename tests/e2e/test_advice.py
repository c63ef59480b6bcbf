"""What will hurt in production is said at start and by `check`, in one line with its remedy."""

import re

import pytest

from servers import site  # noqa: F401

GUNICORN = "gunicorn app:app --worker-tmp-dir /dev/shm --no-control-socket "
# The command, keys of [server], and what must be said; None: nothing at all.
ROWS = {
    "nothing": (GUNICORN, "", None),
    "generic": ("sleep 1 --reload", "", None),
    "grace": (GUNICORN, "stop_timeout = 20s\n", r"stop_timeout = 20 s, but Docker kills all after 10 s"),
    "heartbeat": ("gunicorn app:app --no-control-socket", "", r"--worker-tmp-dir /dev/shm"),
    "heartbeat-in-config": ("gunicorn app:app --no-control-socket -c beat.py", "", None),
    "jitter": (GUNICORN + "--workers 2 --max-requests 100", "", r"max_requests_jitter replaces all"),
    "jitter-of-one": (GUNICORN + "--max-requests 100", "", None),
    "jitter-key": (GUNICORN + "-w 2", "max_requests = 100\n", r"add a jitter of about a tenth"),
    "jitter-given": (GUNICORN + "-w 2", "max_requests = 100\nmax_requests_jitter = 9\n", None),
    "reload": ("uvicorn app:app --reload", "", r"--reload of uvicorn is for development"),
    "pidfile": (GUNICORN + "--pid FOLDER/one.pid", "", r"one\.pid says 1, and that .* free = pidfile:///.*/one\.pid"),
    "pidfile-dead": (GUNICORN + "--pid FOLDER/dead.pid", "", None),
    "pidfile-freed": (GUNICORN + "--pid FOLDER/one.pid", "[stage pid]\nfree = pidfile://FOLDER/one.pid\n", None),
}


def check(run_box, freshinit, folder, command, keys, first="", env=None):
    for name, text in {"one.pid": "1\n", "dead.pid": "4999999\n",
                       "beat.py": "worker_tmp_dir = '/dev/shm'\n"}.items():
        (folder / name).write_text(text, encoding="utf-8")
    path = folder / "freshinit.ini"
    text = f"{first}[server]\ncommand = {command}\n{keys}".replace("FOLDER", str(folder))
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)
    # /tmp of the box is on a disk where the test's folder is: TMPDIR names it.
    box = run_box(freshinit, "--config", str(path), "check",
                  env={"HOME": str(folder), "TMPDIR": "/usr", **(env or {})})
    assert box.wait() == 0, box.transcript()
    return [line for line in box.err if "advice: " in line]


@pytest.mark.parametrize("row", ROWS)
def test_advice(row, run_box, freshinit, tmp_path):
    command, keys, wanted = ROWS[row]
    lines = check(run_box, freshinit, tmp_path, command, keys)
    if wanted is None:
        assert lines == []
    else:
        assert len(lines) == 1 and re.search(wanted, lines[0])


def test_an_unwritable_home_with_gunicorn(run_box, freshinit, tmp_path):
    command = "gunicorn app:app --worker-tmp-dir /dev/shm"
    home = {"HOME": "/nonexistent"}
    lines = check(run_box, freshinit, tmp_path, command, "", env=home)
    assert len(lines) == 1 and "add --no-control-socket" in lines[0]
    assert check(run_box, freshinit, tmp_path, command, "") == []
    assert check(run_box, freshinit, tmp_path, GUNICORN, "", env=home) == []


def test_advice_is_silenced_by_its_key(run_box, freshinit, tmp_path):
    first = "[freshinit]\nadvice = no\n"
    assert check(run_box, freshinit, tmp_path, ROWS["reload"][0], "", first) == []


def test_kubernetes_has_a_longer_grace(run_box, freshinit, tmp_path):
    env = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    assert check(run_box, freshinit, tmp_path, GUNICORN, "stop_timeout = 20s\n", env=env) == []
    lines = check(run_box, freshinit, tmp_path, GUNICORN, "stop_timeout = 40s\n", env=env)
    assert len(lines) == 1 and "terminationGracePeriodSeconds" in lines[0]


def test_advice_is_given_at_the_start_too(site):
    site.start("uvicorn", keys="stop_timeout = 20s\n")
    assert [line for line in site.box.err if "advice: [server] stop_timeout" in line]
