"""What a node writes down of its counters."""

from datetime import timedelta

import msgspec
import pytest

from tasker.engine.history import History
from tasker.engine.telemetry import Telemetry
from tasker.errors import StoreUnavailableError
from tasker.model.failures import FailureGroup
from tasker.model.history import HOUR, MINUTE, Tally
from tasker.model.task import Fault

pytestmark = pytest.mark.anyio


class Rows:
    """Keeps rows as a store does."""

    def __init__(self, clock):
        self.clock = clock
        self.rows = {}
        self.writes = 0
        self.is_away = False
        self.old = []

    async def write_history(self, rows):
        self.writes += 1
        if self.is_away:
            raise StoreUnavailableError("away")
        self.rows |= {(row.length, row.at, row.run): row for row in rows}

    async def prune_history(self):
        return self.old.pop() if self.old else 0

    def tallies(self, length):
        """The counts by the moment at which their spans began."""
        found = {}
        for row in self.rows.values():
            if row.length == length:
                found.setdefault(row.at, Tally()).add(msgspec.json.decode(row.counts, type=Tally))
        return found


@pytest.fixture
def store(clock):
    return Rows(clock)


@pytest.fixture
def telemetry():
    return Telemetry()


def count(telemetry, *, gate=7, own=300):
    telemetry.created_by_type["webhook"] += 1
    telemetry.attempt_began(0, own, down=0, held=0)
    telemetry.ended_by_type["succeeded"]["webhook"] += 1
    telemetry.ended_by_gate["succeeded"][gate] += 1


async def to_the_minute(clock):
    await clock.advance((MINUTE - clock.now() % MINUTE) / 1_000_000)


async def test_nothing_is_written_while_nothing_is_counted(store, telemetry, clock):
    history = History(store, telemetry)
    for _ in range(20):
        await clock.advance((await history.run_once()).total_seconds())
    assert store.writes == 0


async def test_each_minute_and_each_hour_has_what_was_counted_in_it(store, telemetry, clock):
    await clock.advance((HOUR - clock.now() % HOUR) / 1_000_000 - 90)
    history = History(store, telemetry)
    start = clock.now() // MINUTE * MINUTE
    for second in range(180):
        if second % 5 == 0:
            count(telemetry)
        await clock.advance(1)
        if second % 10 == 9:
            await history.write()
    await history.write()
    minutes = store.tallies(MINUTE)
    assert list(minutes) == [start + n * MINUTE for n in range(4)]
    assert [tally.created["webhook"] for tally in minutes.values()] == [6, 12, 12, 6]
    hours = store.tallies(HOUR)
    assert [tally.created["webhook"] for tally in hours.values()] == [18, 18]
    total = Tally()
    for tally in minutes.values():
        total.add(tally)
    assert total.attempts == {"succeeded": {"webhook": 36}}
    assert total.destinations == {7: {"succeeded": 36}}
    assert total.lateness == {"own": [0, 0, 36], "held": [36], "down": [36]}
    assert total.lateness_sum == {"own": 36 * 300}


async def test_what_cannot_be_written_is_written_later_and_counted_once(store, telemetry, clock):
    history = History(store, telemetry)
    store.is_away = True
    for _ in range(3):
        count(telemetry)
        with pytest.raises(StoreUnavailableError):
            await history.write()
        await to_the_minute(clock)
        with pytest.raises(StoreUnavailableError):
            await history.write()
    store.is_away = False
    await history.write()
    assert [tally.created["webhook"] for tally in store.tallies(MINUTE).values()] == [1, 1, 1]
    assert sum(tally.created["webhook"] for tally in store.tallies(HOUR).values()) == 3


async def test_a_clock_that_is_set_back_spoils_nothing_that_was_written(store, telemetry, clock):
    history = History(store, telemetry)
    count(telemetry)
    await history.write()
    await to_the_minute(clock)
    count(telemetry)
    await history.write()
    await clock.step(-90)
    await history.write()
    for _ in range(3):
        count(telemetry)
    await history.write()
    assert sum(tally.created["webhook"] for tally in store.tallies(MINUTE).values()) == 5
    assert sum(tally.created["webhook"] for tally in store.tallies(HOUR).values()) == 5


async def test_failures_are_kept_with_the_minute(store, telemetry, clock):
    history = History(store, telemetry)
    for task_id in "ab":
        telemetry.failures.attempt_failed(task_id, "webhook", Fault("x", "y", "f"), status=None, at=clock.now())
    await history.write()
    (minute,) = [row for row in store.rows.values() if row.length == MINUTE]
    (group,) = msgspec.json.decode(minute.failures, type=list[FailureGroup])
    assert (group.fingerprint, group.count, group.example.task_id) == ("f", 2, "b")


async def test_many_destinations_are_one_but_for_the_busiest(store, telemetry):
    history = History(store, telemetry)
    for gate in range(1, 101):
        for _ in range(gate):
            count(telemetry, gate=gate)
    count(telemetry, gate=None)
    await history.write()
    for tally in (*store.tallies(MINUTE).values(), *store.tallies(HOUR).values()):
        assert sorted(tally.destinations) == [0, *range(51, 101)]
        assert sum(by_outcome["succeeded"] for by_outcome in tally.destinations.values()) == 5051


async def test_what_is_old_is_deleted_until_there_is_no_more(store, telemetry, clock):
    history = History(store, telemetry)
    store.old = [7, 500]
    for _ in range(3):
        await history.run_once()
    assert store.old == []


async def test_attempts_are_counted_by_type_destination_and_outcome_and_failures_by_what_they_share(bench, clock):
    host = "http://a:80"
    failed = await bench.add("fail", at=1, host=host, max_attempts=1)
    await bench.add("fail", at=1, host=host, max_attempts=2, initial_delay=0.1, jitter=0)
    await bench.add("succeed", at=1, host=host)
    await bench.add("fail", at=1, max_attempts=1)
    await clock.advance(9)
    (record,) = await bench.store.gates(after=0, limit=9)
    await bench.engine.history.write()
    minutes = await bench.store.history(MINUTE, 0, clock.now() + 1, limit=9)
    tally = Tally()
    for row in minutes:
        tally.add(msgspec.json.decode(row.text, type=Tally))
    assert tally.attempts == {"succeeded": {"scripted": 1}, "retried": {"scripted": 1}, "failed": {"scripted": 3}}
    assert tally.destinations[record.gate.id] == {"succeeded": 1, "retried": 1, "failed": 2}
    assert sum(tally.lateness["own"]) == 5
    hours = await bench.store.history(HOUR, 0, clock.now() + 1, limit=9, of_failures=True)
    (group,) = [group for row in hours for group in msgspec.json.decode(row.text, type=list[FailureGroup])]
    stored = (await bench.store.get(failed)).last_fault
    assert (group.fingerprint, group.count, group.code, group.type) == (stored.fingerprint, 4, "no", "scripted")


async def test_a_drain_leaves_nothing_uncounted(bench, clock):
    await bench.add("succeed", at=1)
    await clock.advance(1)
    await bench.engine.drain(timedelta(0))
    assert await bench.store.history(MINUTE, 0, clock.now() + 1, limit=9)
