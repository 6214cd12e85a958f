"""tasker doctor, as it is typed: what it says of servers and databases that something is wrong with."""

import json
import os
import pty
import re
import select
import socket
import subprocess

import pytest
from command import COMMAND, environment, refusal, run, serving

from databases import new_database, query
from polling import until

SECRET = "whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LWNhbmFyeQ=="


def doctor(folder, *arguments, exit_code, **more):
    """Run it and return its findings by check, those that are fine left out; look at its exit code."""
    done = run(folder, "doctor", *arguments, "--output", "json", **more)
    assert done.returncode == exit_code, done
    (line,) = done.stdout.splitlines()
    told = json.loads(line)
    assert told["level"] in {0: ("fine", "unknown"), 1: ("warning",), 2: ("fault",)}[exit_code]
    levels = [each["level"] for each in told["findings"]]
    assert (told["faults"], told["warnings"]) == (levels.count("fault"), levels.count("warning"))
    assert done.stderr == ""
    return {each["check"]: each for each in told["findings"] if each["code"] != "fine"}


def words(finding):
    return finding["what"], finding["follows"], finding["mend"]


@pytest.fixture
def folder(tmp_path):
    """A folder whose default port nobody listens at."""
    (tmp_path / "tasker.toml").write_text("listen_port = 0\n")
    return tmp_path


def test_before_the_first_start_nothing_is_wrong_and_nothing_is_made(folder):
    assert doctor(folder, exit_code=0) == {}
    assert [path.name for path in folder.iterdir()] == ["tasker.toml"]


@pytest.fixture(scope="module")
def well(tmp_path_factory):
    """A server at work, and the folder of its database."""
    folder = tmp_path_factory.mktemp("well")
    with serving(folder, "--listen-port", "0") as server:
        assert server.call("POST", "/tasks/new", {"hash": {"delay": "1d", "secret": "canary-secret"}})[0] == 201
        yield folder, server


def test_beside_a_server_that_is_well_nothing_is_wrong(well):
    folder, server = well
    assert doctor(folder, "--listen-port", str(server.port), exit_code=0) == {}
    done = run(folder, "doctor", "--listen-port", str(server.port), "http://localhost:9000/hook")
    assert done.stderr == "nothing is wrong\n"
    lines = dict(re.findall(r"^fine     (\w+) +(.*)$", done.stdout, re.MULTILINE))
    assert lines["server"] == f"ready, at http://127.0.0.1:{server.port}"
    assert lines["database"] == f"{folder}/tasks.db: its structure is sound, and 1 task of it"
    assert lines["overdue"] == "nothing is"
    assert lines["egress"] == (
        "http://localhost:9000 would be called: 127.0.0.1 is a loopback address, which --egress lan allows"
    )
    assert re.fullmatch(r"the server may have [\d,]+, and has \d+ open", lines["descriptors"])
    assert server.call("GET", "/readyz")[0] == 200


def test_a_server_that_is_paused_and_a_queue_that_is_are_told(well):
    folder, server = well
    at = ("--listen-port", str(server.port))
    server.call("POST", "/destinations", {"queue": "reports"})
    gates = json.loads(server.call("GET", "/destinations")[1])
    (queue,) = [each["id"] for each in gates if each["kind"] == "queue"]
    server.call("POST", f"/destinations/{queue}/pause")
    server.call("POST", "/pause")
    try:
        found = doctor(folder, *at, exit_code=1)
        assert words(found["server"]) == (
            "everything is paused",
            "tasks are taken, and none starts, on any server",
            f"tasker resume --url http://127.0.0.1:{server.port}",
        )
        assert words(found["destinations"]) == (
            "the queue reports is paused, and 0 tasks wait there",
            "its tasks wait until it is resumed",
            "tasker destinations resume reports",
        )
    finally:
        server.call("POST", "/resume")
        for gate in gates:
            server.call("POST", f"/destinations/{gate['id']}/resume")


def test_a_server_that_listens_elsewhere_is_known_by_the_database_that_it_holds(well):
    folder, server = well
    found = doctor(folder, "--listen-port", "0", exit_code=1)
    assert words(found["server"])[0] == f"process {server.process.pid} has the database open"
    assert doctor(folder, "--listen-port", "0", "--url", f"http://127.0.0.1:{server.port}", exit_code=0) == {}
    variables = {"TASKER_URL": f"http://127.0.0.1:{server.port}"}
    assert doctor(folder, "--listen-port", "0", variables=variables, exit_code=0) == {}


def test_a_server_on_another_database_is_not_taken_for_this_one(well, folder):
    _, server = well
    run(folder, "db", "migrate")
    found = doctor(folder, "--url", f"http://127.0.0.1:{server.port}", exit_code=1)
    assert words(found["server"])[0] == (
        f"the server at http://127.0.0.1:{server.port} does not use the database of these settings"
    )


