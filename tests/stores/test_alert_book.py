"""What a store remembers of alerts, and what it knows to be wrong."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from steps import SECOND, WEBHOOK, failure, success

from tasker.interfaces.alerts import AlertBook
from tasker.model.alerts import CIRCUIT_AFTER, Cause, Told, Trouble
from tasker.model.circuit import THRESHOLD
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

HOST = "http://a.example:80"
TOLD = {Cause.LATE: Told(lasting={"": Trouble(id="", name="tasks", since=5, facts={"overdue": 3})}, sent_at=7)}


async def end_attempt(store, clock, settlement):
    """Let one attempt of the host end so."""
    await store.create([a_task(due_at=clock.now(), host=HOST)])
    (attempt,) = (await store.claim_due({WEBHOOK: 1})).attempts
    await store.settle(attempt, settlement)


async def break_circuit(store, clock):
    for _ in range(THRESHOLD):
        await end_attempt(store, clock, failure(clock, is_alive=False))


async def test_nothing_has_been_told_of_a_new_store(store):
    assert await store.lead_alerts() == AlertBook({}, 0)


async def test_what_was_told_is_remembered(store):
    book = await store.lead_alerts()
    kept = await store.keep_alerts(replace(book, told=TOLD))
    assert kept.told == TOLD
    assert await store.lead_alerts() == kept


async def test_what_was_told_outlives_the_node(store, after_death):
    kept = await store.keep_alerts(replace(await store.lead_alerts(), told=TOLD))
    store = await after_death(store)
    assert await store.lead_alerts() == kept


async def test_what_was_not_read_since_is_not_written_over(store):
    old = await store.lead_alerts()
    kept = await store.keep_alerts(replace(old, told=TOLD))
    assert await store.keep_alerts(old) is None
    assert await store.lead_alerts() == kept


async def test_who_yields_may_send_again(store):
    await store.yield_alerts(timedelta(0))
    kept = await store.keep_alerts(replace(await store.lead_alerts(), told=TOLD))
    await store.yield_alerts(timedelta(0))
    assert await store.lead_alerts() == kept


async def test_a_circuit_is_a_trouble_once_it_has_not_closed_for_ten_minutes(store, clock):
    await break_circuit(store, clock)
    opened_at = clock.now()
    await clock.advance(CIRCUIT_AFTER.total_seconds() - 0.000001)
    assert (await store.troubles()).circuits == []

    await clock.advance(0.000001)
    (circuit,) = (await store.troubles()).circuits
    (gate,) = await store.gates(after=0, limit=2)
    assert (circuit.name, circuit.since, circuit.facts) == (HOST, opened_at, {"destination": gate.gate.id})

    await end_attempt(store, clock, success(clock, is_alive=True))
    assert (await store.troubles()).circuits == []


async def test_a_probe_that_fails_changes_nothing_of_that(store, clock):
    await break_circuit(store, clock)
    opened_at = clock.now()
    await clock.advance(CIRCUIT_AFTER.total_seconds())
    await end_attempt(store, clock, failure(clock, is_alive=False))
    assert [circuit.since for circuit in (await store.troubles()).circuits] == [opened_at]


async def test_a_node_alone_misses_nobody(store):
    seen = await store.troubles()
    assert list(seen.gone) == []


async def test_what_was_overdue_in_a_span_without_a_look_counts_from_its_end(store, clock):
    assert (await store.troubles()).counts_from == clock.now(), "it has not looked yet"
    await store.claim_due({WEBHOOK: 1})
    await clock.step(600)
    await store.claim_due({WEBHOOK: 1})
    looked_at = clock.now()
    await clock.advance(60)
    assert looked_at - SECOND <= (await store.troubles()).counts_from <= looked_at


async def test_what_was_overdue_while_everything_was_paused_counts_from_the_end_of_that(store, clock):
    await store.claim_due({WEBHOOK: 1})
    await store.pause_all()
    await clock.advance(600)
    await store.resume_all()
    resumed_at = clock.now()
    await clock.advance(1)
    assert (await store.troubles()).counts_from == resumed_at
