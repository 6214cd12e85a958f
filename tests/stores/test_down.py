"""Spans in which no node looked for due tasks: which there are, and how late they make a task."""

import asyncio
import contextlib
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kinds import KINDS
from steps import SECOND, WEBHOOK, claimed, success
from vfs import RecordingVFS

from databases import FOLLOW, set_manual_clock
from tasker.errors import StoreUnavailableError
from tasker.model.gate import Limits
from tasker.model.lateness import DOWN_AFTER, DOWN_KEPT, LOOK_EVERY, by_cause
from tasker.stores.postgres.lease import LEASE
from tasker.stores.sqlite.store import SqliteStore
from tasker.testing.task_factory import a_task
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio

LIMIT = DOWN_AFTER.total_seconds()


async def look(store, clock, seconds=0):
    """Look for due tasks every second for so long, and at the end; there is no slot for any."""
    await store.claim_due({})
    for _ in range(round(seconds)):
        await clock.advance(1)
        await store.claim_due({})


async def due(store, clock, in_seconds=0, **how):
    task = a_task(due_at=clock.now() + round(in_seconds * SECOND), **how)
    await store.create([task])
    return task.id


async def late_down(store):
    """Claim the one task that is due. Return how many seconds of its lateness nobody looked."""
    attempt = await claimed(store)
    task = await store.get(attempt.task_id)
    assert (attempt.late_down, attempt.late_held) == (task.late_down, task.late_held)
    return attempt.late_down / SECOND


async def test_what_comes_due_while_no_node_runs_is_late_by_that(store, clock, after_death):
    await look(store, clock)
    await due(store, clock, 100)
    store = await after_death(store)
    await clock.advance(600)
    await due(store, clock, 1)
    began_at = clock.now()
    await look(store, clock, 3)
    attempt = await claimed(store)
    assert attempt.late_down == began_at - attempt.due_at >= 500 * SECOND
    assert clock.now() - attempt.due_at - attempt.late_down == 3 * SECOND
    assert await late_down(store) == 0, "it came due afterwards"


async def test_a_task_that_was_due_before_is_late_by_the_span_alone(store, clock, after_death):
    await look(store, clock)
    await due(store, clock)
    await look(store, clock, 4)
    last_look = clock.now()
    store = await after_death(store)
    await clock.advance(60)
    assert await late_down(store) == (clock.now() - last_look) / SECOND


@pytest.mark.parametrize(("seconds", "down"), [(LIMIT, 0), (LIMIT + 0.000001, LIMIT + 0.000001)])
async def test_a_span_is_longer_than_the_limit(store, clock, seconds, down):
    await look(store, clock)
    await due(store, clock)
    await clock.step(seconds)
    assert await late_down(store) == down


async def test_a_machine_that_was_suspended_was_down(store, clock):
    await look(store, clock)
    await due(store, clock, 100)
    await clock.step(3600)
    await clock.advance(0.5)
    assert await late_down(store) == 3500.5


async def test_a_process_that_hung_was_not_down(store, clock):
    await look(store, clock)
    await due(store, clock)
    await clock.advance(20)
    assert await late_down(store) == 0


async def test_a_process_that_hung_after_its_machine_was_suspended_was_down_for_that_time_only(store, clock):
    await look(store, clock)
    await due(store, clock)
    await clock.step(60)
    await clock.advance(20)
    assert await late_down(store) == 60


async def test_a_store_that_could_not_be_used_for_eight_seconds_was_down(store, clock, reach):
    await look(store, clock, 1)
    await due(store, clock, 2)
    reach.refuse()
    for _ in range(8):
        await clock.advance(1)
        with pytest.raises(StoreUnavailableError):
            await store.claim_due({WEBHOOK: 1})
    reach.admit()
    await clock.advance(1)
    assert await late_down(store) == 7


async def test_a_store_that_could_not_be_used_for_a_moment_was_not_down(store, clock, reach):
    await look(store, clock, 2)
    await due(store, clock)
    reach.refuse()
    for _ in range(3):
        await clock.advance(1)
        with pytest.raises(StoreUnavailableError):
            await store.claim_due({WEBHOOK: 1})
    reach.admit()
    await clock.advance(1)
    assert await late_down(store) == 0


