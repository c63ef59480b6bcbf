"""`freshinit health`: the right answer is 0; everything else, hostile servers too, 1 and one line."""

import os
import signal
import subprocess
import time

import pytest

from inside import inside
from webs import OK, json_answer, one_byte_at_a_time, web, without_end


@pytest.fixture
def health(freshinit, tmp_path):
    def run(*words, config="", env=None):
        path = tmp_path / "health.ini"
        path.write_text(config, encoding="utf-8")
        began = time.monotonic()
        done = subprocess.run([freshinit, "health", "--config", path, *words], capture_output=True,
                              text=True, timeout=30, check=False, cwd=tmp_path,
                              env={"PATH": os.environ["PATH"], "FRESHINIT_STATE_DIR": "/proc/no",
                                   **(env or {})})
        done.seconds = time.monotonic() - began
        assert len(done.stdout.splitlines()) <= 1, done.stdout
        return done

    return run


def config(port, *lines):
    return "\n".join(["[freshinit]", "release = 3f2a9c1", "[health]",
                      f"url = http://127.0.0.1:{port}/healthz", *lines])


def test_a_good_answer_is_0_and_the_url_of_the_configuration_is_asked(health):
    with web() as one:
        done = health(config=config(one.port))
        assert (done.returncode, done.stdout) == (0, f"ok: http://127.0.0.1:{one.port}/healthz\n")
        assert one.requests[0].startswith(b"GET /healthz HTTP/1.1\r\n")


def test_a_url_behind_the_command_comes_first(health):
    with web() as one:
        assert health(f"http://127.0.0.1:{one.port}/other", config=config(1)).returncode == 0
        assert one.requests[0].startswith(b"GET /other ")


@pytest.mark.parametrize("line", ["ready = http://127.0.0.1:{port}/r", "listen = 0.0.0.0:{port}"])
def test_without_a_url_ready_and_listen_tell_whom_to_ask(health, line):
    with web() as one:
        text = "[server]\ncommand = gunicorn a:b\n" + line.format(port=one.port)
        assert health(config=text).returncode == 0
        assert one.requests[0].split()[1] == (b"/r" if "ready" in line else b"/")


def test_a_unix_socket_is_asked_too(health, tmp_path):
    with web(path=tmp_path / "app.sock") as one:
        assert health(f"http+unix://{tmp_path}/app.sock?path=/healthz").returncode == 0
        assert one.requests[0].startswith(b"GET /healthz ")


def test_two_urls_are_a_mistake_on_the_command_line(health):
    done = health("http://127.0.0.1:1/", "http://127.0.0.1:2/")
    assert (done.returncode, done.stderr.strip()) == (64, "freshinit: error: health takes one URL")


def test_with_nobody_to_ask_it_says_which_line_to_write(health):
    done = health()
    assert done.returncode == 1
    assert "[health] url = http://127.0.0.1:8000/healthz" in done.stdout


@pytest.mark.parametrize("lines, answer, words", [
    ((), b"HTTP/1.1 500 No\r\n\r\n", "it answered 500"),
    (("status = 204",), OK, "it answered 200, not 204"),
    (("body = fine",), OK, "without \"fine\" in the body"),
    (("expect_header = Cache-Control: no-cache",), OK, "\"no-store\", not \"no-cache\""),
    (("expect_header = X-Missing: 1",), OK, "header X-Missing is \"\""),
    (("release_header = X-Release",), OK.replace(b"3f2a9c1", b"deadbee"),
     "of release deadbee, not of 3f2a9c1"),
    (("release_header = X-Other",), OK, "has no X-Other"),
    (("release_json = release",), json_answer(b'{"release": "deadbee"}'), "of release deadbee"),
    (("release_json = release",), json_answer(b'{"released": "3f2a9c1"}'), "has no release"),
    (("release_json = release",), json_answer(b'{"release": "3f2a9c1'), "has no release"),
    (("release_json = release",), json_answer(b"[]"), "has no release"),
    (("release_header = X-Release",), OK.replace(b"3f2a9c1", b"\x1b[31mx"), "\\x1b[31mx"),
    ((), b"SSH-2.0-OpenSSH\r\n", "this is no HTTP server"),
    ((), b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "Content-Length"),
    ((), b"", "closed before an answer"),
])
def test_a_wrong_answer_is_1_and_named(health, lines, answer, words):
    with web(answer) as one:
        done = health(config=config(one.port, *lines))
        assert done.returncode == 1
        assert words in done.stdout


@pytest.mark.parametrize("lines, answer", [
    (("body = ok", "status = 200"), OK),
    (("expect_header = cache-control: NO-STORE",), OK),
    (("expect_header = Cache-Control: no-store",), OK.replace(b"no-store", b"private, no-store")),
    (("release_header = x-release",), OK),
    (("release_header = X-Release",), OK.replace(b"3f2a9c1", b"3f2a9c1d" + b"0" * 32)),
    (("release_json = release",), json_answer(b'{"app": {"release" : "3f2a9c1"}}')),
    (("release_json = build",), json_answer(b'{"build": 3f2a9c1}')),
])
def test_what_is_wanted_is_0(health, lines, answer):
    with web(answer) as one:
        done = health(config=config(one.port, *lines))
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("answer", [None, one_byte_at_a_time, without_end],
                         ids=["silent", "a byte at a time", "without end"])
def test_a_hostile_server_costs_no_more_than_the_timeout(health, answer):
    with web(answer) as one:
        done = health("--timeout", "300ms", config=config(one.port, "body = never"))
        assert done.returncode == 1
        assert done.seconds < 5


def test_a_release_that_is_not_known_here_is_no_match(health):
    with web() as one:
        text = f"[health]\nurl = http://127.0.0.1:{one.port}/\nrelease_header = X-Release\n"
        done = health(config=text)
        assert done.returncode == 1 and "release is unknown here" in done.stdout


def test_no_one_listening_is_1(health):
    done = health("http://127.0.0.1:1/")
    assert done.returncode == 1 and "Connection refused" in done.stdout


def test_tls_is_refused_with_those_words(health):
    done = health("https://127.0.0.1/")
    assert done.returncode == 1 and "TLS" in done.stdout


def test_while_the_stages_run_it_is_not_healthy(box, freshinit, helper):
    with web() as one:
        url = f"http://127.0.0.1:{one.port}/"
        running = box(config=f"[stage slow]\nrun = {helper('signals')}\n"
                             f"[server]\ncommand = {helper('signals')}\n")
        running.wait_line("ready")
        running.wait_process(lambda _: inside(running, freshinit, "status").code == 0, "the record")
        answer = inside(running, freshinit, "health", url)
        assert answer.code == 1 and "stages are not done" in answer.out
        running.signal(signal.SIGTERM)


def test_a_probe_each_second_costs_next_to_nothing(health):
    with web() as one:
        begin = os.times()
        for _ in range(50):
            assert health(config=config(one.port)).returncode == 0
        end = os.times()
        spent = end.children_user + end.children_system - begin.children_user - begin.children_system
        assert spent / 50 < 0.01
