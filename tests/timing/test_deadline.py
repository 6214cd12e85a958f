"""Deadlines that are set often and seldom pass."""

import pytest

from tasker.timing.clock import ManualClock
from tasker.timing.deadline import Deadline

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def passed():
    return []


@pytest.fixture
def deadline(clock, passed):
    return Deadline(clock, lambda: passed.append(clock.monotonic()))


async def test_a_deadline_passes_once_at_its_moment_and_not_a_microsecond_before(clock, deadline, passed):
    deadline.set(5)
    await clock.advance(4.999999)
    assert (passed, deadline.is_set) == ([], True)

    await clock.advance(0.000001)
    await clock.advance(100)

    assert (passed, deadline.is_set) == ([5], False)


async def test_a_deadline_that_is_cleared_does_not_pass(clock, deadline, passed):
    deadline.set(5)
    deadline.clear()
    await clock.advance(100)

    assert (passed, deadline.is_set) == ([], False)


@pytest.mark.parametrize(("first", "second"), [(5, 5), (5, 9), (9, 5)])
async def test_the_moment_that_was_set_last_counts(clock, deadline, passed, first, second):
    deadline.set(first)
    await clock.advance(1)
    deadline.set(second)
    await clock.advance(100)

    assert passed == [1 + second]


async def test_a_deadline_can_be_set_again_once_it_was_cleared_or_has_passed(clock, deadline, passed):
    deadline.set(5)
    deadline.clear()
    deadline.set(6)
    await clock.advance(7)
    deadline.set(2)
    await clock.advance(3)

    assert passed == [6, 9]


async def test_a_deadline_that_is_put_off_again_and_again_makes_no_new_timer(clock, deadline, monkeypatch):
    made = []
    original = clock.call_later
    monkeypatch.setattr(clock, "call_later", lambda *given: (made.append(given), original(*given))[1])
    for _ in range(100):
        deadline.set(5)
        await clock.advance(0.01)
        deadline.clear()

    assert len(made) == 1


@pytest.mark.parametrize(("seconds", "late", "more"), [(5, 0.25, 0.25), (5, 5, 5), (5, 60, 5)])
async def test_a_late_deadline_gives_once_more_the_time_that_it_is_late(
    clock, passed, monkeypatch, seconds, late, more
):
    in_time = clock.call_later
    lateness = iter([late, 0])
    monkeypatch.setattr(clock, "call_later", lambda delay, call: in_time(delay + next(lateness), call))
    deadline = Deadline(clock, lambda: passed.append(clock.monotonic()))
    deadline.set(seconds)

    await clock.advance(seconds + late + more - 0.000001)
    assert (passed, deadline.is_set) == ([], True)
    await clock.advance(0.000001)
    assert (passed, deadline.is_set) == ([seconds + late + more], False)


async def test_a_deadline_that_is_late_again_and_again_passes(clock, passed, monkeypatch):
    in_time = clock.call_later
    monkeypatch.setattr(clock, "call_later", lambda delay, call: in_time(delay + 1, call))
    deadline = Deadline(clock, lambda: passed.append(clock.monotonic()))
    deadline.set(5)
    await clock.advance(100)

    assert passed == [5 + 1 + 1 + 1]


async def test_while_a_deadline_is_held_no_time_passes(clock, deadline, passed):
    deadline.set(5)
    await clock.advance(2)
    deadline.hold()
    deadline.hold()
    await clock.advance(100)
    assert (passed, deadline.is_set) == ([], True)
    deadline.go_on()
    deadline.go_on()
    await clock.advance(100)

    assert passed == [2 + 100 + 3]


async def test_a_deadline_that_is_set_while_it_is_held_begins_when_it_goes_on(clock, deadline, passed):
    deadline.hold()
    deadline.set(5)
    await clock.advance(100)
    deadline.go_on()
    await clock.advance(100)

    assert passed == [105]


async def test_a_deadline_that_is_cleared_while_it_is_held_does_not_pass(clock, deadline, passed):
    deadline.set(5)
    deadline.hold()
    deadline.clear()
    deadline.go_on()
    await clock.advance(100)

    assert (passed, deadline.is_set) == ([], False)


async def test_a_closed_deadline_never_passes(clock, deadline, passed):
    deadline.set(5)
    deadline.close()
    deadline.close()
    await clock.advance(100)

    assert passed == []
