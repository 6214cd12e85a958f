"""The inbox: a task exists if and only if the transaction that wrote its row was committed."""

import asyncio
from hashlib import sha256

import asyncpg
import pytest
from inbox_bench import URL, Node, application
from steps import SECOND, WEBHOOK, claimed

from tasker.errors import InboxRowNotFoundError, TaskNotFoundError
from tasker.ids import new_id
from tasker.model.new_task import Outcome
from tasker.model.overdue import OverdueTasks
from tasker.model.task import State
from tasker.testing.task_factory import a_task
from tasker.wire.explanations import explanation_view

pytestmark = pytest.mark.anyio


@pytest.fixture
async def node(nodes):
    return Node(await nodes.open())


@pytest.fixture
async def app(nodes, node):
    async with application(nodes) as connected:
        yield connected


async def test_a_row_becomes_a_task_with_its_id_and_is_gone(node, app, nodes):
    row_id = await app.insert(tags=["order:17"], key="order 17")

    assert await node.take() == 1

    task = await node.store.get(row_id)
    assert (task.state, task.key, task.due_at) == (State.TODO, "order 17", nodes.clock.now() + 60 * SECOND)
    assert task.created_by == "inbox inbox"
    assert await app.rows() == {}
    assert node.telemetry.from_inbox["created"] == node.telemetry.created == 1


async def test_what_is_rolled_back_was_never_there(node, app):
    transaction = app.connection.transaction()
    await transaction.start()
    row_id = await app.insert()
    assert await node.take() == 0  # not before the commit either
    await transaction.rollback()

    assert await node.take() == 0
    with pytest.raises(TaskNotFoundError):
        await node.store.get(row_id)


@pytest.mark.parametrize("isolation", ["read_committed", "repeatable_read", "serializable"])
async def test_a_task_is_there_once_its_transaction_is_committed(node, app, isolation):
    async with app.connection.transaction(isolation=isolation):
        await app.connection.execute("SELECT count(*) FROM tasker_inbox")
        row_id = await app.insert()
        assert await node.take() == 0

    await node.take()

    assert (await node.store.get(row_id)).id == row_id


async def test_an_open_transaction_on_a_host_that_is_new_holds_up_nobody(nodes, node, app):
    url = "http://never-seen-before.example/hook"
    async with app.connection.transaction():
        late = await app.insert(url=url)
        async with application(nodes) as other:
            soon = await other.insert(url=url)
            await nodes.clock.advance(30)
            # Each of these waits for nothing: a lock would time out.
            await nodes.connection.execute("SET lock_timeout = '1ms'")
            await node.take()
            assert (await node.store.get(soon)).state is State.TODO
            created = a_task(due_at=nodes.clock.now(), host="http://never-seen-before.example:80")
            await asyncio.wait_for(node.store.create([created]), 2)
            assert {attempt.task_id for attempt in (await node.store.claim_due({WEBHOOK: 5})).attempts} == {created.id}
            locks = await nodes.connection.fetch(
                "SELECT relation::regclass::text FROM pg_locks "
                "WHERE pid = $1 AND relation IS NOT NULL AND mode <> 'AccessShareLock'",
                app.connection.get_server_pid(),
            )
    # Those of its own row.
    assert {row["relation"] for row in locks} <= {
        "tasker_inbox",
        "tasker_inbox_pkey",
        "tasker_inbox_waiting",
        "tasker_inbox_refused",
    }
    await node.take()
    assert (await node.store.get(late)).due_at == nodes.clock.now() + 30 * SECOND


async def test_time_counts_from_the_insert_and_what_is_committed_late_was_held(nodes, node, app):
    async with app.connection.transaction():
        row_id = await app.insert(delay=10)
        due_at = nodes.clock.now() + 10 * SECOND
        await nodes.clock.advance(25)

    await node.take()
    await nodes.clock.advance(2)
    attempt = await claimed(node.store)

    assert (attempt.task_id, attempt.due_at) == (row_id, due_at)
    task = await node.store.get(row_id)
    assert task.late_held == 15 * SECOND


async def test_a_moment_that_was_to_come_at_the_insert_may_have_passed_at_the_commit(nodes, node, app):
    async with app.connection.transaction():
        row_id = await app.insert(execution_time="2100-01-01T00:00:00Z")
        await nodes.clock.step(80 * 366 * 86_400)

    await node.take()

    assert (await claimed(node.store)).task_id == row_id


