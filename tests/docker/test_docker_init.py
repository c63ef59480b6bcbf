"""Called docker-init it is a plain init with tini's options: for images that call it, and for the
engine's own --init."""

import json
import os
import shutil
import subprocess
import time

import pytest

from containers import WITHIN, docker, until


def test_it_takes_docker_s_own_command_line(container):
    one = container("as-docker-init", "--", "/helpers/signals")
    one.wait_line(r"^ready")
    one.stop()
    assert one.wait() == 0
    assert "got 15" in one.out


def test_it_says_nothing_and_runs_no_stage(container):
    one = container("as-docker-init", "--", "/helpers/end", "exit", "3")
    assert one.wait() == 3
    assert one.err == []


def test_it_knows_tini_s_options(container):
    assert container("as-docker-init", "-g", "-s", "-e", "143", "--", "/helpers/end", "signal",
                     "15").wait() == 0


@pytest.mark.parametrize("command, status", [(("/helpers/absent",), 127), (("/helpers",), 126),
                                             (("/helpers/end", "signal", "6"), 134)])
def test_it_ends_with_the_program_s_status(command, status, container):
    assert container("as-docker-init", "--", *command).wait() == status


@pytest.fixture
def own_engine(tmp_path, engine, context):
    """A Docker engine of our own whose --init is freshinit. In a network of its own, since an engine
    without a bridge removes docker0, which may be another engine's."""
    if os.geteuid() != 0 or not shutil.which("dockerd"):
        pytest.skip("needs root and dockerd: it starts an engine of its own")
    (tmp_path / "daemon.json").write_text("{}")
    address = tmp_path / "sock"
    if len(str(address)) > 100:
        pytest.skip(f"the path is too long for a socket: {address}")
    with open(tmp_path / "log", "w", encoding="utf-8") as log:
        daemon = subprocess.Popen(
            ["unshare", "--net", "--", "dockerd", f"--init-path={context}/freshinit", f"--data-root={tmp_path}/data",
             f"--exec-root={tmp_path}/exec", f"--pidfile={tmp_path}/pid", f"--host=unix://{address}",
             "--bridge=none", "--iptables=false", "--ip-forward=false", "--storage-driver=vfs",
             f"--config-file={tmp_path}/daemon.json"], stdout=log, stderr=log)
    try:
        until(lambda: daemon.poll() is not None or answers(address), "a second engine")
        if daemon.poll() is not None:
            pytest.skip(f"no second engine starts here: {(tmp_path / 'log').read_text()[-300:]}")
        yield f"unix://{address}"
    finally:
        daemon.terminate()
        daemon.wait(WITHIN)


def answers(address):
    return docker("--host", f"unix://{address}", "version", check=False).returncode == 0


def test_docker_run_init_takes_it_unchanged(own_engine, context):
    engine = ["--host", own_engine]
    archive = subprocess.run(["tar", "-C", context / "tree", "-c", "helpers"], capture_output=True, check=True)
    subprocess.run(["docker", *engine, "import", "-", "helpers"], input=archive.stdout,
                   capture_output=True, check=True)
    seen = json.loads(docker(*engine, "run", "--rm", "--init", "--network", "none", "helpers",
                             "/helpers/report"))
    assert seen["uids"] == [0, 0, 0]
    code = docker(*engine, "run", "--rm", "--init", "--network", "none", "helpers", "/helpers/end",
                  "exit", "9", check=False).returncode
    assert code == 9
    docker(*engine, "run", "--detach", "--init", "--name", "one", "--network", "none", "helpers",
           "/helpers/signals")
    begin = time.monotonic()
    docker(*engine, "stop", "one")
    assert time.monotonic() - begin < 5
    assert docker(*engine, "inspect", "--format", "{{.State.ExitCode}}", "one") == "0"
    docker(*engine, "rm", "one")
