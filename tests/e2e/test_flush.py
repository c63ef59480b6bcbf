"""flush: what is named is forgotten, nothing else, and every refusal is one clear line."""

import json
import re

import pytest

pytest_plugins = ("caches",)

ODD_KEYS = [b"app:a b", b"app:new\nline", b"app:zero\0byte", b"app:\xff\xfe", b"app:" + b"k" * 3000]


def stage(url, *lines):
    return "\n".join(["[stage cache]", f"flush = {url}", *lines, ""])


def complaints(result):
    """The lines about the stage, which must be one."""
    return [line for line in result.stderr.splitlines() if "[stage cache]" in line]


def test_redis_keys_of_the_patterns_go_and_no_others(redis, run_config):
    for db in (0, 1):
        redis.call("MSET", *[w for i in range(2500) for w in (f"app:cache:{i}", "x")], db=db)
    redis.call("MSET", "session:1", "x", "freshinit:other:marker", "x", db=1)
    result = run_config(stage(redis.url(1), "keys = app:cache:* f*"))
    assert result.returncode == 0
    assert re.search(rf"^Flushing redis 127.0.0.1:{redis.port}/1: 2500 keys of the patterns "
                     r"removed, \d+ ms$", result.stderr, re.M)
    assert sorted(redis.call("KEYS", "*", db=1)) == [b"freshinit:other:marker", b"session:1"]
    assert redis.call("DBSIZE", db=0) == 2500


def test_redis_keys_may_hold_any_bytes(redis, run_config):
    for key in [*ODD_KEYS, b"ap"]:
        redis.call("SET", key, "x")
    result = run_config(stage(redis.url(), "keys = app:*"))
    assert f"{len(ODD_KEYS)} keys app:* removed" in result.stderr
    assert redis.call("KEYS", "*") == [b"ap"]


def test_a_key_that_no_buffer_holds_is_left_and_said(redis, run_config):
    redis.call("SET", b"app:" + b"k" * 5000, "x")
    result = run_config(stage(redis.url(), "keys = app:*"))
    assert "1 keys with names of more than" in result.stderr
    assert redis.call("DBSIZE") == 1


def test_a_whole_database_goes_with_all_and_the_next_one_stays(redis, run_config):
    for db in (1, 2):
        redis.call("MSET", "a", "1", "b", "2", db=db)
    result = run_config(stage(redis.url(1), "all = yes"))
    assert f"Flushing redis 127.0.0.1:{redis.port}/1: 2 keys forgotten" in result.stderr
    assert (redis.call("DBSIZE", db=1), redis.call("DBSIZE", db=2)) == (0, 2)


def test_redis_over_a_unix_socket(redis, run_config):
    redis.call("SET", "app:1", "x", db=3)
    result = run_config(stage(f"redis+unix://{redis.socket_path}?db=3", "keys = app:*"))
    assert f"Flushing redis {redis.socket_path}?db=3: 1 key app:* removed" in result.stderr
    assert redis.call("DBSIZE", db=3) == 0


@pytest.mark.parametrize("url, file, words", [
    ("redis://127.0.0.1:{port}", "s3cret:x\n", "1 key forgotten"),
    ("redis://:s3cret%3Ax@127.0.0.1:{port}", None, "1 key forgotten"),
    ("redis://default:s3cret%3Ax@127.0.0.1:{port}", None, "1 key forgotten"),
    ("redis://127.0.0.1:{port}", None, "NOAUTH Authentication required.: give it password_file ="),
    ("redis://127.0.0.1:{port}", "wr0ng", "AUTH refused: WRONGPASS"),
    ("redis://127.0.0.1:{port}", "", "is empty"),
])
def test_redis_with_a_password(start_redis, run_config, tmp_path, url, file, words):
    redis = start_redis("--requirepass", "s3cret:x", password="s3cret:x")
    redis.call("SET", "a", "1")
    lines = ["all = yes"]
    if file is not None:
        (tmp_path / "secret").write_text(file)
        lines.append(f"password_file = {tmp_path}/secret")
    result = run_config(stage(url.format(port=redis.port), *lines))
    assert words in result.stderr
    assert redis.call("DBSIZE") == (0 if "forgotten" in words else 1)
    assert "s3cret" not in result.stderr and "wr0ng" not in result.stderr