async def test_a_node_without_a_free_slot_looks_and_is_not_down(store, clock):
    await look(store, clock)
    await due(store, clock)
    await look(store, clock, 20)
    assert await late_down(store) == 0


async def test_the_next_attempt_has_a_lateness_of_its_own(store, clock):
    await look(store, clock)
    task_id = await due(store, clock)
    await clock.step(60)
    attempt = await claimed(store)
    assert attempt.late_down == 60 * SECOND
    await store.give_back(attempt)
    assert await late_down(store) == 60, "it is the same due time"
    attempt = (await store.claims())[0]
    await store.give_back(attempt)
    await store.cancel(task_id)
    await store.retry(task_id)
    assert await late_down(store) == 0


async def test_a_clock_that_is_set_back_makes_no_span_and_undoes_those_ahead(store, clock):
    await look(store, clock)
    await clock.step(60)
    await look(store, clock)
    await clock.step(-30)
    await look(store, clock)
    await due(store, clock)
    await clock.advance(1)
    assert await late_down(store) == 0


async def test_spans_are_forgotten_after_ninety_days(store, clock):
    await look(store, clock)
    await clock.step(60)
    await look(store, clock)
    await clock.step(DOWN_KEPT.total_seconds())
    await store.prune_down()  # there was one before the first look, unless others may have looked
    assert await store.prune_down() == 0
    await clock.step(0.000001)
    assert await store.prune_down() == 1
    assert await store.prune_down() == 0


async def test_a_look_does_not_wait_for_the_disk_and_is_written_every_two_seconds(tmp_path):
    clock, vfs = ManualClock(), RecordingVFS()
    store = SqliteStore(str(tmp_path / "tasks.db"), follow=FOLLOW, clock=clock, vfs=vfs.name)
    await store.open()
    await look(store, clock)
    before = len(vfs.events)
    await look(store, clock, 60)
    events = vfs.events[before:]
    assert [event for event in events if event.what == "sync"] == []
    written = [event for event in events if event.what == "write" and len(event.data) > 1_000]
    assert len(written) == 60 // LOOK_EVERY.total_seconds()
    await store.close()


# Several nodes


async def spans(nodes):
    rows = await nodes.connection.fetch("SELECT begin_at, end_at FROM down ORDER BY begin_at")
    return [(row["begin_at"], row["end_at"]) for row in rows]


async def test_while_one_of_two_nodes_looks_there_is_no_span(nodes):
    first = await nodes.open()
    second = await nodes.another()
    await look(first, nodes.clock)
    await due(first, nodes.clock, 100)
    await look(second, nodes.clock, 120)
    await first.renew()
    assert await late_down(first) == 0
    assert await spans(nodes) == []


async def test_a_span_that_two_nodes_find_at_once_is_one(nodes):
    first = await nodes.open()
    second = await nodes.another()
    await look(first, nodes.clock)
    await look(second, nodes.clock)
    begin_at = nodes.clock.now()
    await nodes.clock.step(60)
    await first.renew()
    tasks = [a_task(due_at=nodes.clock.now() - SECOND) for _ in range(20)]
    await first.create(tasks)
    found = await asyncio.gather(*(store.claim_due({WEBHOOK: 10}) for store in (first, second)))
    assert [attempt.late_down for claimed in found for attempt in claimed.attempts] == [SECOND] * 20
    assert await spans(nodes) == [(begin_at, nodes.clock.now())]


async def test_a_node_of_a_version_that_notes_no_looks_counts_as_looking_until_its_lease_ends(nodes):
    store = await nodes.open()
    await look(store, nodes.clock)
    await nodes.connection.execute("ALTER TABLE node DROP CONSTRAINT this_tasker_is_too_old")
    await nodes.connection.execute(
        "INSERT INTO node (id, address, version, started_at, lease_until) "
        "VALUES (gen_random_uuid(), '', '0', tasker_now(), tasker_now() + interval '30 seconds')"
    )
    await nodes.clock.step(34)
    await look(store, nodes.clock)
    assert await spans(nodes) == []
    await nodes.clock.step(60)
    await look(store, nodes.clock)
    assert len(await spans(nodes)) == 1


