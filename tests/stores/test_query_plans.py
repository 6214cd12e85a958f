"""No query of the SQLite store walks over tasks: each plan is index searches only."""

import re

import pytest
from queries_found import QUERIES_FOUND

from tasker.stores import migrate, queries
from tasker.stores.due_counting import due_counts, last_due
from tasker.stores.finding import Places, Walker, key_range
from tasker.stores.overdue import overdue_statement
from tasker.stores.sqlite.connection import MEMORY, ROWS_AT_ONCE, connect
from tasker.stores.sqlite.rows import id_bytes

QUERIES = queries.load("tasker.stores.sqlite")
TEMPLATES = {"create_tasks", "create_payloads", "create_tags", "insert_attempts", "list_todo", "list_other"}
FINDING = (
    *("gates_with_rate", "all_paused", "find_page", "count_found", "count_keys", "still_pass"),
    *("walk_", "filter_", "reason_", "order_by_", "overdue"),
    *("due_counts", "held_due_counts", "last_due", "last_held_due"),
)
"""What the statements that find tasks are made of: they are looked at by themselves."""

SORTING = {"audit_of_subject"}
"""What sorts no tasks, but the few operations of one."""


@pytest.fixture(scope="module", params=["empty", "with tasks and statistics"])
def connection(request):
    connection = connect(MEMORY)
    for migration in migrate.load("tasker.stores.sqlite"):
        connection.execute(migration.sql)
    if request.param != "empty":
        states = "CASE WHEN value % 10 < 7 THEN 0 ELSE value % 10 - 6 END"
        connection.execute(f"""
            CREATE TABLE number AS
              WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 20000)
              SELECT value FROM n;
            INSERT INTO type_pool VALUES ('webhook', 1), ('hash', 2);
            INSERT INTO task (id, type, state, pool, due_at, execution_at, execution_time)
            SELECT randomblob(16), iif(value % 2, 'webhook', 'hash'), {states}, 1 + value % 2, value, value, 't'
              FROM number;
            INSERT INTO payload (seq, payload) SELECT seq, x'7b7d' FROM task;
            ANALYZE;
        """)
    return connection


def plan(connection, sql):
    bindings = dict.fromkeys(re.findall(r":(\w+)", sql), 1)
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", bindings)]


def texts():
    for name, sql in QUERIES.items():
        if name == "list_page":
            todo = [QUERIES["list_todo"].format(type=":type_1", pool=pool) for pool in (1, 2)]
            other = [QUERIES["list_other"].format(type=":type_1", state=state) for state in (1, 2, 3, 4)]
            yield name, sql.format(branches=" UNION ALL ".join(todo + other))
        elif name in ("running", "settle", "complete", "advance_schedules", "runs_for"):
            others = ", 1" * sql.partition(")")[0].count(",")
            rows = ", ".join(f"(:id_{place}{others})" for place in range(ROWS_AT_ONCE))
            yield name, sql.format(rows=rows)
        elif name not in TEMPLATES and not name.startswith(FINDING):
            yield name, sql


def finding():
    yield "due_counts", due_counts(QUERIES, [1, 2])
    yield "last_due", last_due(QUERIES, [1, 2])
    for name in ("held_due_counts", "last_held_due"):
        yield name, QUERIES[name]
    for name, query in QUERIES_FOUND:
        places = Places(":v{}".format, id_bytes)
        walker = Walker(QUERIES, places, query, [1])
        for statement in ("find_page", "count_found"):
            for by_arrival in (False, True):
                text = walker.statement(statement, [("webhook", 1), ("hash", 2)], by_arrival=by_arrival)
                yield f"{statement}: {name}", text
        yield f"still_passes: {name}", QUERIES["still_passes"].format(fits=walker.fits)
        keys = key_range(QUERIES, places, query)
        if keys is not None:
            yield f"count_keys: {name}", keys


@pytest.mark.parametrize(("name", "sql"), [*texts()], ids=[name for name, _ in texts()])
def test_a_query_searches_and_neither_scans_nor_sorts_tasks(connection, name, sql):
    steps = plan(connection, sql)
    for step in steps:
        assert not re.match(r"SCAN (task|payload|operation_task)\b", step), f"{name}: {step}"
        assert "TEMP B-TREE" not in step or name in SORTING, f"{name}: {step}"


@pytest.mark.parametrize(("name", "sql"), [*finding()], ids=[name for name, _ in finding()])
def test_what_finds_tasks_walks_along_indexes_and_sorts_what_it_has_looked_at(connection, name, sql):
    steps = plan(connection, sql)
    for before, step in zip(["", *steps], steps, strict=False):
        assert not re.match(r"SCAN (task|payload|tag)\b", step), f"{name}: {step}"
        if "TEMP B-TREE" in step:
            assert before == "SCAN looked" or "INDEX task_key " in before, f"{name}: {before}, {step}"


def test_what_is_overdue_is_looked_at_along_the_queues(connection):
    steps = plan(connection, overdue_statement(QUERIES, [1, 2], [1]))
    assert steps.count("SCAN task") == 1, "that is what was looked at, which is called so"
    searches = [step for step in steps if re.match(r"S\w+ (task|first|other) ", step)]
    for step in searches:
        assert re.search(r"INDEX task_(queue|held|running|counted) |INTEGER PRIMARY KEY", step), step
    assert len([step for step in searches if "task_queue" in step]) == 2
    assert len([step for step in searches if "task_held" in step]) == 7
    for before, step in zip(["", *steps], steps, strict=False):
        if "TEMP B-TREE" in step:
            assert before == "SCAN task", f"{before}, {step}"


@pytest.mark.parametrize("name", ["queue", "pull"])
def test_a_pull_is_one_seek_at_the_gate_of_its_queue(connection, name):
    seeks = [step for step in plan(connection, QUERIES[name]) if "task_held" in step]
    assert len(seeks) == 1
    assert "task_held (pool=? AND held_by=?" in seeks[0]
    assert (" AND due_at<?)" in seeks[0]) is (name == "pull"), "no further than what is due"


def test_leases_that_have_ended_are_found_in_an_index_of_their_own(connection):
    for name in ("next_lease", "end_leases"):
        assert any("task_lease" in step for step in plan(connection, QUERIES[name])), name
    for name in ("next_deadline", "past_deadline"):
        assert any("task_deadline" in step for step in plan(connection, QUERIES[name])), name


def test_whether_somebody_is_signed_in_is_one_seek(connection):
    (step,) = plan(connection, QUERIES["signed_in"])
    assert step == "SEARCH sign_in USING PRIMARY KEY (digest=?)"


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("goes_on", "task_going_on"),
        ("asking_at_once", "task_going_on"),
        ("release_runs", "task_going_on"),
        ("release_runs", "task_behind"),
        ("waits_behind", "task_behind"),
    ],
)
def test_what_goes_on_of_a_schedule_is_found_without_its_other_runs(connection, name, index):
    steps = plan(connection, QUERIES[name])
    assert any(f"INDEX {index}" in step for step in steps)
    assert not any("INDEX task_schedule" in step or "INDEX task_run" in step for step in steps)
