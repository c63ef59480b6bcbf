"""A reload reads the release again, and nothing else."""

import signal

CONFIG = """
[freshinit]
release_file = {folder}/release
state_dir = {folder}/state
[env]
CACHE_VERSION = v-${{FRESHINIT_RELEASE}}
[stage tell]
run = sh -c 'echo stage $FRESHINIT_RELEASE $CACHE_VERSION'
[server]
reload = restart
command = sh -c 'echo server $FRESHINIT_RELEASE $CACHE_VERSION; exec {server}'
"""


def start(anywhere, helper, folder):
    (folder / "release").write_text("one\n")
    box = anywhere(config=CONFIG.format(folder=folder, server=helper("signals")))
    box.wait_line("stage one v-one", stream="err")
    box.wait_line("server one v-one", stream="out")
    box.wait_line("^ready")
    return box


def test_a_reload_reads_the_release_again(anywhere, helper, tmp_path):
    box = start(anywhere, helper, tmp_path)
    (tmp_path / "release").write_text("two\n")
    box.signal(signal.SIGHUP)
    box.wait_line("stage two v-two", stream="err")
    box.wait_line("server two v-two", stream="out")
    box.wait_line("The release is two now, at the start it was one", stream="err")
    box.wait_line("Reload done: generation 2", stream="err")


def test_a_release_that_can_not_be_read_is_the_one_of_the_start(anywhere, helper, tmp_path):
    box = start(anywhere, helper, tmp_path)
    (tmp_path / "release").unlink()
    box.signal(signal.SIGHUP)
    box.wait_line("release_file .*: No such file", stream="err")
    box.wait_line("server one v-one", stream="out", count=2)
    box.wait_line("Reload done: generation 2", stream="err")


def test_a_configuration_that_was_changed_is_told_and_not_read(box, helper, tmp_path):
    running = box(config=CONFIG.format(folder=tmp_path, server=helper("signals"))
                  .replace("release_file", "; release_file"), stages=True)
    running.wait_line("^ready")
    file = next(tmp_path.rglob("freshinit.ini"))
    file.write_text(file.read_text().replace("echo server", "echo changed"))
    running.signal(signal.SIGHUP)
    running.wait_line("was changed, and is read only at the start", stream="err")
    running.wait_line("Reload done", stream="err")
    assert not [line for line in running.out if line.startswith("changed")]


def test_what_a_variable_was_given_besides_the_release_stays(box, tmp_path):
    """The options by which gunicorn gets its socket, and a variable of before that it is built on."""
    (tmp_path / "release").write_text("one\n")
    program = tmp_path / "gunicorn"
    program.write_text("#!/bin/sh\necho \"$SEARCH $GUNICORN_CMD_ARGS\"\nexec sleep 600\n")
    program.chmod(0o755)
    running = box(config=f"""
[freshinit]
release_file = {tmp_path}/release
[env]
GUNICORN_CMD_ARGS = --name app-${{FRESHINIT_RELEASE}}
SEARCH = /app/${{FRESHINIT_RELEASE}}:${{SEARCH}}
[server]
listen = unix:{tmp_path}/app.sock
reload = restart
max_requests = 100
command = {program} app:app
""", env={"SEARCH": "/lib"})
    running.wait_line("^/app/one:/lib --name app-one --max-requests 100 ")
    (tmp_path / "release").write_text("two\n")
    running.signal(signal.SIGHUP)
    running.wait_line("^/app/two:/lib --name app-two --max-requests 100 ")
