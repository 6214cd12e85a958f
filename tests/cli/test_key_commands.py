"""``tasker keys`` through a server, and ``tasker db keys`` on the database of one that is stopped."""

import contextlib
import http.client
import json
import re
import socket
import threading

import pytest
from command import refusal, run, serving

from databases import new_database
from polling import until

DATABASE = ("--database-url", "sqlite:tasks.db")


def ran(folder, *arguments, **more):
    """Run a command that prints JSON: of the database, if it names one."""
    done = run(folder, *group_of(arguments), *arguments, "--output", "json", **more)
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def group_of(arguments):
    return ("db", "keys") if {"--database-url", "disable"} & set(arguments) else ("keys",)


def refused(folder, code, *arguments, **more):
    """Run a command that is refused with an exit code; return the word for programs."""
    done = run(folder, *group_of(arguments), *arguments, "--output", "json", **more)
    problem = json.loads(done.stderr.splitlines()[-1])
    assert (done.returncode, problem["exit_code"], done.stdout) == (code, code, "")
    return problem["code"]


@pytest.fixture(params=["sqlite", "postgres"])
def database(request):
    return "sqlite:tasks.db" if request.param == "sqlite" else new_database()


def test_keys_are_made_listed_revoked_and_disabled_on_the_database_of_a_stopped_server(tmp_path, database):
    at = ("--database-url", database)
    admin = ran(tmp_path, "create", "owner", "--role", "admin", *at)
    reader = ran(
        tmp_path, "create", "for a day", "--scope", "tasks:read", "--scope", "metrics", "--expires-in", "1d", *at
    )
    assert (admin["role"], reader["role"], reader["scopes"]) == ("admin", None, ["tasks:read", "metrics"])
    listed = ran(tmp_path, "ls", *at)
    assert listed == [{name: key[name] for name in key if name != "key"} for key in (admin, reader)]

    with serving(tmp_path, *at, "--listen-ip", "0.0.0.0", "--listen-port", "0") as server:
        for key, status in ((admin, 200), (reader, 200), ({"key": "none"}, 401)):
            assert server.call("GET", "/tasks", headers={"authorization": f"Bearer {key['key']}"})[0] == status
        for command in (["ls"], ["disable"]):
            assert refused(tmp_path, 4, *command, *at) == "database_in_use"
        assert server.stop()[0] == 0

    assert ran(tmp_path, "revoke", admin["id"], *at) == {"id": admin["id"], "revoked": True}, "though it is the last"
    assert refused(tmp_path, 3, "revoke", admin["id"], *at) == "api_key_not_found"
    with serving(tmp_path, *at, "--listen-port", "0") as server:
        assert server.call("GET", "/tasks")[0] == 401, "still asked for"
        assert server.stop()[0] == 0
    assert ran(tmp_path, "disable", *at) == {"disabled": True, "kept": 1}
    with serving(tmp_path, *at, "--listen-port", "0") as server:
        assert server.call("GET", "/tasks")[0] == 200
        status, rows = server.call("GET", "/audit")
        assert [row["action"] for row in json.loads(rows)["audit"]] == ["disable", "revoke", "create", "create"]
        assert server.stop()[0] == 0
    done = run(tmp_path, *at, "--listen-ip", "0.0.0.0", "--listen-port", "0")
    line = done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert "others can reach 0.0.0.0" in line
    assert "tasker db keys create" in line


def test_the_commands_ask_a_server_and_the_first_key_is_made_so(tmp_path):
    with serving(tmp_path, "--listen-port", "0") as server:
        variables = {"TASKER_URL": f"http://127.0.0.1:{server.port}"}
        assert refused(tmp_path, 4, "create", "x", "--role", "write", variables=variables) == "no_admin_key"
        admin = ran(tmp_path, "create", "owner", "--role", "admin", variables=variables)
        assert refused(tmp_path, 5, "ls", variables=variables) == "unauthorized"
        owner = variables | {"TASKER_KEY": admin["key"]}
        writer = ran(tmp_path, "create", "w", "--role", "write", variables=owner)
        assert refused(tmp_path, 5, "ls", variables=variables | {"TASKER_KEY": writer["key"]}) == "scope_missing"
        assert [key["name"] for key in ran(tmp_path, "ls", variables=owner)] == ["owner", "w"]
        assert refused(tmp_path, 4, "revoke", admin["id"], variables=owner) == "last_admin_key"
        assert refused(tmp_path, 3, "revoke", "../tasks", variables=owner) == "api_key_not_found"
        done = run(tmp_path, "keys", "revoke", writer["id"], variables=owner)
        assert (done.returncode, done.stderr) == (0, f"revoked: {writer['id']}\n")
        url = ("--url", variables["TASKER_URL"] + "/")
        assert [key["name"] for key in ran(tmp_path, "ls", *url, variables={"TASKER_KEY": admin["key"]})] == ["owner"]
        log = server.stderr.read_text()
        assert [key for key in (admin, writer) if key["key"].split("_")[2] in log] == []


