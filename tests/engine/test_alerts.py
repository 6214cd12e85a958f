"""Alerts: what is told of what goes wrong in an engine, once, and past a receiver that has troubles of its own."""

import asyncio
import json
from datetime import timedelta

import pytest
import structlog
from msgspec.structs import replace

from tasker.egress.alert_sender import Reception
from tasker.engine import alerts
from tasker.engine.alerts import LOOK_EVERY, Alerts
from tasker.errors import StoreUnavailableError
from tasker.model.alerts import CIRCUIT_AFTER, Cause
from tasker.model.circuit import THRESHOLD
from tasker.model.store_meter import Space
from tasker.stores.sqlite.store import SqliteStore

pytestmark = pytest.mark.anyio

RECEIVED = Reception(status=200, problem="", seconds=0.1)
LOOK = LOOK_EVERY.total_seconds()
NODE = "http://127.0.0.1:8080"


class Postman:
    """Takes what is sent, and says what became of it."""

    def __init__(self):
        self.sent = []
        """The id, and the body, of each try."""
        self.reception = RECEIVED
        self.is_stuck = False

    async def send(self, message_id, body):
        self.sent.append((message_id, json.loads(body)))
        if self.is_stuck:
            await asyncio.Event().wait()
        return self.reception

    @property
    def told(self):
        """The cause, and the names of what began and ended, of each try."""
        return [
            (alert["cause"], [each["name"] for each in alert["began"]], [each["name"] for each in alert["ended"]])
            for _, body in self.sent
            for alert in [body["alert"]]
        ]

    @property
    def texts(self):
        return [body["text"] for _, body in self.sent]


class Store(SqliteStore):
    """A store that can be ailing, or out of reach."""

    sickness = None

    @property
    def ailment(self):
        return self.sickness

    async def lead_alerts(self):
        if self.sickness is not None:
            raise StoreUnavailableError(self.sickness)
        return await super().lead_alerts()


@pytest.fixture
def store_class():
    return Store


@pytest.fixture
def longest_attempt():
    return timedelta(days=1)


@pytest.fixture
def postman():
    return Postman()


@pytest.fixture
async def watch(bench, postman, clock):
    """Begins to send alerts: ``await watch()``, again for another process that goes on after the first has died."""
    running = []

    async def begin(*, after=60):
        for loop in running[-1]._loops if running else ():
            loop.cancel()
        job = Alerts(bench.store, bench.engine.overdue.look, postman, after=timedelta(seconds=after), address=NODE)
        running.append(job)
        job.start()
        await clock.advance(0)
        return job

    yield begin
    for job in running:
        closing = asyncio.ensure_future(job.close())
        await clock.advance(0)
        if not closing.done():
            for look in job._looks:
                look.cancel()
        await closing


async def overdue_task(bench, clock):
    """Take both slots of a type, and let a third task wait for one."""
    for _ in range(3):
        await bench.add("wait", at=0)
    await clock.advance(0)


async def test_a_task_that_waits_for_a_slot_for_too_long_is_told_and_when_it_is_over(bench, watch, postman, clock):
    await overdue_task(bench, clock)
    await watch()
    await clock.advance(60)
    assert postman.told == []

    await clock.advance(LOOK)
    assert postman.told == [("late", ["tasks"], [])]
    _, body = postman.sent[0]
    (began,) = body["alert"]["began"]
    assert body["alert"]["node"] == NODE
    assert began["facts"]["overdue"] == 1
    assert began["since"] == began["facts"]["oldest_due_at"]
    assert body["text"].startswith("tasker: tasks are late: 1 overdue, the oldest due at ")

    bench.types[0].may_end.set()
    await clock.advance(60 - LOOK)
    assert len(postman.sent) == 1, "a minute lies between two messages of a cause"
    await clock.advance(2 * LOOK)
    assert postman.told[1:] == [("late", [], ["tasks"])]
    assert "over: no task is late any more" in postman.texts[1]
    await clock.advance(600)
    assert len(postman.sent) == 2


async def test_what_was_overdue_while_no_node_looked_counts_from_the_first_look(bench, watch, postman, clock):
    await bench.add("wait", at=0)
    await bench.add("wait", at=0)
    await clock.advance(5)
    await bench.add("wait", at=10)
    await clock.step(3_600)
    await clock.advance(1)
    await watch()
    await clock.advance(58)
    assert postman.told == []
    await clock.advance(2 * LOOK)
    assert postman.told == [("late", ["tasks"], [])]