async def test_an_id_is_of_the_day_of_the_insert_however_late_it_is_taken(nodes, node, app):
    fresh = await app.insert()
    stale = await app.insert(row_id=new_id(nodes.clock.now() - 2 * 86_400 * SECOND))
    await nodes.clock.advance(3 * 86_400)

    await node.take()

    assert (await node.store.get(fresh)).id == fresh
    assert "webhook.id: expected a UUID of a moment within a day of" in (await app.rows())[stale]


REFUSED = [
    ({"webhook": {"url": URL, "json": {}}}, "webhook.execution_time: expected a value, it is missing"),
    ({"webhook": {"url": "ftp://x/", "json": {}, "delay": 1}}, "webhook.url: expected"),
    ({"webhook": {"url": URL, "json": {}, "delay": 1, "colour": 1}}, "webhook.colour: expected one of"),
    ({"webhok": {"url": URL, "json": {}, "delay": 1}}, "webhok: expected one of"),
    ([], "expected an object"),
    ("text", "expected an object"),
    ({"webhook": {"url": URL, "json": {}, "delay": 1, "id": "x"}}, "webhook.id: expected none here"),
    (
        {"webhook": {"url": URL, "json": {}, "delay": 1, "key": "k", "on_conflict": "replace"}},
        "webhook.on_conflict: expected one of reject, keep in the inbox, got: 'replace'",
    ),
    (
        {"webhook": {"url": URL, "body": "x" * 2_000, "delay": 1}},
        "expected a body of at most 1000 bytes (--max-body-bytes), got more",
    ),
]


@pytest.mark.parametrize(("request_", "error"), REFUSED, ids=[error for _, error in REFUSED])
async def test_a_row_that_is_refused_stays_with_its_error_and_blocks_nobody(nodes, app, request_, error):
    node = Node(nodes.store, largest=1_000)
    refused = await app.insert(request_)
    row_id = await app.insert()

    await node.take()

    rows = await app.rows()
    assert list(rows) == [refused]
    assert error in rows[refused]
    assert (await node.store.get(row_id)).id == row_id
    assert node.telemetry.from_inbox == {"created": 1, "kept": 0, "refused": 1}
    assert await node.take() == 0  # it is not looked at again


async def test_many_that_are_refused_are_in_the_way_of_none(nodes, node, app):
    for _ in range(30):
        await app.insert({"webhook": {"url": URL}})
    row_id = await app.insert()

    assert await node.take(limit=7) == 31

    assert (await node.store.get(row_id)).id == row_id
    assert (await node.store.count_inbox()).refused == 30


async def test_a_row_is_tried_again_once_its_error_is_taken_away(node, app):
    row_id = await app.insert(url="ftp://x/")
    await node.take()

    await app.connection.execute(
        "UPDATE tasker_inbox SET error = NULL, request = jsonb_set(request, '{webhook,url}', $1) WHERE id = $2",
        '"http://localhost:9000/mended"',
        row_id,
    )
    await node.take()

    assert b"/mended" in (await node.store.get(row_id)).payload


async def test_what_is_changed_while_it_is_taken_is_taken_as_it_is_then(node, app):
    row_id = await app.insert()
    (row,) = await node.store.waiting_rows(after=None, limit=1, largest=1_000)
    old = node.service.inbox._verdict(row, node.step.keywords["decode"], 1_000)
    await app.connection.execute(
        "UPDATE tasker_inbox SET request = jsonb_set(request, '{webhook,url}', $1)", '"http://localhost:9000/new"'
    )

    assert await node.store.take([row], [old]) == [None]
    await node.take()

    assert b"/new" in (await node.store.get(row_id)).payload


async def test_a_key_in_use_refuses_the_row_or_keeps_the_task_that_has_it(node, app):
    first = await app.insert(key="order 17")
    await node.take()
    rejected, kept = await app.insert(key="order 17"), await app.insert(key="order 17", on_conflict="keep")

    await node.take()

    rows = await app.rows()
    assert list(rows) == [rejected]
    assert f"task {first}" in rows[rejected]
    with pytest.raises(TaskNotFoundError):
        await node.store.get(kept)
    assert node.telemetry.from_inbox == {"created": 1, "kept": 1, "refused": 1}


async def test_of_rows_with_one_key_the_first_gets_it(node, app):
    first, second = await app.insert(key="k"), await app.insert(key="k")

    await node.take()

    assert (await node.store.get(first)).holds_key
    assert list(await app.rows()) == [second]


