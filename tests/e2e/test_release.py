"""Which release it is, and whether it is the one that was meant."""

import pytest


@pytest.mark.parametrize("env, release", [
    ({"GIT_COMMIT_HASH": "3f2a9c1"}, "3f2a9c1"),
    ({"SOURCE_COMMIT": "3f2a9c1"}, "3f2a9c1"),
    ({"K_REVISION": "web-00042", "HEROKU_SLUG_COMMIT": "abcdef1"}, "abcdef1"),
    ({"GIT_COMMIT_HASH": "", "RENDER_GIT_COMMIT": "3f2a9c1"}, "3f2a9c1"),
    ({"FRESHINIT_RELEASE": "v7", "GIT_COMMIT_HASH": "3f2a9c1"}, "v7"),
])
def test_what_platforms_set_tells_it_to_log_and_server(box, env, release):
    one = box("sh", "-c", "echo it is $FRESHINIT_RELEASE", env=env)
    one.wait_line(f"^it is {release}$", stream="out")
    assert f"release {release}, " in one.err[0]


@pytest.mark.parametrize("expect", ["3f2a9c1", "3f2a9c1" + "0" * 33])
def test_the_expected_one_says_nothing(box, expect):
    one = box("true", env={"GIT_COMMIT_HASH": "3f2a9c1", "FRESHINIT_EXPECT": expect,
                           "FRESHINIT_ON_STALE_IMAGE": "fail"})
    assert one.wait() == 0
    assert "stale image" not in "\n".join(one.err)


@pytest.mark.parametrize("on_stale, code", [("warn", 0), ("fail", 75)])
def test_another_one_is_a_stale_image_with_the_words_that_rebuild_it(box, on_stale, code):
    one = box("echo", "started", env={"GIT_COMMIT_HASH": "3f2a9c1", "FRESHINIT_EXPECT": "deadbee",
                                      "FRESHINIT_ON_STALE_IMAGE": on_stale})
    assert one.wait() == code
    assert ("started" in one.out) == (code == 0)
    text = "\n".join(one.err)
    assert "this image is release 3f2a9c1 (from GIT_COMMIT_HASH), but deadbee was expected" in text
    assert "docker build --no-cache --pull --build-arg GIT_COMMIT_HASH=deadbee" in text


def test_an_image_that_does_not_say_its_release_is_not_taken_for_the_expected_one(box):
    one = box("echo", "started", env={"FRESHINIT_EXPECT": "deadbee",
                                      "FRESHINIT_ON_STALE_IMAGE": "fail"})
    assert one.wait() == 75
    assert "does not say which it is" in "\n".join(one.err)