async def test_what_waits_because_everything_is_paused_is_not_late_and_has_its_time_afterwards(
    bench, watch, postman, clock
):
    await bench.store.pause_all()
    await overdue_task(bench, clock)
    await watch()
    await clock.advance(3_600)
    assert postman.told == []

    await bench.store.resume_all()
    bench.engine.ring()
    await clock.advance(60)
    assert postman.told == []
    await clock.advance(2 * LOOK)
    assert postman.told == [("late", ["tasks"], [])], "both slots are taken, and the third waits"


async def test_a_process_that_follows_another_neither_repeats_nor_forgets(bench, watch, postman, clock):
    await overdue_task(bench, clock)
    await watch()
    await clock.advance(60 + LOOK)
    assert len(postman.sent) == 1

    await watch()
    await clock.advance(300)
    assert len(postman.sent) == 1
    bench.types[0].may_end.set()
    await clock.advance(0)
    await watch()
    await clock.advance(LOOK)
    assert postman.told == [("late", ["tasks"], []), ("late", [], ["tasks"])]


async def test_what_is_told_is_not_over_because_no_process_ran_for_a_while(bench, watch, postman, clock):
    await overdue_task(bench, clock)
    await watch()
    await clock.advance(60 + LOOK)
    assert len(postman.sent) == 1

    await clock.step(3_600)
    await clock.advance(1)
    await watch()
    await clock.advance(300)
    assert len(postman.sent) == 1


async def test_one_that_follows_a_death_in_the_middle_of_a_try_sends_the_same_again(bench, watch, postman, clock):
    await overdue_task(bench, clock)
    postman.is_stuck = True
    job = await watch()
    await clock.advance(60 + LOOK)
    for look in job._looks:
        look.cancel()

    postman.is_stuck = False
    await watch()
    await clock.advance(LOOK)
    first, second = postman.sent
    assert first == second


async def test_a_message_that_is_not_received_is_sent_again_and_the_end_follows_it(bench, watch, postman, clock):
    await overdue_task(bench, clock)
    postman.reception = Reception(status=500, problem="the receiver answered 500", seconds=0.1)
    await watch()
    with structlog.testing.capture_logs() as log:
        await clock.advance(60 + LOOK + 29)
    tries = len(postman.sent)
    assert tries == 2, "at once, and after 10 s, but not yet after 20 more"
    assert [(line["cause"], line["reason"]) for line in log if "alert" in line["event"]] == [
        ("late", "the receiver answered 500")
    ] * tries

    bench.types[0].may_end.set()
    postman.reception = RECEIVED
    await clock.advance(3 * LOOK)
    assert len({message_id for message_id, _ in postman.sent}) == 1
    assert len(set(postman.texts)) == 1
    await clock.advance(60 + LOOK)
    assert postman.told[-2:] == [("late", ["tasks"], []), ("late", [], ["tasks"])]


async def test_a_receiver_that_asks_for_time_gets_it(bench, watch, postman, clock):
    await overdue_task(bench, clock)
    postman.reception = Reception(
        status=429, problem="the receiver answered 429", seconds=0.1, retry_after=timedelta(minutes=10)
    )
    await watch()
    await clock.advance(60 + LOOK + 599)
    assert len(postman.sent) == 1
    await clock.advance(LOOK)
    assert len(postman.sent) == 2


async def test_a_receiver_that_hangs_holds_nothing_up(bench, watch, postman, clock):
    await overdue_task(bench, clock)
    postman.is_stuck = True
    job = await watch()
    await clock.advance(60 + LOOK)
    assert len(postman.sent) == 1

    await bench.add("succeed", at=70, type_=bench.types[1])
    await clock.advance(10)
    assert bench.starts[-1][2] == 70
    bench.store.sickness = "it is read-only"
    await clock.advance(20)
    assert postman.told[-1][0] == "writes_fail", "another loop tells of that"
    bench.store.sickness = None
    for look in job._looks:
        look.cancel()
    postman.is_stuck = False


