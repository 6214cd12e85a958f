"""An engine on the manual clock, with a task type that does what its task's fields say."""

import asyncio
import contextlib
import uuid
from datetime import timedelta

import msgspec
import pytest

from databases import FOLLOW
from tasker.engine.engine import Engine
from tasker.engine.telemetry import Telemetry
from tasker.errors import AttemptMustNotBeginError, InvalidTaskError
from tasker.model.attempt import Failed, Succeeded
from tasker.model.gate import Destination, GateKind
from tasker.model.instants import SECOND
from tasker.model.task import Fault, Pool, Task, TaskId
from tasker.stores.sqlite.store import SqliteStore
from tasker.timing.alarm import sleep
from tasker.timing.clock import ManualClock
from tasker.wire.fields import TaskFields


class ScriptedFields(TaskFields, frozen=True, kw_only=True):
    do: str


class ScriptedType:
    """Does what a task's ``do`` says; keeps a list of (task, attempt number, seconds since the clock's beginning)."""

    spellings = ()
    timeout = timedelta(seconds=30)
    fields = ScriptedFields

    def __init__(self, clock, *, name="scripted", pool=1, slots=2):
        self.name, self.pool, self.slots = name, Pool(pool), slots
        self.starts = []
        self.attempts = []
        self.may_end = asyncio.Event()
        self.connecting = 0.0
        """Seconds from the beginning of a run to its first byte."""
        self._clock = clock
        self._beginning = clock.now()

    def prepare(self, request):
        return request

    def destination(self, fields):
        return Destination(GateKind.TYPE, self.name)

    async def run(self, attempt, fields, started):
        do = fields.do
        if do.startswith("prepare a second"):
            await sleep(self._clock, 1)
        if self.connecting:
            await sleep(self._clock, self.connecting)
        match do:
            case "succeed without a word":
                pass
            case "catch the refusal and succeed" | "catch the refusal and fail" | "catch the refusal and raise":
                with contextlib.suppress(Exception):
                    started()
            case "start when it may":
                await self._start_when_it_may(started)
            case "wait, then start":
                await self._wait_whatever_comes()
                started()
            case _:
                started()
        self.attempts.append(attempt)
        self.starts.append((attempt.task_id, attempt.number, (self._clock.now() - self._beginning) / SECOND))
        return await self._end(do)

    async def _end(self, do):
        match do:
            case "fail" | "catch the refusal and fail" | "prepare a second, then fail":
                return Failed(Fault("no", "it failed"))
            case "fail by the destination's fault":
                return Failed(Fault("no", "it is broken"), is_alive=False)
            case "fail and be asked for a pause":
                return Failed(Fault("busy", "later"), retry_after=timedelta(seconds=60))
            case "raise" | "catch the refusal and raise":
                raise LookupError("the password is 1234")
            case "return nonsense":
                return 7
            case "hang":
                await asyncio.Event().wait()
            case "hang like a thread":
                await self._wait_whatever_comes()
            case "wait":
                await self.may_end.wait()
        return Succeeded()

    async def _wait_whatever_comes(self):
        """Wait, like a thread that cannot be cancelled."""
        while not self.may_end.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await self.may_end.wait()

    async def _start_when_it_may(self, started):
        while True:
            try:
                return started()
            except AttemptMustNotBeginError:
                await sleep(self._clock, 1)

    async def close(self):
        pass


def unreadable(change):
    """Read what an operation gives tasks anew: here there is no task type that could."""
    raise InvalidTaskError("gone", "expected a task type that is known")


class Bench:
    """Everything a test of the engine needs."""

    def __init__(self, clock, store, types, **kept):
        self.clock, self.store = clock, store
        self.types = types
        self.telemetry = Telemetry()
        self.engine = Engine(store, types, self.telemetry, rand=lambda: 0.5, rewriting=unreadable, **kept)
        self._beginning = clock.now()

    @property
    def starts(self):
        """What started: (task, attempt number, seconds since the beginning)."""
        return [start for task_type in self.types for start in task_type.starts]

    async def add(
        self, do, *, at, type_=None, announce=True, host=None, expires=None, told=None, payload=None, **retry
    ):
        """Store a task that is due *at*, and expires, so many seconds after the beginning; callbacks go to *told*.

        *payload* is stored in place of all that.
        """
        task_type = type_ or self.types[0]
        due_at = self._beginning + round(at * SECOND)
        fields = payload or {"do": do} | ({"retry": retry} if retry else {}) | (told or {})
        task = Task(
            id=TaskId(str(uuid.uuid4())),
            type=task_type.name,
            pool=task_type.pool,
            payload=fields if isinstance(fields, bytes) else msgspec.json.encode(fields),
            execution_time="t",
            execution_at=due_at,
            due_at=due_at,
            destination=None if host is None else Destination(GateKind.HOST, host),
            expires_at=None if expires is None else self._beginning + round(expires * SECOND),
        )
        await self.store.create([task])
        if announce:
            self.engine.announce(due_at, task_type.pool, expires_at=task.expires_at)
        return task.id


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def store_class():
    """The class of ``bench.store``."""
    return SqliteStore


@pytest.fixture
def kept():
    """How long the engine keeps what has ended: ``keep_done`` and ``keep_failed``."""
    return {}


@pytest.fixture
def slots():
    """How many tasks of the first type run at once."""
    return 2


@pytest.fixture
def longest_attempt():
    """How long an attempt may take."""
    return ScriptedType.timeout


@pytest.fixture
async def idle_bench(clock, store_class, kept, slots, longest_attempt):
    """Its engine is not started yet."""
    store = store_class(":memory:", follow=FOLLOW, clock=clock)
    await store.open()
    types = [ScriptedType(clock, slots=slots), ScriptedType(clock, name="other", pool=100, slots=1)]
    for task_type in types:
        task_type.timeout = longest_attempt
    bench = Bench(clock, store, types, **kept)
    yield bench
    for task_type in bench.types:
        task_type.may_end.set()
    if not bench.engine.draining:
        draining = asyncio.ensure_future(bench.engine.drain(timedelta(0)))
        await clock.advance(10)
        await draining
    await store.close()


@pytest.fixture
async def bench(idle_bench):
    await idle_bench.engine.start()
    return idle_bench
