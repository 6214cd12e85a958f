"""Which server is called and with which key: what the caller says, then the environment."""

import pytest

import tasker
from tasker.client.settings import DEFAULT_URL, server_of

SECRET = "canary-key"


def refusal(*arguments):
    with pytest.raises(tasker.SettingError) as error:
        server_of(*arguments)
    return str(error.value)


@pytest.fixture
def key_file(tmp_path):
    file = tmp_path / "key"
    file.write_text(f"{SECRET}\nand a note\n")
    return str(file)


def test_without_anything_it_is_the_server_of_this_machine():
    assert server_of(None, None, {}) == (DEFAULT_URL, None)
    assert server_of(None, None, {"TASKER_URL": "", "TASKER_KEY": "", "TASKER_KEY_FILE": ""}) == (DEFAULT_URL, None)


def test_the_environment_says_which_and_the_caller_says_it_first(key_file):
    environment = {"TASKER_URL": "https://tasker.example:8443/a/", "TASKER_KEY": SECRET}
    assert server_of(None, None, environment) == ("https://tasker.example:8443/a", SECRET)
    assert server_of("http://other", "mine", environment) == ("http://other", "mine")
    assert server_of(None, None, {"TASKER_KEY_FILE": key_file}).key == SECRET
    assert server_of(None, "mine", {"TASKER_KEY_FILE": "/nowhere"}).key == "mine"


def test_a_client_takes_them_from_its_environment(monkeypatch):
    monkeypatch.setenv("TASKER_URL", "http://tasker.example:8081/")
    monkeypatch.setenv("TASKER_KEY", SECRET)
    client = tasker.Client()
    assert client.url == "http://tasker.example:8081"
    assert client._connection._key == SECRET


@pytest.mark.parametrize(
    "url",
    [
        *("", "localhost:8080", "ftp://x", "http://", "http:///x", "http://x:port", "http://x:99999", "http://[::1"),
        *("http://x/?a=b", "http://x/#a", "http://x y", "http://x\n", "http://x/\x7f"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(url):
    assert refusal(url, None, {}).startswith("url: expected the URL of a tasker server")
    if url:
        assert refusal(None, None, {"TASKER_URL": url}).startswith("TASKER_URL: ")


@pytest.mark.parametrize("url", ["http://me:canary-password@x", "ftp://me:canary-password@x", "http://canary-user@x"])
def test_a_password_in_a_url_is_refused_and_not_shown(url):
    assert "canary" not in refusal(url, None, {})


@pytest.mark.parametrize("key", ["", "canary key", "canary\n", "canary\xe9", "canary\0"])
def test_a_key_that_cannot_be_sent_is_refused_and_not_shown(key, tmp_path):
    assert "canary" not in refusal(None, key, {})
    if key:
        assert refusal(None, None, {"TASKER_KEY": key}).startswith("TASKER_KEY: expected an API key")


@pytest.mark.parametrize("content", [b"", b"\n", b"canary key\n", b"\xff\xfe"])
def test_a_file_that_has_no_key_is_refused(tmp_path, content):
    file = tmp_path / "key"
    file.write_bytes(content)
    message = refusal(None, None, {"TASKER_KEY_FILE": str(file)})
    assert message.startswith("TASKER_KEY_FILE: expected")
    assert "canary" not in message


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    message = refusal(None, None, {"TASKER_KEY_FILE": str(tmp_path / "none")})
    assert "none: No such file or directory" in message


def test_two_ways_to_say_the_key_are_one_too_many(key_file):
    assert "got both" in refusal(None, None, {"TASKER_KEY": SECRET, "TASKER_KEY_FILE": key_file})


def test_who_is_called_is_shown_without_the_key():
    assert repr(server_of("http://x", SECRET, {})) == "Server(url='http://x', key=***)"
    assert repr(tasker.Client("http://x", SECRET)) == "Client('http://x')"
    assert repr(tasker.AsyncClient("http://x", SECRET)) == "AsyncClient('http://x')"
    assert SECRET not in repr(tasker.Client("http://x", SECRET)._connection)


@pytest.mark.parametrize(
    ("option", "value"), [("timeout", 0), ("timeout", -1), ("timeout", float("nan")), ("retries", -1)]
)
def test_options_that_make_no_sense_are_refused(option, value):
    with pytest.raises(ValueError, match=f"^{option}: expected"):
        tasker.Client("http://x", **{option: value})
