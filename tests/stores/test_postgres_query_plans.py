"""No query of the PostgreSQL store walks over tasks or sorts them, with 200,000 of them.

Each plan is index searches.
"""

import contextlib
import json
import re

import pytest
from queries_found import QUERIES_FOUND

from databases import new_database
from tasker.stores import queries
from tasker.stores.due_counting import due_counts, last_due
from tasker.stores.finding import Places, Walker, key_range
from tasker.stores.overdue import overdue_statement
from tasker.stores.postgres import schema
from tasker.stores.postgres.connection import Connector

pytestmark = pytest.mark.anyio

QUERIES = queries.load("tasker.stores.postgres")
TEMPLATES = {"list_todo", "list_other"}
FINDING = (
    *("gates_with_rate", "all_paused", "find_page", "count_found", "count_keys", "still_pass"),
    *("walk_", "filter_", "reason_", "order_by_", "overdue"),
    *("due_counts", "held_due_counts", "last_due", "last_held_due"),
)
"""What the statements that find tasks are made of: they are looked at by themselves."""
LARGE = {"task", "payload", "attempt", "tag", "gate", "gate_queue", "audit", "operation_task"}
HEADS = {
    ("next_expiry", "task_expiring"),
    ("next_deadline", "task_deadline"),
    ("next_lease", "task_lease"),
    ("next_schedule", "task_behind"),
    ("release_runs", "task_behind"),
}
"""Searches for the first entries of an index. The runs that wait for others have one of their own."""
FILL = """
    INSERT INTO type_pool VALUES ('webhook', 1), ('hash', 2);
    INSERT INTO node (id, address, version, started_at, lease_until, schema)
    SELECT gen_random_uuid(), 'x', '0', now(), now(), 99 FROM generate_series(1, 3);
    INSERT INTO gate (kind, name) SELECT 0, 'http://' || n FROM generate_series(1, 2000) AS n;
    INSERT INTO gate_queue SELECT id, 1 + id % 2, now(), 1 FROM gate WHERE id % 4 = 0;
    INSERT INTO task (id, type, state, pool, due_at, execution_at, execution_time, node, ended_at,
                      gate, held_by, expires_at, keep, key, parent_id)
    SELECT gen_random_uuid(), CASE n % 2 WHEN 0 THEN 'hash' ELSE 'webhook' END, state, 1 + n % 2, at, at, 't',
           CASE state WHEN 1 THEN gen_random_uuid() END, CASE WHEN state > 1 THEN at END, 1 + n % 2000,
           CASE WHEN state = 0 AND n % 10 = 3 THEN 1 + n % 2000 END, CASE n % 10 WHEN 5 THEN at END,
           CASE n % 100 WHEN 6 THEN -1 WHEN 7 THEN 10 END, CASE n % 5 WHEN 1 THEN 'order ' || n END,
           CASE n % 5 WHEN 2 THEN gen_random_uuid() END
      FROM generate_series(1, 250000) AS n,
           LATERAL (SELECT CASE WHEN n % 25 < 20 THEN 0 WHEN n % 1000 = 999 THEN 1
                                WHEN n % 2 = 0 THEN 2 ELSE 3 END AS state,
                           now() + n * interval '1 second' AS at) AS made;
    INSERT INTO payload SELECT id, '{}' FROM task;
    INSERT INTO attempt SELECT id, number, '{}' FROM task, generate_series(1, 2) AS number;
    INSERT INTO audit (at, by_id, by_name, action, kind, subject)
    SELECT now() + row_number() OVER () * interval '1 second', 'k', 'k', 'run', 'task', id::text FROM task;
    INSERT INTO operation_task SELECT id, gen_random_uuid(), now() FROM task;
    INSERT INTO tag SELECT 'customer:' || row_number() OVER (), id FROM task;
    ANALYZE;
"""


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"


WAITING = """
    INSERT INTO type_pool VALUES ('webhook', 1), ('hash', 2);
    INSERT INTO gate (kind, name) SELECT 0, 'http://' || n FROM generate_series(1, 20) AS n;
    INSERT INTO task (id, type, state, pool, due_at, execution_at, execution_time, gate)
    SELECT gen_random_uuid(), 'webhook', 0, 1, at, at, 't', 1 + n % 20
      FROM generate_series(1, 60000) AS n, LATERAL (SELECT now() + n * interval '1 second' AS at) AS made;
    INSERT INTO payload SELECT id, '{}' FROM task;
"""
"""All tasks wait: of no other state is there any."""
OTHERS = {"new": "", "waiting": WAITING, "waiting, and looked at": f"{WAITING}; ANALYZE"}
"""Databases of which PostgreSQL knows nothing yet, or what will not be so for long."""