@pytest.mark.parametrize("option, code", [("on_error = warn", 0), ("on_error = fail", 75)])
def test_a_renamed_flushdb_is_one_clear_line(start_redis, run_config, option, code):
    redis = start_redis("--rename-command", "FLUSHDB", "")
    redis.call("SET", "a", "1")
    result = run_config(stage(redis.url(), "all = yes", option))
    assert result.returncode == code
    [line] = complaints(result)
    assert "FLUSHDB refused: ERR unknown command" in line and "renamed or switched off" in line


def test_a_user_of_few_rights_is_enough_for_keys(redis, run_config):
    redis.call("ACL", "SETUSER", "few", "on", ">pw", "~app:*", "+scan", "+unlink")
    redis.call("MSET", "app:1", "x", "other", "x")
    result = run_config(stage(f"redis://few:pw@127.0.0.1:{redis.port}", "keys = app:*"))
    assert "1 key app:* removed" in result.stderr
    assert redis.call("KEYS", "*") == [b"other"]


def reply(text):
    def say(connection, is_over):
        connection.recv(4096)
        connection.sendall(text)
        while connection.recv(4096):
            connection.sendall(text)
    return say


def hang(connection, is_over):
    is_over.wait(20)


def drip(connection, is_over):
    connection.sendall(b"$100000\r\n")
    while not is_over.wait(0.05):
        connection.sendall(b"x")


def flood(connection, is_over):
    while not is_over.is_set():
        connection.sendall(b"x" * 1000000)


def flood_bulk(connection, is_over):
    connection.sendall(b"$500000000\r\n")
    flood(connection, is_over)


@pytest.mark.parametrize("say, words", [
    (reply(b"-MOVED 3999 127.0.0.1:6381\r\n"), "part of a cluster"),
    (reply(b"-LOADING Redis is loading the dataset in memory\r\n"), "wait = redis://"),
    (reply(b"HTTP/1.1 400 Bad Request\r\n\r\n"), 'is this redis. It answered "HTTP/1.1 400'),
    (reply(b"+OK\r\n"), "an answer that redis does not give"),
    (reply(b"-ERR \x1b[2J\r\n"), r"refused: ERR \\x1b\[2J"),
    (lambda connection, is_over: None, "closed|reset"),
    (hang, "no answer in time"),
    (drip, "no answer in time"),
    (flood, "longer than"),
    (flood_bulk, "no answer in time|A text has no end"),
], ids=["moved", "loading", "http", "nonsense", "escape", "closed", "silent", "slow", "flood",
        "flood in a text"])
def test_a_redis_that_lies_is_one_clear_line(run_config, liar, say, words):
    with liar(say) as port:
        result = run_config(stage(f"redis://127.0.0.1:{port}", "keys = a:*", "timeout = 1s"))
    assert result.returncode == 0
    [line] = complaints(result)
    assert re.search(words, line) and f"redis 127.0.0.1:{port}" in line


@pytest.mark.parametrize("say, words", [
    (reply(b"HTTP/1.1 400 Bad Request\r\n\r\n"), 'is this memcached. It answered "HTTP/1.1 400'),
    (reply(b"SERVER_ERROR out of memory\r\n"), "refused: SERVER_ERROR out of memory"),
    (lambda connection, is_over: None, "closed|reset"),
    (hang, "no answer in time"),
    (drip, "is this memcached"),
    (flood, "longer than"),
], ids=["http", "error", "closed", "silent", "slow", "flood"])
def test_a_memcached_that_lies_is_one_clear_line(run_config, liar, say, words):
    with liar(say) as port:
        result = run_config(stage(f"memcached://127.0.0.1:{port}", "all = yes", "timeout = 1s"))
    assert result.returncode == 0
    [line] = complaints(result)
    assert re.search(words, line) and f"memcached 127.0.0.1:{port}" in line


