"""What was counted, minute by minute and hour by hour."""

import uuid

import pytest

from tasker.interfaces.statistics import PRUNE_HISTORY_LIMIT
from tasker.model.history import HOUR, KEPT, MINUTE, HistoryRow

pytestmark = pytest.mark.anyio

RUNS = [str(uuid.UUID(int=number)) for number in range(1, 4)]


def a_row(at, run=RUNS[0], *, length=MINUTE, counts=b"{}", failures=None):
    return HistoryRow(length=length, at=at, run=run, counts=counts, failures=failures)


async def read(store, first, until, *, length=MINUTE, of_failures=False, limit=2):
    found, beyond = [], None
    while True:
        rows = await store.history(length, first, until, beyond=beyond, limit=limit, of_failures=of_failures)
        assert len(rows) <= limit
        found += [(row.at, row.run, row.text) for row in rows]
        if len(rows) < limit:
            return found
        beyond = rows[-1].at, rows[-1].run


async def test_rows_are_read_in_order_page_by_page_and_only_those_of_the_span(store, clock):
    now = clock.now() // HOUR * HOUR
    rows = [a_row(now + minute * MINUTE, run) for minute in range(4) for run in RUNS]
    await store.write_history([*rows, a_row(now, length=HOUR)])
    found = await read(store, now + MINUTE, now + 3 * MINUTE)
    assert found == [(row.at, row.run, b"{}") for row in rows[3:9]]
    assert await read(store, now, now + 1, length=HOUR) == [(now, RUNS[0], b"{}")]
    assert await read(store, now + HOUR, now + 2 * HOUR) == []


async def test_the_row_of_a_span_under_way_is_written_anew(store, clock):
    at = clock.now() // MINUTE * MINUTE
    await store.write_history([a_row(at, counts=b'{"created":{"hash":1}}'), a_row(at, RUNS[1])])
    await store.write_history([a_row(at, counts=b'{"created":{"hash":2}}', failures=b"[]")])
    assert await read(store, at, at + 1) == [(at, RUNS[0], b'{"created":{"hash":2}}'), (at, RUNS[1], b"{}")]
    assert await read(store, at, at + 1, of_failures=True) == [(at, RUNS[0], b"[]")]


async def test_what_is_old_is_deleted_in_bounded_steps_and_hours_stay_longer(store, clock):
    now = clock.now()
    old, kept = now - (49 * HOUR), now - 47 * HOUR
    rows = [a_row(at // MINUTE * MINUTE + place * MINUTE) for at in (old, kept) for place in range(3)]
    await store.write_history([*rows, a_row(old // HOUR * HOUR, length=HOUR)])
    while await store.prune_history():
        pass
    assert [at for at, *_ in await read(store, 0, now)] == [row.at for row in rows[3:]]
    assert len(await read(store, 0, now, length=HOUR)) == 1
    await clock.step(KEPT[HOUR].total_seconds())
    assert await store.prune_history() == 4
    assert await store.prune_history() == 0


async def test_no_step_deletes_more_than_its_limit(store, clock):
    at = clock.now() // MINUTE * MINUTE - 3 * KEPT[MINUTE].days * 24 * HOUR
    many = [a_row(at, str(uuid.UUID(int=number))) for number in range(1, PRUNE_HISTORY_LIMIT + 8)]
    await store.write_history(many)
    assert [await store.prune_history() for _ in "123"] == [PRUNE_HISTORY_LIMIT, 7, 0]
