"""What tasker cannot do it refuses in one line, which names the cause and what would be right. No traceback, ever."""

import os
import shutil
import socket
import subprocess
import sys

import apsw
import pytest
from command import COMMAND, one_line_of, refusal, run, serving

from tasker.config import Settings
from tasker.errors import ListenError, StartError
from tasker.node import Node, _listen, bind
from tasker.stores.sqlite.schema import APPLICATION_ID


def sqlite_file(path, *statements):
    connection = apsw.Connection(str(path))
    for statement in statements:
        connection.execute(statement)
    connection.close()


@pytest.fixture
def misused(capsys, settings_from):
    """Give the command options, variables and keys that it refuses with 2 and one line; the line."""

    def refused(*arguments, variables=None, toml=None):
        with pytest.raises(SystemExit) as end:
            settings_from(*arguments, variables=variables, toml=toml)
        assert end.value.code == 2
        printed = capsys.readouterr()
        return one_line_of(printed.out, printed.err)

    return refused


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--listen-port", "70000"], ["--listen-port", "from 0 to 65535", "'70000'"]),
        (["--listen-port", "http"], ["--listen-port", "from 0 to 65535", "'http'"]),
        (["serve", "--listen-port", "-1"], ["--listen-port", "from 0 to 65535", "'-1'"]),
        (["--listen-ip", "localhost"], ["--listen-ip", "an IP address, such as 127.0.0.1", "'localhost'"]),
        (["--listen-ip", "127.0.0.1\nx"], ["--listen-ip", "an IP address, such as 127.0.0.1"]),
        (["--database-url", "tasks.db"], ["--database-url", "sqlite:PATH"]),
        (["--database-url", "sqlite:"], ["--database-url", "sqlite:PATH"]),
        (
            ["--database-url", "postgresql:tasks"],
            ["--database-url", "postgresql://HOST:PORT/DATABASE", "a postgresql: URL"],
        ),
        (
            ["--database-url", "postgresql+asyncpg://localhost/tasks"],
            ["postgresql://HOST:PORT", "postgresql+asyncpg:"],
        ),
        (["--database-url", "mysql://localhost/tasks"], ["sqlite:PATH", "postgresql://HOST:PORT/DATABASE", "mysql:"]),
        (["--database-url", "postgresql://localhost/\0"], ["--database-url", "postgresql://HOST:PORT/DATABASE"]),
        *(
            (["--keep-done", age], ["--keep-done", "30m", "forever", repr(age)])
            for age in ("7", "7w", "7 d", "-1d", "1.5h")
        ),
        *(
            (["--keep-failed", age], ["--keep-failed", "at most 36500d", repr(age)])
            for age in ("", "36501d", "9999999d", "no")
        ),
        (["--no-listen=yes"], ["--no-listen", "does not take a value"]),
        (["db", "migrate", "--database-url", "tasks.db"], ["--database-url", "sqlite:PATH"]),
        (["db", "migrate", "--listen-port", "1"], ["--listen-port", "No such option"]),
        (["db", "migrat"], ["migrat", "migrate"]),
        (["--database-url", "sqlite:a", "db", "migrate"], ["options go after the command"]),
        (["--log-level", "loud"], ["--log-level", "TRACE, DEBUG, INFO, WARN, ERROR", "'loud'"]),
        (["--grace-period", "soon"], ["--grace-period", "seconds from 0 to 3600", "'soon'"]),
        (["--egress", "internet"], ["--egress", "one of auto, lan, public, any", "'internet'"]),
        *(
            ([flag, target], [flag, "an address, a network or a host name", "[fd12::7]:8080", repr(target)])
            for flag in ("--allow-target", "--deny-target")
            for target in ("127.1", "10.0.0.1/8", "10.0.0.1:0", "::ffff:10.0.0.1", "http://x", "*.x", "a,b", "")
        ),
        *(
            (["--egress-proxy", url], ["--egress-proxy", "http://HOST:PORT", got])
            for url, got in (
                ("https://p:1", "a https: URL"),
                ("socks5://p:1", "a socks5: URL"),
                ("http://p", "a http: URL"),
                ("p:1", "no scheme"),
            )
        ),
        *(
            (["--public-url", url], ["--public-url", "an http:// or https:// URL", "without a user", got])
            for url, got in (
                ("tasks.example.org", "no scheme"),
                ("http://", "a http: URL"),
                ("https://me:pass@tasks.example.org", "a https: URL"),
                ("https://tasks.example.org/?x", "a https: URL"),
                ("https://b\u00fccher.example", "a https: URL"),
                ("ftp://tasks.example.org", "a ftp: URL"),
            )
        ),
        *(
            (["--root-path", path], ["--root-path", "such as /tasker", repr(path)])
            for path in ("tasker", "//evil.example", "/a b", "/../a", "/a?b", "https://tasks.example.org/")
        ),
        *(
            (["--trusted-proxy", address], ["--trusted-proxy", "an IP address or a network", repr(address)])
            for address in ("proxy", "10.0.0.1/24", "10.0.0.1:80", "")
        ),
        (["--listen-prot", "1"], ["--listen-prot", "--listen-port", "--help"]),
        (["--listen-port"], ["--listen-port", "requires an argument"]),
        (["--allowed-host"], ["--allowed-host", "requires an argument"]),
        (["serv"], ["serv", "--help"]),
        (["--no-auth", "serve"], ["tasker serve [OPTIONS]"]),
        (["--config", "none.toml"], ["--config", "none.toml", "No such file"]),
        (["--api-keys-file", "no\nkeys"], ["--api-keys-file", "No such file", "one API key per line"]),
        (["--webhook-secret", "short"], ["--webhook-secret", "whsec_ followed by the base64"]),
        (
            ["--webhook-secrets-file", "no\nsecrets"],
            ["--webhook-secrets-file", "No such file", "one signing secret per line"],
        ),
        (["--listen-ip", "0.0.0.0"], ["--listen-ip", "--api-keys-file", "--no-auth"]),
        (["--listen-ip", "::"], ["--listen-ip", "--api-keys-file", "--no-auth"]),
    ],
)
def test_an_option_that_cannot_be_used_is_misuse(misused, arguments, words):
    line = misused(*arguments)
    assert [word for word in words if word not in line] == [], line


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LISTEN_PORT", "65536", ["from 0 to 65535"]),
        ("LISTEN_IP", "0", ["an IP address"]),
        ("LISTEN_IP", "0.0.0.0", ["--api-keys-file", "--no-auth"]),
        ("DATABASE_URL", "mysql://localhost/tasks", ["sqlite:PATH"]),
        ("LOG_LEVEL", "loud", ["TRACE, DEBUG, INFO, WARN, ERROR"]),
        ("RUST_LOG", "hyper=warn,loud", ["TRACE, DEBUG, INFO, WARN, ERROR"]),
        ("TASKER_MAX_DELIVERIES", "0", ["from 1 to 10000"]),
        ("TASKER_NO_AUTH", "perhaps", ["true or false"]),
        ("TASKER_NO_MIGRATE", "perhaps", ["true or false"]),
        ("TASKER_NO_LISTEN", "2", ["true or false"]),
        ("TASKER_KEEP_DONE", "a week", ["7d", "forever"]),
        ("TASKER_EGRESS", "none", ["one of auto, lan, public, any"]),
        ("TASKER_ALLOW_TARGETS", "10.0.0.0/8, 10/8", ["a network", "'10/8'"]),
        ("TASKER_DENY_TARGETS", "10.0.0.0/8 10.0.0.1", ["a network"]),
        ("TASKER_EGRESS_PROXY", "http://p:1/x", ["http://HOST:PORT"]),
        ("TASKER_API_KEYS", "short", ["at least 16"]),
        ("TASKER_API_KEYS", " ", ["at least one API key"]),
        ("TASKER_WEBHOOK_SECRET", " , ", ["whsec_ followed by the base64", "got none"]),
        ("TASKER_WEBHOOK_SECRET", "", ["whsec_ followed by the base64", "got none"]),
        ("TASKER_WEBHOOK_SECRETS_FILE", "", ["a path"]),
        ("TASKER_CONFIG", "none.toml", ["none.toml"]),
    ],
)
def test_a_variable_that_cannot_be_used_is_misuse(misused, name, value, words):
    line = misused(variables={name: value})
    assert [word for word in [name, *words] if word not in line] == [], line


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("listen_port = 65536", ["listen_port", "from 0 to 65535"]),
        ("listen_port = '80'", ["listen_port", "a whole number"]),
        ("no_auth = 1", ["no_auth", "true or false"]),
        ("no_listen = 'yes'", ["no_listen", "true or false"]),
        ("database_schema = 'pg_mine'", ["database_schema", "not pg_ at the beginning"]),
        ("database_schema = 'Mine'", ["database_schema", "lower-case letters"]),
        ("keep_failed = 30", ["keep_failed", "such as 90s", "written as text"]),
        ("egress = true", ["egress", "written as text"]),
        ("allow_targets = '10.0.0.0/8'", ["allow_targets", "a list"]),
        ("deny_targets = [10]", ["deny_targets", "a list of texts"]),
        ("allow_target = ['10.0.0.0/8']", ["allow_target", "allow_targets"]),
        ("egress_proxy = 'p'", ["egress_proxy", "http://HOST:PORT"]),
        ("allowed_hosts = 'tasks.example.org'", ["allowed_hosts", "a list"]),
        ("listen_ip = '0.0.0.0'", ["listen_ip", "--api-keys-file", "--no-auth"]),
        ("listen_prot = 80", ["listen_prot", "listen_port"]),
        ("nonsense = 80", ["nonsense", "no such key", "listen_ip", "grace_period"]),
        ("api_keys = ['0123456789abcdef']", ["api_keys", "api_keys_file", "TASKER_API_KEYS"]),
        ("webhook_secrets = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'", ["webhook_secrets", "a list"]),
        ("a\nlisten_port = 80", ["is not TOML", "line 1"]),
    ],
)
def test_a_key_that_cannot_be_used_is_misuse(misused, toml, words):
    line = misused(toml=toml)
    assert [word for word in ["tasker.toml", *words] if word not in line] == [], line


