"""The inbox is gone through from its beginning to its end, at once when it rings, and every second in any case."""

import pytest

from tasker.engine.inbox import AT_ONCE, Looked
from tasker.errors import StoreUnavailableError
from tasker.service.inbox import type_named_in

pytestmark = pytest.mark.anyio


class Rows:
    """What stands in an inbox: numbers. Those that are left stay; the others are taken."""

    def __init__(self):
        self.rows, self.left, self.looks, self.errors = [], set(), [], []

    async def take(self, after, limit):
        self.looks.append(after)
        if self.errors:
            raise self.errors.pop()
        page = [row for row in self.rows if after is None or row > after][:limit]
        self.rows = [row for row in self.rows if row not in page or row in self.left]
        return Looked(len(page), page[-1] if page else None)


@pytest.fixture
async def inbox(idle_bench, monkeypatch):
    """The rows of an inbox that the engine takes, which has started."""
    rows = Rows()
    monkeypatch.setattr(type(idle_bench.store), "has_inbox", True)
    await idle_bench.engine.start()
    idle_bench.engine.take_from_inbox(rows.take)
    await idle_bench.clock.advance(0)
    return rows


async def test_a_row_is_found_within_a_second_without_a_ring(idle_bench, inbox):
    assert inbox.looks == [None]
    inbox.rows = [1]
    await idle_bench.clock.advance(0.999)
    assert inbox.rows == [1]
    await idle_bench.clock.advance(0.001)
    assert inbox.rows == []


async def test_a_row_is_found_at_once_when_it_rings(idle_bench, inbox):
    inbox.rows = [1]
    idle_bench.engine.announce_inbox()
    await idle_bench.clock.advance(0)
    assert inbox.rows == []


async def test_many_rows_are_taken_in_steps_and_what_is_left_is_in_no_ones_way(idle_bench, inbox):
    inbox.rows = list(range(1, 3 * AT_ONCE))
    inbox.left = set(range(1, 2 * AT_ONCE))
    inbox.looks.clear()

    idle_bench.engine.announce_inbox()
    await idle_bench.clock.advance(0)

    assert inbox.rows == sorted(inbox.left)
    assert inbox.looks == [None, AT_ONCE, 2 * AT_ONCE, 3 * AT_ONCE - 1]
    await idle_bench.clock.advance(1)
    assert inbox.looks[4:] == [None, AT_ONCE, 2 * AT_ONCE - 1]  # those that were left are looked at anew


async def test_a_step_that_fails_begins_anew(idle_bench, inbox):
    inbox.rows = [1]
    inbox.errors = [StoreUnavailableError("gone")]
    idle_bench.engine.announce_inbox()
    await idle_bench.clock.advance(0)
    assert inbox.rows == [1]

    await idle_bench.clock.advance(1)

    assert inbox.rows == []


async def test_without_an_inbox_nobody_looks(idle_bench):
    rows = Rows()
    await idle_bench.engine.start()
    idle_bench.engine.take_from_inbox(rows.take)
    idle_bench.engine.announce_inbox()
    await idle_bench.clock.advance(5)
    assert rows.looks == []


def test_a_request_that_nobody_can_read_names_no_type():
    assert type_named_in(b'{"job":' * 5_000 + b"1" + b"}" * 5_000) is None
    assert type_named_in(b'{"job": {}, "hash": {}}') is None
    assert type_named_in(b'{"job": {}}') == "job"
