"""``tasker db``, and what a server does with the database that it is given."""

import json
import sys

import apsw
import pytest
from command import refusal, run, serving

from databases import new_database, query
from tasker.stores import migrate

WITHOUT_ASYNCPG = [
    sys.executable,
    "-c",
    "import sys; sys.modules['asyncpg'] = None; from tasker.cli import main; main()",
]
NOBODY = "postgresql://me:s3cret@127.0.0.1:1/tasks"


@pytest.fixture(params=["sqlite", "postgres"])
def database(request):
    """The URL of a database that has no tables yet, and a function that returns the version of its tables."""
    if request.param == "postgres":
        url = new_database()
        return url, lambda folder: query(url, "SELECT version FROM tasker_schema")[0][0]
    return "sqlite:tasks.db", lambda folder: apsw.Connection(str(folder / "tasks.db")).pragma("user_version")


def latest(url):
    return len(migrate.load(f"tasker.stores.{'sqlite' if url.startswith('sqlite') else 'postgres'}"))


def test_migrate_brings_the_tables_up_to_date_says_so_in_one_line_and_may_be_repeated(tmp_path, database):
    url, version = database
    for way in (["--database-url", url], []):
        done = run(tmp_path, "db", "migrate", *way, "--log-level", "error", variables={"DATABASE_URL": url})
        assert (done.returncode, done.stdout, done.stderr) == (0, f"the tables of {shown(url)} are up to date\n", "")
        assert version(tmp_path) == latest(url)


def shown(url):
    return url.replace("postgres@", "")


def test_each_step_of_a_migration_leaves_a_line_in_the_log(tmp_path, database):
    url, _ = database
    done = run(tmp_path, "db", "migrate", "--database-url", url)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    migrated = [line["number"] for line in lines if line["event"] == "migrated the database"]
    assert migrated == list(range(1, latest(url) + 1))
    assert "migrated" not in run(tmp_path, "db", "migrate", "--database-url", url).stderr


def test_migrate_starts_nothing_and_joins_no_nodes(tmp_path):
    url = new_database()
    run(tmp_path, "db", "migrate", "--database-url", url)
    assert query(url, "SELECT id FROM node") == []


def test_migrate_takes_its_settings_from_the_file_and_does_not_mind_those_that_are_not_its_own(tmp_path):
    toml = "database_url = 'sqlite:other.db'\nlisten_ip = '0.0.0.0'\nno_migrate = true\napi_keys_file = 'missing'"
    done = run(tmp_path, "db", "migrate", toml=toml, variables={"LISTEN_PORT": "http", "TASKER_API_KEYS": "short"})
    assert (done.returncode, done.stdout) == (0, "the tables of sqlite:other.db are up to date\n")
    assert (tmp_path / "other.db").exists()


def test_migrate_leaves_a_file_alone_that_a_server_holds(tmp_path):
    with serving(tmp_path, "--listen-port", "0"):
        assert "another tasker is using it" in refusal(run(tmp_path, "db", "migrate"), 1)


def test_migrate_works_beside_servers_on_postgresql(tmp_path):
    url = new_database()
    with serving(tmp_path, "--listen-port", "0", "--database-url", url) as server:
        assert run(tmp_path, "db", "migrate", "--database-url", url).returncode == 0
        assert server.call("GET", "/readyz")[0] == 200


def test_db_alone_shows_its_help(tmp_path):
    alone, asked = run(tmp_path, "db"), run(tmp_path, "db", "--help")
    assert (alone.returncode, alone.stdout, alone.stderr) == (0, asked.stdout, "")
    assert "migrate" in alone.stdout
    assert list(tmp_path.iterdir()) == [], "and does nothing"


@pytest.mark.parametrize("command", [["db", "migrate"], ["serve", "--listen-port", "0"]])
def test_a_database_that_nobody_answers_for_ends_with_1(tmp_path, command):
    line = refusal(run(tmp_path, *command, "--database-url", NOBODY), 1)
    assert line == (
        "tasker: cannot open the database postgresql://127.0.0.1:1/tasks: nothing is listening there: "
        "check the host and the port, and that PostgreSQL is running; see to that and start again"
    )


@pytest.mark.parametrize("command", [["db", "migrate"], ["serve", "--listen-port", "0"]])
def test_without_the_extra_a_url_of_postgresql_is_answered_with_what_to_install(tmp_path, command):
    done = run(tmp_path, *command, "--database-url", NOBODY, command=WITHOUT_ASYNCPG)
    line = refusal(done, 1)
    assert "pip install 'tasker-server[postgres]'" in line
    assert "s3cret" not in line


def test_sqlite_needs_no_extra(tmp_path):
    assert run(tmp_path, "db", "migrate", command=WITHOUT_ASYNCPG).returncode == 0


def test_a_server_that_is_not_to_migrate_waits_for_somebody_who_does(tmp_path):
    url = new_database()
    options = ("--listen-port", "0", "--database-url", url, "--no-migrate")
    assert "tasker db migrate" in refusal(run(tmp_path, *options), 1)
    assert query(url, "SELECT FROM pg_tables WHERE schemaname = 'public'") == []

    run(tmp_path, "db", "migrate", "--database-url", url)

    with serving(tmp_path, *options) as server:
        assert server.call("GET", "/readyz")[0] == 200


def test_tables_stand_in_the_schema_that_is_named_for_every_command(tmp_path):
    url = new_database()
    where = ("--database-url", url, "--database-schema", "tasker_a")
    assert run(tmp_path, "db", "migrate", *where).returncode == 0
    made = run(tmp_path, "db", "keys", "create", "owner", "--role", "admin", "--output", "json", *where)
    key = json.loads(made.stdout)["key"]

    with serving(tmp_path, "--listen-port", "0", *where) as server:
        headers = {"authorization": f"Bearer {key}"}
        task = {"hash": {"delay": "1h", "secret": "x"}}
        assert server.call("POST", "/tasks/new", task, headers)[0] == 201
        assert server.call("POST", "/tasks/new", task)[0] == 401

    assert query(url, "SELECT FROM pg_tables WHERE schemaname = 'public'") == []
    assert query(url, "SELECT count(*) FROM tasker_a.task") == [(1,)]