def test_asking_for_keys_and_for_no_keys_is_misuse(misused):
    assert "--no-auth" in misused("--no-auth", variables={"TASKER_API_KEYS": "0123456789abcdef"})


@pytest.mark.parametrize(
    ("arguments", "variables", "toml", "word"),
    [
        (["--listen-port", "70000"], {}, "", "--listen-port: expected a port from 0 to 65535, got: '70000'"),
        (["--listen-prot", "1"], {}, "", "--listen-prot"),
        ([], {"LISTEN_IP": "0.0.0.0"}, "", "LISTEN_IP: others can reach 0.0.0.0"),
        ([], {}, "listen_prot = 1", "'listen_prot' in tasker.toml: there is no such key; expected listen_port"),
    ],
)
def test_misuse_ends_the_process_with_2_and_leaves_nothing_behind(tmp_path, arguments, variables, toml, word):
    line = refusal(run(tmp_path, *arguments, variables=variables, toml=toml), 2)
    assert word in line
    assert [file.name for file in tmp_path.iterdir()] == ["tasker.toml"]


@pytest.mark.parametrize("name", ["hash", "job", "webhook"])
def test_a_function_with_the_name_of_a_type_of_tasker_ends_with_1(tmp_path, name):
    (tmp_path / "shop.py").write_text(f"import tasker\napp = tasker.App()\n@app.task('{name}')\ndef a(): pass\n")
    line = refusal(run(tmp_path, "--app", "shop:app", "--database-url", "sqlite::memory:"), 1)
    assert f"--app shop:app: '{name}' is a task type of tasker; give the function another name" in line