@pytest.mark.parametrize("unix", [False, True])
def test_a_memcached_forgets_everything(start_memcached, run_config, unix):
    memcached = start_memcached(unix=unix)
    memcached.set("a", "x" * 3000)
    memcached.set("b", "y")
    place = memcached.socket_path if unix else f"127.0.0.1:{memcached.port}"
    result = run_config(stage(memcached.url(), "all = yes"))
    assert re.search(rf"^Flushing memcached {re.escape(place)}: 2 items, 3\.\d KiB forgotten, "
                     r"\d+ ms$", result.stderr, re.M)
    assert memcached.get("a") is None and memcached.get("b") is None


def test_one_dead_server_of_several_does_not_keep_the_others(start_memcached, run_config):
    first, last = start_memcached(), start_memcached()
    for server in (first, last):
        server.set("a", "1")
    dead = "memcached://127.0.0.1:1"
    result = run_config(stage(f"{first.url()} {dead} {last.url()}", "all = yes"))
    assert first.get("a") is None and last.get("a") is None
    [line] = complaints(result)
    assert "memcached 127.0.0.1:1: connect: Connection refused" in line


def test_a_memcached_that_may_not_be_flushed(start_memcached, run_config):
    memcached = start_memcached("-F")
    memcached.set("a", "1")
    lines = ["all = yes", "once = release", "once_id = r1"]
    for _ in range(2):
        # The second time too: a flush that was refused leaves no marker.
        [line] = complaints(run_config(stage(memcached.url(), *lines)))
        assert "flush_all refused: CLIENT_ERROR flush_all not allowed" in line
        assert "it was started with -F" in line
    assert memcached.get("a") == "1"


@pytest.mark.parametrize("secret, words", [("app:s3cret\n", "forgotten"),
                                           ("app:wr0ng", "set refused: CLIENT_ERROR"),
                                           (None, "unauthenticated: give it password_file =")])
def test_memcached_with_a_password(start_memcached, run_config, cache_folder, secret, words):
    (cache_folder / "auth").write_text("app:s3cret\n")
    (cache_folder / "auth").chmod(0o644)
    memcached = start_memcached("-Y", str(cache_folder / "auth"))
    lines = ["all = yes"]
    if secret:
        (cache_folder / "mine").write_text(secret)
        lines.append(f"password_file = {cache_folder}/mine")
    result = run_config(stage(memcached.url(), *lines))
    assert words in result.stderr
    assert "s3cret" not in result.stderr and "wr0ng" not in result.stderr


@pytest.mark.parametrize("url, lines, words", [
    ("memcached://h", [], "write all = yes if that is meant"),
    ("memcached://h", ["all = yes", "keys = a:*"], "keys is for redis"),
    ("redis://h", [], "keys = myapp:cache:*, or the whole database with all = yes"),
    ("redis://h", ["keys = *"], "write all = yes instead"),
    ("redis://h", ["keys = ?*"], "write all = yes instead"),
    ("redis://h", ["keys = ** *?"], "write all = yes instead"),
    ("redis://h", ["keys = a:*", "all = yes"], "not both"),
    ("redis://h/x", ["all = yes"], "no redis database"),
    ("rediss://h", ["all = yes"], "no TLS inside"),
    ("http://h/", ["all = yes"], "can't be flushed"),
    ("redis://h", ["all = yes", "once = change"], "once = change needs in ="),
])
def test_what_is_not_said_clearly_is_a_configuration_error(run_config, url, lines, words):
    result = run_config(stage(url, *lines))
    assert result.returncode == 78
    assert words in result.stderr and "freshinit.ini:2: [stage cache]" in result.stderr


def test_a_dry_run_forgets_nothing(redis, run_config):
    redis.call("SET", "a", "1")
    result = run_config(stage(redis.url(), "all = yes", "when = build"), "clean", "--dry-run")
    assert f"Would flush redis 127.0.0.1:{redis.port}" in result.stderr
    assert redis.call("DBSIZE") == 1


def test_the_event_has_the_numbers(redis, run_config):
    redis.call("MSET", "a", "1", "b", "2")
    result = run_config(stage(redis.url(), "keys = a*"), env={"FRESHINIT_LOG": "json"})
    events = [json.loads(line) for line in result.stderr.splitlines()]
    [event] = [e for e in events if e["event"] == "stage.done"]
    assert event["stage"] == "cache"
    assert (event["done"], event["keys_before"], event["keys_after"]) == (1, 2, 1)
