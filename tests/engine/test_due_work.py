"""Work that comes due and is no claim: when it is done, how often, and what an expiry does."""

import asyncio
import contextlib

import pytest
from structlog.testing import capture_logs

from tasker.engine.due_work import DueWork, Step
from tasker.engine.expiry import Expiry
from tasker.engine.pulse import Pulse
from tasker.engine.telemetry import Telemetry
from tasker.errors import StoreUnavailableError
from tasker.interfaces.queue import Expired
from tasker.model.instants import SECOND
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio


class Work:
    """Keeps a list of moments at which something is due; a step does two of them.

    Notes the moments of steps, each once.
    """

    def __init__(self, clock):
        self.clock, self.beginning = clock, clock.now()
        self.moments, self.steps, self.errors, self.count = [], [], [], 0
        self.is_locked = False
        """Whether others are at what is due."""
        self.job = DueWork(clock, self.step, Pulse(clock), name="test")

    def at(self, seconds):
        return self.beginning + round(seconds * SECOND)

    def add(self, seconds, *, announce=True):
        self.moments = sorted([*self.moments, self.at(seconds)])
        if announce:
            self.job.announce(self.at(seconds))

    async def step(self):
        now = self.clock.now()
        self.count += 1
        self.steps = sorted({*self.steps, (now - self.beginning) / SECOND})
        if self.errors:
            raise self.errors.pop(0)
        due = [] if self.is_locked else [moment for moment in self.moments if moment <= now][:2]
        del self.moments[: len(due)]
        return Step(done=len(due), next_at=min(self.moments, default=None))


@pytest.fixture
async def work(clock):
    work = Work(clock)
    running = asyncio.ensure_future(work.job.run())
    await clock.advance(0)
    yield work
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_a_step_is_made_at_the_moment_that_the_one_before_named_and_not_earlier(work, clock):
    work.add(0.3, announce=False)
    work.job.announce(work.at(0))
    await clock.advance(0.299999)
    assert work.steps == [0]
    await clock.advance(0.000001)
    assert (work.steps, work.moments) == ([0, 0.3], [])


async def test_an_announcement_makes_it_look_earlier_and_one_that_is_later_does_not(work, clock):
    work.add(0.5)
    await clock.advance(0.4)
    count = work.count
    work.add(0.7)
    await clock.advance(0)
    assert (work.steps, work.count) == ([0], count)
    await clock.advance(0.5)
    assert work.steps == [0, 0.5, 0.7]


async def test_a_moment_that_is_announced_while_a_step_is_made_is_not_overlooked(clock):
    work = Work(clock)
    let_go = asyncio.Event()
    step = work.step

    async def slow():
        done = await step()
        await let_go.wait()
        return done

    work.job = DueWork(clock, slow, Pulse(clock), name="test")
    running = asyncio.ensure_future(work.job.run())
    await clock.advance(0)
    work.add(0.2)
    let_go.set()
    await clock.advance(0.2)
    assert (work.steps, work.moments) == ([0, 0.2], [])
    running.cancel()


async def test_it_looks_every_second_whatever_it_knows(work, clock):
    work.add(0.5, announce=False)
    await clock.advance(0.9)
    assert work.steps == [0]
    work.add(100, announce=False)
    await clock.advance(2.1)
    assert work.steps == [0, 1, 2, 3]
    assert work.moments == [work.at(100)]


async def test_a_full_step_is_followed_by_the_next_at_once_and_others_have_their_turn_in_between(work, clock):
    turns = []
    step = work.step

    async def noted():
        asyncio.get_running_loop().call_soon(lambda: turns.append(len(work.moments)))
        return await step()

    for _ in range(5):
        work.add(0.1)
    await clock.advance(0.05)
    work.job._step = noted
    await clock.advance(0.05)
    assert (work.steps, work.moments) == ([0, 0.1], [])
    assert turns == [3, 1, 0]


async def test_what_is_due_but_in_other_hands_is_looked_at_again_after_a_second_and_not_all_the_time(work, clock):
    work.is_locked = True
    work.add(0.5)
    await clock.advance(0.1)
    count = work.count
    await clock.advance(2.4)
    assert (work.steps, work.count) == ([0, 0.5, 1.5, 2.5], count + 3)
    work.is_locked = False
    await clock.advance(1)
    assert work.moments == []


@pytest.mark.parametrize("error", [StoreUnavailableError("no connection to it"), ZeroDivisionError("a defect")])
async def test_a_step_that_fails_is_made_again_within_a_second(work, clock, error):
    work.add(0.5)
    await clock.advance(0.1)
    work.errors = [error]
    with capture_logs() as lines:
        await clock.advance(1.4)
    assert (work.steps, work.moments) == ([0, 0.5, 1.5], [])
    [line] = lines
    assert (line["job"], line["log_level"]) == ("test", "error" if isinstance(error, ZeroDivisionError) else "warning")


async def test_it_ends_when_it_is_cancelled_and_gives_its_timer_back(clock):
    async def step():
        return Step(done=0, next_at=None)

    running = asyncio.ensure_future(DueWork(clock, step, Pulse(clock), name="test").run())
    await clock.advance(0.5)
    assert len(clock._timers) == 1
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert clock._timers == set()


class ExpiringStore:
    """Answers as it was told."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.clock = ManualClock()

    async def expire(self):
        return self.answers.pop(0)


async def test_what_has_expired_is_counted_and_logged_and_its_callbacks_are_due():
    store, telemetry, rings = ExpiringStore(Expired(2, 7), Expired(0, 7), Expired(1, None)), Telemetry(), []
    expiry = Expiry(store, telemetry, ring=lambda: rings.append(telemetry.failed))
    with capture_logs() as lines:
        steps = [await expiry.step() for _ in range(3)]
    assert steps == [Step(done=2, next_at=7), Step(done=0, next_at=7), Step(done=1, next_at=None)]
    assert (telemetry.failed, rings) == (3, [2, 3])
    assert [(group.code, group.count) for group in telemetry.failures.groups] == [("expired", 3)]
    assert [(line["event"], line["count"]) for line in lines] == [("tasks expired", 2), ("tasks expired", 1)]