async def test_a_row_that_is_written_again_makes_no_second_task(node, app):
    row_id = await app.insert()
    await node.take()
    await app.insert(row_id=row_id)
    await node.take()
    assert await app.rows() == {}

    await app.insert(row_id=row_id, delay=61)
    await node.take()

    assert list(await app.rows()) == [row_id]
    assert node.telemetry.from_inbox == {"created": 1, "kept": 1, "refused": 1}


async def test_groups_queues_and_callbacks_come_with_a_row_as_with_a_call(node, app):
    grouped = await app.insert(group="customer-42", on_failure="http://localhost:9000/failed")
    job = await app.insert({"job": {"queue": "reports", "delay": 0}})

    await node.take()

    assert (await node.store.standing(grouped)).gate.gate.name == "customer-42"
    assert (await node.store.get(job)).type == "job"


async def test_an_unknown_type_is_left_to_other_nodes_for_a_minute_and_then_refused(nodes, node, app):
    await nodes.another()
    row_id = await app.insert({"report.build": {"delay": 0, "args": {}}})
    unknown_zone = await app.insert(local_time="2050-01-01T09:00:00", time_zone="Europe/Nowhere")
    known = await app.insert()

    await node.take()
    assert await app.rows() == {row_id: None, unknown_zone: None}
    assert (await node.store.get(known)).id == known

    await nodes.clock.advance(59)
    await node.take()
    assert await app.rows() == {row_id: None, unknown_zone: None}
    await nodes.clock.advance(1)
    await node.take()
    rows = await app.rows()
    assert "report.build: expected one of job, webhook" in rows[row_id]
    assert "webhook.time_zone" in rows[unknown_zone]


async def test_a_node_that_is_alone_refuses_an_unknown_type_at_once(node, app):
    row_id = await app.insert({"report.build": {"delay": 0, "args": {}}})

    await node.take()

    assert "report.build" in (await app.rows())[row_id]


async def test_while_a_newer_node_runs_that_one_takes_the_rows(nodes, node, app):
    await nodes.another()
    await app.insert()
    newer = "UPDATE node SET schema = schema + $1 WHERE id <> $2"
    await nodes.connection.execute(newer, 1, node.store.node_id)
    assert await node.take() == 0

    await nodes.connection.execute(newer, -1, node.store.node_id)
    assert await node.take() == 1


async def test_during_an_upgrade_a_row_waits_that_older_nodes_could_not_read(nodes, node, app):
    plain, newer = await app.insert(), await app.insert(key="k")
    node.store._upgrade.is_finished = False
    await node.take()
    assert await app.rows() == {newer: None}
    assert (await node.store.get(plain)).id == plain

    node.store._upgrade.is_finished = True
    await node.take()

    assert (await node.store.get(newer)).key == "k"


async def test_three_nodes_take_each_row_once(nodes, node, app):
    others = [Node(await nodes.another()) for _ in range(2)]
    ids = [await app.insert(url=f"http://host-{number % 7}.example/", key=f"k{number}") for number in range(200)]

    await asyncio.gather(*(each.take(limit=13) for each in [node, *others] for _ in range(3)))
    await node.take()

    assert await app.rows() == {}
    taken = [each.telemetry.from_inbox["created"] for each in [node, *others]]
    assert sum(taken) == len(ids)
    assert {(await node.store.get(task_id)).id for task_id in ids} == set(ids)


async def test_a_row_that_another_node_is_taking_is_not_waited_for(nodes, node, app):
    row_id = await app.insert()
    async with nodes.connection.transaction():
        await nodes.connection.execute("SELECT FROM tasker_inbox FOR UPDATE")
        await node.take()
        assert await app.rows() == {row_id: None}

    await node.take()
    assert await app.rows() == {}


async def test_what_one_row_breaks_in_the_database_refuses_that_row(nodes, node, app):
    await nodes.connection.execute("ALTER TABLE task ADD CONSTRAINT no_bad_key CHECK (key <> 'bad')")
    try:
        good, bad = await app.insert(key="good"), await app.insert(key="bad")
        await node.take()

        assert (await node.store.get(good)).key == "good"
        assert await app.rows() == {bad: "expected what PostgreSQL can store, got its error 23514"}
    finally:
        await nodes.connection.execute("ALTER TABLE task DROP CONSTRAINT no_bad_key")