def test_a_server_that_wants_a_key_is_asked_what_it_says_to_all(tmp_path):
    given = {"TASKER_API_KEYS": "canary-0123456789abcdef"}
    with serving(tmp_path, "--listen-port", "0", variables=given) as server:
        at = ("--listen-port", str(server.port))
        found = doctor(tmp_path, *at, variables=given, exit_code=0)
        assert found["server"]["level"] == "unknown"
        assert words(found["server"]) == (
            f"ready, at http://127.0.0.1:{server.port}; it asks for a key to say more",
            "",
            "give the variable TASKER_KEY a key with the role metrics",
        )
        more = {"TASKER_KEY": given["TASKER_API_KEYS"]}
        assert doctor(tmp_path, *at, variables=given | more, exit_code=0) == {}


def test_what_is_overdue_while_no_server_runs_is_a_fault(folder):
    with serving(folder) as server:
        server.call("POST", "/tasks/new", {"webhook": {"delay": 1, "url": "http://localhost:9/x", "body": "x"}})
        server.stop()
    until(lambda: run(folder, "doctor").returncode == 2, "the task is overdue")
    found = doctor(folder, exit_code=2)
    what, follows, mend = words(found["overdue"])
    assert re.fullmatch(r"1 task is overdue, the oldest for [\d.]+ (s|ms), and no server runs", what)
    assert (follows, mend) == ("they start when a server does", "tasker serve")


def test_a_broken_copy_is_a_fault_and_what_is_in_it_is_not_guessed(folder):
    with serving(folder) as server:
        for _ in range(3):
            body = {"webhook": {"delay": "1d", "url": "http://localhost:9/x", "body": "x" * 100_000}}
            assert server.call("POST", "/tasks/new", body)[0] == 201
        server.stop()
    path = folder / "tasks.db"
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 100_000)
    found = doctor(folder, exit_code=2)
    what, follows, mend = words(found["database"])
    assert what.startswith(f"{path} is damaged: ")
    assert (follows, mend) == (
        "what is in the damaged pages is lost, and more may be damaged with each write",
        "stop the server, and restore a backup: tasker db restore",
    )
    assert {check: each["level"] for check, each in found.items()} == {
        "database": "fault",
        "overdue": "unknown",
        "destinations": "unknown",
        "keys": "unknown",
    }


def test_a_wrong_mode_is_told_with_the_command_that_mends_it(folder):
    run(folder, "db", "migrate")
    (folder / "tasks.db").chmod(0o644)
    found = doctor(folder, exit_code=1)
    what, follows, mend = words(found["files"])
    assert re.fullmatch(rf"others than \w+ may open {folder}/tasks.db \(mode 0644\)", what)
    assert (follows, mend) == (
        "other users of this machine can read the tasks, with their secrets",
        f"chmod 600 {folder}/tasks.db",
    )
    subprocess.run(mend, shell=True, check=True)
    assert doctor(folder, exit_code=0) == {}


def test_a_limit_of_open_files_that_is_too_low_is_told(folder):
    limited = ["sh", "-c", 'ulimit -n 256; exec "$@"', "sh", *COMMAND]
    found = doctor(folder, exit_code=1, command=limited)
    enough = "enough for 128 connections to targets, where --max-deliveries is 200"
    assert words(found["descriptors"]) == (
        f"a server that is started from here may have 256: {enough}",
        "fewer webhooks are sent at once than wanted",
        "ulimit -n 4096 in the shell that starts it, or LimitNOFILE=4096 in its unit",
    )


NAMES = "--listen-ip and --listen-port, or with their variables"
MAKE = "make one with tasker db keys create"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("--listen-ip", "192.0.2.1", "--no-auth"),
            (
                "cannot listen on 192.0.2.1:0: Cannot assign requested address",
                "the server does not start",
                f"choose another with {NAMES}, as in: tasker serve --listen-port 8081",
            ),
        ),
        (
            ("--listen-ip", "0.0.0.0"),
            (
                "others can reach 0.0.0.0, and no API key is asked for",
                "the server does not start",
                f"{MAKE}, give keys with --api-keys-file, or --no-auth if everybody may call",
            ),
        ),
    ],
)
def test_a_wrong_listening_address_is_a_fault_in_the_words_of_the_start(folder, arguments, told):
    assert words(doctor(folder, *arguments, exit_code=2)["listening"]) == told


def test_a_port_that_another_program_has_is_told(folder):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        found = doctor(folder, "--listen-port", str(port), exit_code=2)
    assert words(found["listening"])[0] == f"cannot listen on 127.0.0.1:{port}: Address already in use"


def test_a_named_server_that_does_not_answer_is_a_fault(folder):
    found = doctor(folder, "--url", "http://127.0.0.1:1", exit_code=2)
    what, follows, mend = words(found["server"])
    assert what == "there is no connection to http://127.0.0.1:1: [Errno 111] Connection refused"
    assert (follows, mend) == ("nobody can create tasks there", "tasker serve starts one; --url names another")


