"""``tasker db copy`` and ``tasker db unmark`` as people use them: killed, run again, and served on the other side."""

import json
import signal
import subprocess
from collections import Counter
from types import SimpleNamespace

import pytest
from command import COMMAND, environment, one_line_of, refusal, run, serving
from in_process import on_a_terminal

from databases import new_database, query
from polling import until
from tasker.testing.webhook_receiver import WebhookReceiver

MANY = 10_000


@pytest.fixture(scope="module")
def receiver():
    with WebhookReceiver() as receiver:
        yield receiver


def with_password(url):
    return url.replace("postgres@", "postgres:geheim@")


def made(server, url, delay, count):
    line = json.dumps({"webhook": {"delay": delay, "url": url, "body": "x"}})
    body = "\n".join([line] * count).encode()
    assert server.call("POST", "/tasks/batch", body, {"content-type": "application/x-ndjson"})[0] == 201


def rows_copied(url):
    """How many tasks are in a database by now; it may have no tables yet."""
    try:
        return query(url, "SELECT count(*) FROM task")[0][0]
    except Exception:  # noqa: BLE001 - there are none yet
        return 0


def test_a_database_moves_to_postgresql_although_server_and_copy_are_killed_and_nothing_is_lost_or_runs_twice(
    tmp_path, receiver
):
    target = with_password(new_database())
    with serving(tmp_path, "--listen-port", "0") as server:
        made(server, receiver.url("/later"), "1d", MANY - 30)
        made(server, receiver.url("/done"), 0, 20)
        until(lambda: len(receiver.deliveries("/done")) == 20, "they are delivered")
        made(server, receiver.url("/due"), 3, 10)
        refused = run(tmp_path, "db", "copy", "sqlite:tasks.db", target)
        assert refusal(refused, 4).startswith("tasker: a server or another command uses the database")
        server.stop(signal.SIGKILL)
    before = len(receiver.deliveries("/due"))

    copying = subprocess.Popen(
        [*COMMAND, "db", "copy", "sqlite:tasks.db", target], cwd=tmp_path, env=environment(), stderr=subprocess.PIPE
    )
    until(lambda: rows_copied(target), "some are copied")
    copying.kill()
    copying.communicate()
    no_server = run(tmp_path, "serve", "--database-url", target, "--listen-port", "0")
    assert no_server.returncode == 1
    line = no_server.stderr.splitlines()[-1]
    assert "tasks are being copied into it from sqlite:" in line
    assert "geheim" not in line

    done = run(tmp_path, "db", "copy", "sqlite:tasks.db", target, "--output", "json")

    assert done.returncode == 0, done
    assert "going on with the copy into postgresql://" in done.stderr
    told = json.loads(done.stdout)
    assert (told["tables"]["task"], told["tables"]["payload"]) == (MANY, MANY)
    assert "geheim" not in done.stdout + done.stderr
    line = one_line_of("", run(tmp_path, "serve", "--listen-port", "0").stderr)
    assert f"its tasks have moved to {told['to']}" in line
    assert told["to"].startswith("postgresql://127.0.0.1")
    with serving(tmp_path, "--database-url", target, "--listen-port", "0") as server:
        until(lambda: len(receiver.deliveries("/due")) >= 10, "what was due runs")
        status, body = server.call("GET", "/stats")
        assert status == 200
        assert json.loads(body)["tasks"]["todo"] == MANY - 30
        assert server.stop()[0] == 0
    assert len(receiver.deliveries("/done")) == 20, "none of them ran again"
    ids = Counter(each.headers["webhook-id"] for each in receiver.deliveries("/due"))
    assert len(ids) == 10
    assert sum(ids.values()) - 10 <= before, "again only what was under way when its server was killed"


def test_unmark_asks_says_what_follows_and_lets_servers_start_again(tmp_path):
    assert run(tmp_path, "db", "migrate").returncode == 0
    assert run(tmp_path, "db", "copy", "sqlite:tasks.db", "sqlite:other.db").returncode == 0
    line = refusal(run(tmp_path, "db", "unmark"), 2)
    assert "--yes: expected it where nobody can be asked; the tasks of sqlite:" in line
    assert "run twice if servers run on both" in line
    done = run(tmp_path, "db", "unmark", "--yes", "--output", "json")
    assert json.loads(done.stdout) == {
        "database": f"sqlite:{tmp_path / 'tasks.db'}",
        "mark": "moved",
        "other": f"sqlite:{tmp_path / 'other.db'}",
    }
    again = run(tmp_path, "db", "unmark")
    assert (again.returncode, again.stdout) == (0, f"sqlite:{tmp_path / 'tasks.db'} has no mark\n")
    with serving(tmp_path, "--listen-port", "0") as server:
        refusal(run(tmp_path, "db", "unmark"), 4)
        assert server.stop()[0] == 0


def test_on_a_terminal_a_bar_shows_how_far_it_is_and_unmark_asks(tmp_path):
    here = SimpleNamespace(folder=tmp_path, variables={})
    assert run(tmp_path, "db", "migrate").returncode == 0
    done = on_a_terminal(here, "db", "copy", "sqlite:tasks.db", "sqlite:other.db", width=200)
    assert done.code == 0
    assert "copying" in done.out
    assert "comparing" in done.out
    assert f"all is in sqlite:{tmp_path / 'other.db'} now: tasks: 0" in done.out
    for answer, code, words in (("n\r", 1, "nothing was done"), ("y\r", 0, "servers start on it again")):
        done = on_a_terminal(here, "db", "unmark", width=200, answers=[("take the mark away?", answer)])
        assert done.code == code
        assert words in done.out


def test_what_cannot_be_copied_is_refused_with_a_line_that_says_what_is_right(tmp_path):
    assert run(tmp_path, "db", "migrate").returncode == 0
    for arguments, code, words in (
        (("sqlite:none.db", "sqlite:to.db"), 3, "there is no database sqlite:none.db"),
        (("sqlite:tasks.db", "sqlite:tasks.db"), 2, "expected two databases"),
        (("sqlite:tasks.db", "sqlite:./tasks.db"), 4, "uses the database"),
        (("sqlite:tasks.db", "sqlite::memory:"), 1, "it is in memory"),
        (("mysql://me:geheim@h/d", "sqlite:to.db"), 2, "FROM: expected sqlite:PATH"),
        (("sqlite:tasks.db", "postgresql://me:geheim@127.0.0.1:1/d"), 1, "nothing is listening there"),
    ):
        line = refusal(run(tmp_path, "db", "copy", *arguments), code)
        assert words in line
        assert "geheim" not in line
    assert run(tmp_path, "db", "copy", "sqlite:tasks.db", "sqlite:a.db").returncode == 0
    done = run(tmp_path, "db", "copy", "sqlite:tasks.db", "sqlite:b.db", "--output", "json")
    assert (done.returncode, json.loads(done.stderr)["code"]) == (4, "database_moved")
    made = run(tmp_path, "db", "keys", "create", "me", "--role", "admin", "--database-url", "sqlite:c.db")
    assert made.returncode == 0
    line = refusal(run(tmp_path, "db", "copy", "sqlite:a.db", "sqlite:c.db"), 4)
    assert "its tables have rows: audit, api_key; expected a new database" in line