async def test_a_role_needs_nothing_but_to_insert_into_the_inbox(nodes, node, app):
    role = f"app_{node.store.node_id.replace('-', '')}"
    await nodes.connection.execute(f"""
        CREATE ROLE {role} LOGIN PASSWORD 'x';
        GRANT INSERT ON tasker_inbox TO {role};
        GRANT SELECT ON test_clock TO {role}  -- the real clock is no table
    """)
    try:
        async with application(nodes, user=role, password="x") as limited:
            row_id = await limited.insert()
            for statement in ("TABLE tasker_inbox", "TABLE task", "DELETE FROM tasker_inbox", "TABLE node"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await limited.connection.execute(statement)
        await node.take()
        assert (await node.store.get(row_id)).id == row_id
    finally:
        await nodes.connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


async def test_a_commit_rings_and_so_does_a_row_that_is_mended(nodes, node, app):
    rung = asyncio.Event()
    nodes.store.watch_inbox(rung.set)
    await app.insert(url="ftp://x/")
    await asyncio.wait_for(rung.wait(), 10)
    rung.clear()

    await node.take()
    await app.connection.execute("UPDATE tasker_inbox SET error = NULL")

    await asyncio.wait_for(rung.wait(), 10)


async def test_long_requests_come_a_few_at_a_time(node, app, monkeypatch):
    monkeypatch.setattr("tasker.stores.postgres.inbox.BYTES_AT_ONCE", 10_000)
    for _ in range(5):
        await app.insert({"webhook": {"url": URL, "delay": 1, "body": "x" * 4_000}})

    rows = await node.store.waiting_rows(after=None, limit=100, largest=1_000_000)

    assert len(rows) == 3
    assert await node.take() == 5


async def test_rows_are_listed_tried_again_and_deleted(nodes, node, app):
    bad, worse = await app.insert(url="ftp://x/"), await app.insert(url="ftp://y/")
    await node.take()
    waiting = await app.insert()

    rows = await node.store.inbox_rows(after=None, limit=2)
    rest = await node.store.inbox_rows(after=rows[-1].id, limit=2)
    assert [row.id for row in (*rows, *rest)] == [bad, worse, waiting]
    assert rows[0].error.startswith("webhook.url:")
    assert (await node.store.count_inbox()).waiting == 1

    await node.store.retry_inbox_row(bad)
    await node.store.delete_inbox_row(worse)
    assert await app.rows() == {bad: None, waiting: None}
    for change in (node.store.retry_inbox_row, node.store.delete_inbox_row):
        with pytest.raises(InboxRowNotFoundError):
            await change(worse)


async def test_the_content_of_a_row_does_not_depend_on_how_it_was_written(node, app):
    row_id = await app.insert({"webhook": {"url": URL, "json": {"b": 1, "a": 2}, "delay": 60}})
    (row,) = await node.store.waiting_rows(after=None, limit=1, largest=1_000)
    await node.take()
    await app.insert({"webhook": {"delay": 60, "json": {"a": 2, "b": 1}, "url": URL}}, row_id=row_id)
    (again,) = await node.store.waiting_rows(after=None, limit=1, largest=1_000)

    assert sha256(again.request).digest() == sha256(row.request).digest()
    await node.take()
    assert await app.rows() == {}
    assert node.telemetry.from_inbox[Outcome.KEPT.value] == 1


async def test_an_empty_inbox_costs_one_look(node):
    statements = []
    link = node.store._keeping._connection
    link.add_query_logger(lambda record: statements.append(record.query))

    await node.take()
    await asyncio.sleep(0)

    assert len(statements) == 1


async def test_what_waits_in_the_inbox_is_overdue_for_that_reason(nodes, node, app):
    inserted_at = nodes.clock.now()
    refused = await app.insert(url="ftp://x/")
    await node.take()
    assert (await node.store.overdue(free_pools={1})).by_reason["inbox"].count == 0
    await app.insert()
    await nodes.clock.advance(3)
    await app.insert()

    overdue = await node.store.overdue(free_pools={1})

    assert overdue.by_reason["inbox"] == OverdueTasks(2, inserted_at)
    assert overdue.oldest_seconds("inbox") == 3
    assert next(iter(await app.rows())) == refused


async def test_a_row_is_explained_until_it_is_a_task(nodes, node, app):
    row_id, refused = await app.insert(), await app.insert(url="ftp://x/")
    explain = node.service.tasks.explain
    waiting = explanation_view(await explain(row_id.upper()))
    assert (waiting.state, waiting.reason, waiting.max_attempts) == ("todo", "inbox", None)

    await node.take()

    assert explanation_view(await explain(row_id)).reason == "waiting"
    assert "because it was refused: webhook.url: expected" in explanation_view(await explain(refused)).msg
    for nobody in (new_id(nodes.clock.now()), "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(TaskNotFoundError):
            await explain(nobody)