def test_an_address_that_others_can_reach_needs_no_file_of_keys_once_the_store_has_some(tmp_path):
    options = (*DATABASE, "--listen-ip", "0.0.0.0", "--listen-port", "0")
    refusal(run(tmp_path, *options), 2)
    run(tmp_path, "db", "migrate")
    refusal(run(tmp_path, *options), 1)
    ran(tmp_path, "create", "owner", "--role", "admin", *DATABASE)
    with serving(tmp_path, *options) as server:
        assert server.call("GET", "/tasks")[0] == 401
    with serving(tmp_path, *options, "--no-auth") as server:
        assert server.call("GET", "/tasks")[0] == 401, "--no-auth does not turn it off"
        assert "--no-auth changes nothing" in server.stderr.read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["create", "x"], 2, ["--role, --scope", "got neither", "metrics, read, write, admin"]),
        (["create", "x", "--role", "read", "--scope", "metrics"], 2, ["--role, --scope", "got both"]),
        (["create", "x", "--role", "boss"], 2, ["--role", "one of metrics, read, write, admin"]),
        (["create", "x", "--scope", "tasks"], 2, ["--scope", "tasks:read"]),
        (
            ["create", "x", "--role", "admin", "--expires-in", "soon", *DATABASE],
            2,
            ["--expires-in", "a length of time"],
        ),
        (["create", "", "--role", "admin", *DATABASE], 2, ["name"]),
        (["create", "x" * 101, "--role", "admin", *DATABASE], 2, ["name", "100"]),
        (["create"], 2, ["NAME"]),
        (["revoke"], 2, ["ID"]),
        (["ls", "--url", "localhost:8080"], 2, ["--url", "http://127.0.0.1:8080"]),
        (["ls", "--url", "http://me:secret@localhost"], 2, ["--url"]),
        (["ls", *DATABASE], 3, ["no database sqlite:tasks.db"]),
        (["disable", *DATABASE], 3, ["no database sqlite:tasks.db"]),
        (["create", "x", "--role", "admin", "--database-url", "sqlite::memory:"], 1, ["in memory"]),
        (["create", "x", "--role", "admin", "--database-url", "mysql://x"], 2, ["--database-url", "sqlite:PATH"]),
        (["ls", "--url", "http://127.0.0.1:1"], 6, ["no connection to http://127.0.0.1:1", "tasker serve"]),
    ],
    ids=str,
)
def test_what_cannot_be_done_says_why_and_makes_nothing(tmp_path, arguments, code, words):
    line = refusal(run(tmp_path, *group_of(arguments), *arguments), code)
    assert [word for word in words if word not in line] == [], line
    assert "me:secret" not in line
    assert list(tmp_path.iterdir()) == [] or "x" * 101 in arguments or "" in arguments


def test_a_key_in_the_variable_that_is_none_is_not_shown(tmp_path):
    line = refusal(run(tmp_path, "keys", "ls", variables={"TASKER_KEY": "s3cret key"}), 2)
    assert "TASKER_KEY" in line
    assert "s3cret" not in line


def test_who_answers_with_something_else_is_said_to_be_no_tasker_and_gets_the_key_once(tmp_path):
    got = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            for head in (b"302 Found\r\nlocation: http://127.0.0.1:1/", b"200 OK"):
                connection, _ = listening.accept()
                with connection:
                    got.append(connection.recv(65_536))
                    connection.sendall(b"HTTP/1.1 " + head + b"\r\ncontent-length: 2\r\n\r\nhi")

        answering = threading.Thread(target=answer, daemon=True)
        answering.start()
        url = ("--url", f"http://127.0.0.1:{listening.getsockname()[1]}")
        for words in ("the server is elsewhere", "cannot be read here"):
            assert words in refusal(run(tmp_path, "keys", "ls", *url, variables={"TASKER_KEY": "the-key"}), 1)
        answering.join()
    assert [re.search(rb"authorization: (.+)\r", request, re.IGNORECASE)[1] for request in got] == [
        b"Bearer the-key"
    ] * 2


@pytest.mark.parametrize("listens", [True, False])
def test_on_several_nodes_keys_are_asked_for_and_revoked_on_all_of_them(tmp_path, listens):
    options = ("--database-url", new_database(), "--listen-port", "0", *(() if listens else ("--no-listen",)))
    folders = [tmp_path / name for name in ("one", "two", "three")]
    for folder in folders:
        folder.mkdir()
    with contextlib.ExitStack() as nodes:
        one, *others = [nodes.enter_context(serving(folder, *options)) for folder in folders]

        def until_others_answer(status, headers):
            until(
                lambda: all(node.call("GET", "/stats", headers=headers)[0] == status for node in others),
                f"the others answer with {status}",
            )

        made = []

        def can_be_made():  # the upgrade of a new database is finished by the first look
            made.append(one.call("POST", "/keys", {"name": "owner", "role": "admin"}))
            return made[-1][0] == 201

        until(can_be_made, "the first key is made")
        admin = {"authorization": f"Bearer {json.loads(made[-1][1])['key']}"}
        until_others_answer(401, {})
        status, answer = one.call("POST", "/keys", {"name": "reader", "role": "read"}, headers=admin)
        assert status == 201
        reader = json.loads(answer)
        headers = {"authorization": f"Bearer {reader['key']}"}
        until_others_answer(200, headers)
        streams = [nodes.enter_context(stream(node, headers)) for node in others]

        assert one.call("DELETE", f"/keys/{reader['id']}", headers=admin)[0] == 204

        until_others_answer(401, headers)
        for each in streams:
            each.read()  # to its end


@contextlib.contextmanager
def stream(node, headers):
    """Read the events of *node*."""
    with contextlib.closing(http.client.HTTPConnection(node.ip, node.port, timeout=30)) as connection:
        connection.request("GET", "/events", headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200
        yield answer