@contextlib.asynccontextmanager
async def database_with(fill):
    """A connection to a database of its own, which PostgreSQL leaves alone."""
    connector = Connector(new_database(), is_pooled=False)
    await schema.prepare(connector, migrates=True)
    connection = await connector.connect()
    settings = "SET statement_timeout = 0; ALTER TABLE task SET (autovacuum_enabled = off)"
    await connection.execute(f"{settings}; {fill}", timeout=120)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def connection(anyio_backend):
    async with database_with(FILL) as connection:
        assert await connection.fetchval("SELECT count(*) FROM task WHERE state = 0") == 200_000
        yield connection


@pytest.fixture(scope="module", params=OTHERS)
async def other_database(anyio_backend, request):
    async with database_with(OTHERS[request.param]) as connection:
        yield connection


def texts():
    for name, sql in QUERIES.items():
        if name == "list_page":
            todo = [QUERIES["list_todo"].format(type="$5", pool=pool) for pool in (1, 2)]
            other = [QUERIES["list_other"].format(type="$5", state=state) for state in (1, 2, 3, 4)]
            yield name, sql.format(branches=" UNION ALL ".join(todo + other))
        elif name not in TEMPLATES and not name.startswith(FINDING):
            yield name, sql


def finding():
    yield "due_counts", due_counts(QUERIES, [1, 2])
    yield "last_due", last_due(QUERIES, [1, 2])
    for name in ("held_due_counts", "last_held_due"):
        yield name, QUERIES[name]
    for name, query in QUERIES_FOUND:
        for statement in ("find_page", "count_found"):
            for by_arrival in (False, True):
                places = Places(lambda number: f"${5 + number}", str)
                walker = Walker(QUERIES, places, query, [1])
                text = walker.statement(statement, [("webhook", 1), ("hash", 2)], by_arrival=by_arrival)
                yield f"{statement}: {name}", text
        fits = Walker(QUERIES, Places(lambda number: f"${1 + number}", str), query, [1]).fits
        yield f"still_passing: {name}", QUERIES["still_passing"].format(fits=fits)
        keys = key_range(QUERIES, Places("${}".format, str), query)
        if keys is not None:
            yield f"count_keys: {name}", keys


def steps(plan):
    yield plan
    for below in plan.get("Plans", ()):
        yield from steps(below)


async def plan_of(connection, sql):
    """The steps of the plan of *sql*."""
    await connection.execute(f"PREPARE explained AS {sql}")
    count = max((int(number) for number in re.findall(r"\$(\d+)", sql)), default=0)
    arguments = f"({', '.join(['NULL'] * count)})" if count else ""
    (root,) = json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE explained{arguments}"))
    await connection.execute("DEALLOCATE explained")
    return [*steps(root["Plan"])]


@pytest.mark.parametrize(("name", "sql"), [*texts()], ids=[name for name, _ in texts()])
async def test_a_query_searches_and_neither_scans_nor_sorts_tasks(connection, name, sql):
    for step in await plan_of(connection, sql):
        shown = json.dumps(step, indent=1)
        if step.get("Relation Name") in LARGE and step["Node Type"] != "ModifyTable":
            assert step["Node Type"] in {"Index Scan", "Index Only Scan"}, shown
            assert "Index Cond" in step or (name, step["Index Name"]) in HEADS, shown
        if step["Node Type"].endswith("Sort"):
            # What a statement has set apart before, as a CTE, is as much as its LIMIT says.
            assert step["Plan Rows"] <= 1_000 or LARGE.isdisjoint(
                below.get("Relation Name") for below in steps(step)
            ), shown


IN_EACH = {
    "take_back": {"task_running"},
    "forget_nodes": {"task_running"},
    "count_ahead": {"task_held"},
}
"""Indexes that may be walked over where there is nothing to speak of in them: what runs, and what gates hold."""
EITHER = {"remove_queued_runs": {"task_run", "task_schedule", "payload_pkey"}}
"""Where one index serves as well as another: both find the runs of a schedule."""