async def test_a_circuit_that_does_not_close_is_told_with_its_destination(bench, watch, postman, clock):
    host = "http://a.example:80"
    for _ in range(THRESHOLD):
        await bench.add("fail by the destination's fault", at=0, host=host, max_attempts=1)
    await clock.advance(0)
    await watch()
    await clock.advance(CIRCUIT_AFTER.total_seconds() - LOOK)
    assert postman.told == []
    await clock.advance(2 * LOOK)
    assert postman.told == [("circuit_open", [host], [])]
    assert f"a destination has failed for more than 10 minutes: `{host}` (failing since " in postman.texts[0]
    assert postman.sent[0][1]["alert"]["began"][0]["facts"] == {"destination": 1}

    await bench.add("succeed", at=700, host=host)
    await clock.advance(120)
    assert postman.told[1:] == [("circuit_open", [], [host])]
    assert "`http://a.example:80` (it works again)" in postman.texts[1]


async def test_a_disk_that_is_nearly_full_is_told(bench, watch, postman, clock, monkeypatch):
    found = Space(free=1 << 30, size=100 << 30)
    monkeypatch.setattr(bench.store, "space", lambda: found)
    await watch()
    assert postman.texts == ["tasker: the disk of the database is nearly full: 1024 MiB of 102400 MiB are free."]
    assert postman.sent[0][1]["alert"]["began"][0]["facts"] == {"free_bytes": 1 << 30, "total_bytes": 100 << 30}

    found = replace(found, free=50 << 30)
    await clock.advance(60 + LOOK)
    assert postman.told == [
        ("disk_nearly_full", ["the disk of the database"], []),
        ("disk_nearly_full", [], ["the disk of the database"]),
    ]


async def test_writes_that_fail_are_told_by_each_node_for_itself(bench, watch, postman, clock):
    await watch()
    bench.store.sickness = "there is no space left for it"
    await clock.advance(LOOK + 9)
    assert postman.told == []
    await clock.advance(LOOK)
    assert postman.told == [("writes_fail", [NODE], [])]
    assert postman.texts[0] == f"tasker: `{NODE}` cannot write to its database: there is no space left for it."

    bench.store.sickness = "an input/output error"
    await clock.advance(120)
    assert len(postman.sent) == 1, "it is the same trouble"
    bench.store.sickness = None
    await clock.advance(LOOK)
    assert postman.told[1:] == [("writes_fail", [], [NODE])]
    assert f"`{NODE}`: it can write again" in postman.texts[1]


async def test_a_database_that_is_away_for_a_moment_is_not_told(bench, watch, postman, clock):
    await watch()
    for _ in range(20):
        bench.store.sickness = "no connection to it"
        await clock.advance(9)
        bench.store.sickness = None
        await clock.advance(LOOK)
    assert postman.told == []


async def test_a_server_that_is_stopped_while_its_writes_fail_says_so(bench, watch, postman, clock):
    job = await watch()
    bench.store.sickness = "it is read-only"
    await clock.advance(120)
    closing = asyncio.ensure_future(job.close())
    await clock.advance(0)
    await closing
    assert postman.told == [("writes_fail", [NODE], []), ("writes_fail", [], [NODE])]
    assert "it was stopped while its writes failed" in postman.texts[-1]


async def test_a_message_on_its_way_has_some_seconds_when_the_server_stops(bench, watch, postman, clock, monkeypatch):
    monkeypatch.setattr(alerts, "_CLOSING_SECONDS", 0.01)
    await overdue_task(bench, clock)
    postman.is_stuck = True
    job = await watch()
    await clock.advance(60 + LOOK)
    await job.close()
    assert [look for look in job._looks if not look.done()] == []
    book = await bench.store.lead_alerts()
    assert book.told[Cause.LATE].message.id == postman.sent[0][0], "the next one sends it"


async def test_a_defect_in_a_look_does_not_end_the_looks(bench, watch, postman, clock, monkeypatch):
    async def broken():
        raise LookupError("canary")

    with monkeypatch.context() as patched:
        patched.setattr(bench.store, "troubles", broken)
        with structlog.testing.capture_logs() as log:
            await watch()
        assert "looking for what alerts are about failed, trying again" in [line["event"] for line in log]
    await overdue_task(bench, clock)
    await clock.advance(60 + 2 * LOOK)
    assert postman.told == [("late", ["tasks"], [])]