async def test_a_node_that_has_never_looked_does_not_count(nodes):
    store = await nodes.open()
    await look(store, nodes.clock)
    begin_at = nodes.clock.now()
    await nodes.another()
    await nodes.clock.step(60)
    await store.renew()
    await look(store, nodes.clock)
    assert await spans(nodes) == [(begin_at, nodes.clock.now())]


async def test_a_node_without_a_lease_does_not_look(nodes):
    store = await nodes.open()
    await look(store, nodes.clock)
    begin_at = nodes.clock.now()
    await set_manual_clock(nodes.connection, begin_at + round(LEASE.total_seconds() * SECOND))
    await store.claim_due({})
    assert await spans(nodes) == []
    await store.renew()
    await store.claim_due({})
    assert await spans(nodes) == [(begin_at, begin_at + round(LEASE.total_seconds() * SECOND))]


# Any story


class Story:
    """What can happen, by name, each with a number."""

    def __init__(self, kind, store):
        self.store, self.clock = store, kind.clock
        self.was_set_back = False

    async def look(self, seconds):
        await look(self.store, self.clock, seconds)

    async def hang(self, seconds):
        await self.clock.advance(seconds)

    async def step(self, seconds):
        await self.clock.step(seconds)
        self.was_set_back |= seconds < 0

    async def create(self, in_seconds):
        await due(self.store, self.clock, in_seconds)

    async def create_for_a_host(self, in_seconds):
        await due(self.store, self.clock, in_seconds, host="http://a:80")

    async def create_for_a_group(self, in_seconds):
        await due(self.store, self.clock, in_seconds, host="http://a:80", group="g")

    async def pause(self, place):
        for gate in await self.gates(place):
            await self.store.pause(gate)

    async def resume(self, place):
        for gate in await self.gates(place):
            await self.store.resume(gate)

    async def let_one_run(self, place):
        for gate in await self.gates(place):
            await self.store.limit(gate, Limits(max_running=1))

    async def claim(self, free):
        for attempt in await self.claimed(free):
            await self.store.settle(attempt, success(self.clock))

    async def claim_and_give_back(self, free):
        for attempt in await self.claimed(free):
            await self.store.give_back(attempt)

    async def gates(self, place):
        return [record.gate.id for record in (await self.store.gates(after=0, limit=9))[place : place + 1]]

    async def claimed(self, free):
        attempts = (await self.store.claim_due({WEBHOOK: free})).attempts
        for attempt in attempts:
            now, down, held = self.clock.now(), attempt.late_down, attempt.late_held
            parts = by_cause(due_at=attempt.due_at, started_at=now, down=down, held=held)
            assert min(parts.down, parts.held, parts.own) >= 0
            assert (parts.down, parts.total) == (down, now - attempt.due_at)
            assert parts.held == held or self.was_set_back
        return attempts


def named(names, numbers):
    return st.tuples(st.sampled_from(names), numbers)


stories = st.lists(
    st.one_of(
        named(["look"], st.integers(0, 4)),
        named(["hang"], st.integers(0, 12)),
        named(["step"], st.integers(-12, 12)),
        named(["create", "create_for_a_host", "create_for_a_group"], st.integers(-3, 12)),
        named(["pause", "resume", "let_one_run"], st.integers(0, 1)),
        named(["claim", "claim_and_give_back"], st.integers(1, 3)),
    ),
    max_size=30,
)


async def tell(name, story):
    folder = Path(tempfile.mkdtemp())
    kind = KINDS[name](folder)
    told = Story(kind, await kind.open())
    try:
        for event, number in story:
            await getattr(told, event)(number)
    finally:
        await kind.close()
        shutil.rmtree(folder)


@pytest.mark.parametrize(("name", "examples"), [("sqlite-memory", 150), ("postgres", 5)])
def test_whatever_happens_no_part_is_negative_and_they_are_no_more_than_the_lateness(name, examples):
    @settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(stories)
    def check(story):
        with contextlib.closing(asyncio.Runner()) as runner:
            runner.run(tell(name, story))

    check()