def test_a_port_in_use_ends_with_1(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        line = refusal(run(tmp_path, "--listen-port", port), 1)
    assert f"127.0.0.1:{port}" in line
    assert "--listen-port" in line
    assert "tasker serve --listen-port 8081" in line
    assert list(tmp_path.iterdir()) == [], "nothing else was touched"


def test_of_two_servers_that_start_on_one_address_the_second_is_refused():
    with bind("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with bind("127.0.0.1", port) as second:
            _listen(first)
            with pytest.raises(ListenError):
                _listen(second)
        with pytest.raises(ListenError):
            bind("127.0.0.1", port)


def test_an_address_of_another_machine_ends_with_1(tmp_path):
    line = refusal(run(tmp_path, "--no-auth", "--listen-ip", "192.0.2.1", "--listen-port", "0"), 1)
    assert "192.0.2.1" in line
    assert "--listen-ip" in line


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("missing/tasks.db", ["missing", "make it first"]),
        ("/proc/tasks.db", ["cannot write /proc/tasks.db.lock", "must be writable"]),
        ("notes.txt/tasks.db", ["cannot write"]),
        ("x" * 300, ["File name too long"]),
        ("loop", ["loop"]),
        (".", ["no ordinary file"]),
        ("pipe", ["no ordinary file"]),
        ("notes.txt", ["not a tasker database", "--database-url"]),
        ("addresses.db", ["not a tasker database", "--database-url"]),
        ("newer.db", ["a newer tasker wrote it", "schema 1000"]),
        ("earlier.db", ["hashes", "6f2ee5ba-5f2a-4f0a-8a4e-2b6c0d1f7a11", "nothing was changed"]),
    ],
)
@pytest.mark.anyio
async def test_a_database_that_cannot_be_used_is_refused_and_not_changed(tmp_path, monkeypatch, path, words):
    monkeypatch.chdir(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "notes.txt").write_text("Buy milk, and then some more of it.\n" * 200)
    sqlite_file(tmp_path / "addresses.db", "CREATE TABLE address (street TEXT)")
    sqlite_file(tmp_path / "newer.db", f"PRAGMA application_id = {APPLICATION_ID}", "PRAGMA user_version = 1000")
    sqlite_file(
        tmp_path / "earlier.db",
        "CREATE TABLE hashes (id TEXT, state TEXT, execution_time TEXT, secret TEXT)",
        "INSERT INTO hashes VALUES ('6f2ee5ba-5f2a-4f0a-8a4e-2b6c0d1f7a11', 'todo', 'tomorrow', 'x')",
    )
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}

    with pytest.raises(StartError) as refused:
        await Node(Settings(listen_port=0, database_url=f"sqlite:{path}")).start()

    assert [word for word in words if word not in str(refused.value)] == [], refused
    assert before.items() <= {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}.items()