@pytest.mark.parametrize(("name", "sql"), [*texts()], ids=[name for name, _ in texts()])
async def test_a_plan_does_not_depend_on_what_is_known_of_the_tables(connection, other_database, name, sql):
    used = []
    for each in (connection, other_database):
        looks = [step for step in await plan_of(each, sql) if step.get("Relation Name") in {"task", "payload"}]
        looks = [step for step in looks if step["Node Type"] != "ModifyTable"]
        for step in looks:
            index = step["Index Name"]
            is_short = (name, index) in HEADS or index in IN_EACH.get(name, ())
            assert is_short or "Index Cond" in step, json.dumps(step, indent=1)
        used.append({step["Index Name"] for step in looks})
    assert used[0] == used[1] or used[0] | used[1] == EITHER.get(name)


BY_ID = (
    *("settle", "beat", "awaited", "give_back", "retry", "release_key", "cancel_waiting", "cancel_running"),
    *("start_at_once", "asking", "keep_runs_back"),
)


@pytest.mark.parametrize("name", BY_ID)
async def test_what_is_known_by_its_id_is_found_by_it(other_database, name):
    conditions = [
        step["Index Cond"]
        for step in await plan_of(other_database, QUERIES[name])
        if step.get("Relation Name") == "task" and step["Node Type"] != "ModifyTable"
    ]
    assert conditions
    assert all(re.match(r"\(id = ", each) for each in conditions), conditions


@pytest.mark.parametrize(("name", "sql"), [*finding()], ids=[name for name, _ in finding()])
async def test_what_finds_tasks_walks_along_indexes_and_sorts_what_it_has_looked_at(connection, name, sql):
    for step in await plan_of(connection, sql):
        shown = json.dumps(step, indent=1)
        if step.get("Relation Name") in {"task", "payload", "tag"}:
            assert step["Node Type"] in {"Index Scan", "Index Only Scan"}, shown
            assert "Index Cond" in step, shown
        if step["Node Type"].endswith("Sort"):
            below = {(each.get("Relation Name"), each.get("Index Name")) for each in steps(step)}
            short = {"task_key"} | ({"task_pkey"} if name.startswith("still_passing") else set())
            assert {index for relation, index in below if relation in {"task", "payload", "tag"}} <= short, shown


async def test_what_is_overdue_is_looked_at_along_the_queues(connection):
    plan = await plan_of(connection, overdue_statement(QUERIES, [1, 2], [1]))
    looks = [step for step in plan if step.get("Relation Name") == "task"]
    for step in looks:
        shown = json.dumps(step, indent=1)
        assert step["Node Type"] in {"Index Scan", "Index Only Scan"}, shown
        assert "Index Cond" in step, shown
        assert step["Index Name"] in {"task_queue", "task_held", "task_running", "task_counted"}, shown
    assert len([step for step in looks if step["Index Name"] == "task_queue"]) == 2
    assert len([step for step in looks if step["Index Name"] == "task_held"]) == 7
    for step in plan:
        if step["Node Type"].endswith("Sort"):
            assert step["Plans"][0]["Node Type"] == "CTE Scan", json.dumps(step, indent=1)


@pytest.mark.parametrize("name", ["queue", "pull"])
async def test_a_pull_is_one_seek_at_the_gate_of_its_queue(connection, name):
    found = [step for step in await plan_of(connection, QUERIES[name]) if step.get("Index Name") == "task_held"]
    assert len(found) == 1
    assert "pool = 3" in found[0]["Index Cond"]
    assert "held_by = " in found[0]["Index Cond"]
    assert ("due_at <= " in found[0]["Index Cond"]) is (name == "pull"), "no further than what is due"


@pytest.fixture(scope="module")
async def without_statistics(anyio_backend):
    """A database where many jobs were stored since anybody looked how many there are."""
    async with database_with("""
        INSERT INTO gate (kind, name) VALUES (3, 'reports');
        INSERT INTO task (id, type, state, pool, due_at, execution_at, execution_time, gate, held_by)
        SELECT gen_random_uuid(), 'job', 0, 3, now(), now(), 't', 1, 1 FROM generate_series(1, 60000)
    """) as connection:
        yield connection


@pytest.mark.parametrize("name", ["queue", "pull"])
async def test_a_pull_is_the_same_seek_without_statistics(without_statistics, name):
    found = await plan_of(without_statistics, QUERIES[name])
    assert len([step for step in found if step.get("Index Name") == "task_held"]) == 1
    assert not any(step["Node Type"].endswith("Sort") for step in found)


async def test_leases_that_have_ended_are_found_in_an_index_of_their_own(connection):
    for name in ("next_lease", "end_leases"):
        steps_ = await plan_of(connection, QUERIES[name])
        assert "task_lease" in {step.get("Index Name") for step in steps_}, name