def test_postgresql_that_is_down_is_a_fault(folder):
    found = doctor(folder, "--database-url", "postgresql://me:canary-secret@127.0.0.1:1/tasks", exit_code=2)
    assert words(found["database"]) == (
        "postgresql://127.0.0.1:1/tasks: nothing is listening there",
        "no server starts; those that run take no tasks and start none",
        "check the host and the port, and that PostgreSQL is running",
    )


def test_servers_on_postgresql_are_seen_in_the_database(tmp_path):
    url = new_database()
    with serving(tmp_path, "--database-url", url, "--listen-port", "0") as server:
        at = ("--database-url", url, "--listen-port")
        found = doctor(tmp_path, *at, str(server.port), exit_code=1)
        assert {check: each["code"] for check, each in found.items()} == {"durability": "risky_setting"}
        found = doctor(tmp_path, *at, "1", exit_code=1)
        assert words(found["server"]) == (
            "servers share the database, and none answers at http://127.0.0.1:1",
            "what only a server knows was not looked at: it listens elsewhere, or hangs",
            f"tasker doctor --url http://127.0.0.1:{server.port}",
        )
        assert server.stop()[0] == 0
    assert query(url, "SELECT count(*) FROM audit") == [(0,)], "nothing was changed"


def test_a_target_that_would_be_refused_is_a_fault_with_the_rule(folder):
    found = doctor(folder, "http://169.254.169.254/latest?key=canary", exit_code=2)
    never = "which is never called unless an --allow-target names it"
    assert words(found["egress"]) == (
        f"http://169.254.169.254:80 would not be called: 169.254.169.254 is a metadata address of a cloud, {never}",
        "webhooks to it fail with egress_denied, and are not tried again",
        "name it with --allow-target",
    )


def test_what_cannot_be_used_ends_with_2_and_nothing_on_standard_output(folder):
    assert "--listen-port: expected a port" in refusal(run(folder, "doctor", "--listen-port", "x"), 2)
    assert "--url, --context: expected one of them" in refusal(
        run(folder, "doctor", "--url", "http://127.0.0.1:1", "--context", "a"), 2
    )
    assert "there is no context 'none'" in refusal(run(folder, "doctor", "--context", "none"), 3)


def test_no_secret_is_shown(folder):
    for name in ("keys", "secrets"):
        (folder / name).write_text("canary-0123456789abcdef\n" if name == "keys" else f"{SECRET}\n")
        (folder / name).chmod(0o644)
    variables = {
        "TASKER_ALERT_URL": "https://chat.example/canary-hook",
        "TASKER_WEBHOOK_SECRET": SECRET,
        "TASKER_EGRESS_PROXY": "http://me:canary-pass@127.0.0.1:1",
        "TASKER_KEY": "canary-key",
        "TASKER_LISTENPORT": "canary-value",
    }
    done = run(
        folder,
        *("doctor", "https://me:canary-user@example.org/x?canary=1", "--api-keys-file", "keys"),
        *("--webhook-secrets-file", "secrets", "--database-url", "postgresql://me:canary-db@127.0.0.1:1/x"),
        variables=variables,
    )
    assert done.returncode == 2
    assert "canary" not in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert "every user of this machine can read keys, which holds secrets" in done.stdout
    assert "there is no variable TASKER_LISTENPORT; did you mean LISTEN_PORT?" in done.stdout


FAULTY = """\
fault    files         the folder /nowhere does not exist
                       follows: the server cannot start
                       mend: mkdir -m 700 /nowhere
"""

AT_80_COLUMNS = """\
fault    egress        http://169.254.169.254:80 would not be called:
                       169.254.169.254 is a metadata address of a cloud, which
                       is never called unless an --allow-target names it
                       follows: webhooks to it fail with egress_denied, and are
                       not tried again
                       mend: name it with --allow-target
"""


def test_for_people_it_is_a_list_that_fits_a_terminal_and_in_a_pipe_nothing_is_cut(folder):
    typed = ("doctor", "--database-url", "sqlite:/nowhere/tasks.db", "http://169.254.169.254/")
    piped = run(folder, *typed)
    assert piped.stderr == "2 faults\n"
    assert FAULTY in piped.stdout
    assert "which is never called unless an --allow-target names it\n" in piped.stdout

    shown = re.sub(r"\x1b\[[\d;]*m", "", on_a_terminal(folder, *typed).replace("\r\n", "\n"))
    assert FAULTY in shown
    assert AT_80_COLUMNS in shown
    assert max(map(len, shown.splitlines())) <= 80


def on_a_terminal(folder, *arguments):
    """Return what the command prints on a terminal of 80 columns."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env={**environment(), "TERM": "xterm", "COLUMNS": "80"},
        stdout=its,
        stderr=subprocess.DEVNULL,
        stdin=its,
    )
    os.close(its)
    printed = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            part = os.read(ours, 65_536)
        except OSError:  # it has ended
            break
        if not part:
            break
        printed += part
    process.wait(60)
    os.close(ours)
    return printed.decode()