@pytest.mark.parametrize(
    ("path", "word"),
    [("two\nlines/tasks.db", "make it first"), ("notes.txt", "not a tasker database"), (".", "no ordinary file")],
)
def test_a_database_that_cannot_be_used_ends_the_process_with_1(tmp_path, path, word):
    (tmp_path / "notes.txt").write_text("Buy milk, and then some more of it.\n" * 200)
    line = refusal(run(tmp_path, "--listen-port", "0", "--database-url", f"sqlite:{path}"), 1)
    assert word in line


def test_a_database_that_another_tasker_holds_ends_with_1_and_the_other_goes_on(tmp_path):
    with serving(tmp_path, "--listen-port", "0") as server:
        (tmp_path / "alias.db").symlink_to("tasks.db")
        line = refusal(run(tmp_path, "--listen-port", "0", "--database-url", "sqlite:alias.db"), 1)
        assert "another tasker is using it" in line
        assert "--database-url" in line
        assert server.call("GET", "/readyz")[0] == 200


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the file's own lock would meet those of SQLite")
def test_a_database_is_held_by_its_file_even_if_the_file_of_its_lock_is_gone(tmp_path):
    with serving(tmp_path, "--listen-port", "0") as server:
        (tmp_path / "tasks.db.lock").unlink()
        assert "another tasker is using it" in refusal(run(tmp_path, "--listen-port", "0"), 1)
        (tmp_path / "other.db").hardlink_to(tmp_path / "tasks.db")
        assert "hard link" in refusal(run(tmp_path, "--listen-port", "0", "--database-url", "sqlite:other.db"), 1)
        assert server.call("GET", "/readyz")[0] == 200
        read = "import sqlite3; print(sqlite3.connect('tasks.db').execute('SELECT 1 FROM task').fetchall())"
        assert run(tmp_path, command=[sys.executable, "-c", read]).stdout == "[]\n", "other programs read it as ever"


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare(1)")
def test_a_volume_that_is_the_file_alone_is_refused(tmp_path):
    (tmp_path / "volume.db").touch()
    (tmp_path / "tasks.db").touch()
    mounted = [
        "unshare",
        "--mount",
        "--map-root-user",
        "sh",
        "-c",
        'mount --bind volume.db tasks.db && exec "$@"',
        "sh",
    ]
    if subprocess.run([*mounted, "true"], cwd=tmp_path, check=False).returncode != 0:
        pytest.skip("this machine lets nobody mount")
    line = refusal(run(tmp_path, "--listen-port", "0", command=[*mounted, *COMMAND]), 1)
    assert "mount the folder" in line
    assert (tmp_path / "volume.db").stat().st_size == 0


def test_a_disk_that_is_full_at_the_first_start_ends_with_1(tmp_path):
    line = refusal(run(tmp_path, "--listen-port", "0", longest_file=0), 1)
    assert f"cannot open the database {tmp_path}/tasks.db" in line
