"""The engine before gates: nobody waits longer than the gate says, and callbacks and expiry come in time."""

from collections import Counter

import msgspec
import pytest

from tasker.interfaces.tasks import TaskFilter
from tasker.model.gate import Limits
from tasker.model.task import State

pytestmark = pytest.mark.anyio

A, B = "http://a:80", "http://b:80"


async def gate_id(bench, host):
    return next(record.gate.id for record in await bench.store.gates(after=0, limit=9) if record.gate.name == host)


async def test_a_task_that_its_full_host_held_starts_the_moment_another_one_ends(bench, clock):
    """Two slots: the host gets one."""
    await bench.add("wait", at=1, host=A)
    second = await bench.add("succeed", at=1, host=A)
    other = await bench.add("succeed", at=1.1, host=B)
    await clock.advance(1.25)
    assert [start[0] for start in bench.starts][1:] == [other]
    bench.types[0].may_end.set()
    await clock.advance(0)
    assert bench.starts[-1] == (second, 1, 1.25)


async def test_of_a_broken_host_one_task_is_tried_when_the_circuit_has_been_open_for_five_seconds(bench, clock):
    for _ in range(12):
        await bench.add("fail by the destination's fault", at=1, host=A, max_attempts=1)
    await clock.advance(5.9)
    assert [at for _, _, at in bench.starts] == [1.0] * 10
    await clock.advance(10)
    assert [at for _, _, at in bench.starts][10:] == [6.0]
    assert [
        task.attempts for task in (await bench.store.list_page(TaskFilter(state=State.TODO), after=None, limit=9)).tasks
    ] == [0]


async def test_all_that_waits_for_a_broken_host_ends_an_hour_after_its_circuit_opened(bench, clock):
    """Tried one at a time, a task every five minutes, they would take days."""
    for _ in range(700):
        last = await bench.add("fail by the destination's fault", at=1, host=A, max_attempts=1)
    await clock.advance(3600.9)
    assert (await bench.store.get(last)).state is State.TODO
    tried = bench.telemetry.failed
    assert len(bench.starts) == tried < 40
    await clock.advance(2)
    task = await bench.store.get(last)
    assert (task.state, task.attempts, task.last_fault.code) == (State.FAILED, 0, "circuit_open")
    assert (len(bench.starts), bench.telemetry.failed) == (tried, 700)


@pytest.mark.parametrize("slots", [200])
async def test_of_3000_that_wait_for_a_host_that_comes_back_few_start_in_the_first_seconds(bench, clock):
    """A hundred are sent at once before it is found to be down."""
    for n in range(3000):
        do = "fail by the destination's fault" if n < 100 else "succeed"
        await bench.add(do, at=1, host=A, max_attempts=1)
    await clock.advance(20)
    at = Counter(at for _, _, at in bench.starts)
    assert at == {1.0: 100, 6.0: 2} | {6.0 + n: 2**n for n in range(1, 10)} | {16.0: 3000 - 101 - 1023}
    assert bench.telemetry.done == 2900


async def test_what_was_paused_starts_when_it_goes_on(bench, clock):
    task = await bench.add("succeed", at=1, host=A)
    await bench.store.pause(await gate_id(bench, A))
    await clock.advance(100)
    assert bench.starts == []
    await bench.store.resume(await gate_id(bench, A))
    bench.engine.queue.ring()
    await clock.advance(0)
    assert bench.starts == [(task, 1, 100.0)]


async def test_a_task_expires_at_its_moment_though_every_slot_is_taken(bench, clock):
    for _ in range(2):
        await bench.add("wait", at=1)
    late = await bench.add("succeed", at=2, expires=5)
    await clock.advance(4.999999)
    assert (await bench.store.get(late)).state is State.TODO
    await clock.advance(0.000001)
    task = await bench.store.get(late)
    assert (task.state, task.ended_at, task.last_fault.code) == (State.FAILED, clock.now(), "expired")
    assert bench.telemetry.failed == 1


@pytest.mark.parametrize(("do", "told", "state"), [("succeed", "on_success", "done"), ("fail", "on_failure", "failed")])
async def test_the_end_of_a_task_is_told_at_once_by_a_task_of_its_own(bench, clock, do, told, state):
    parent = await bench.add(do, at=1, told={told: "http://c:82/told"}, max_attempts=1)
    await clock.advance(1)
    (callback,) = [
        task for task in (await bench.store.list_page(TaskFilter(), after=None, limit=9)).tasks if task.parent_id
    ]
    assert (callback.type, callback.parent_id, callback.due_at) == ("webhook", parent, clock.now())
    fields = msgspec.json.decode(callback.payload)
    assert (fields["url"], fields["json"]["id"], fields["json"]["state"]) == ("http://c:82/told", parent, state)


@pytest.mark.parametrize(("expires", "starts"), [(4, 0), (4.000001, 1)])
async def test_an_attempt_that_is_not_on_the_wire_when_its_task_expires_does_not_begin(bench, clock, expires, starts):
    bench.types[0].connecting = 3.0
    late = await bench.add("succeed", at=1, expires=expires)
    await clock.advance(4)
    assert len(bench.starts) == starts
    if not starts:
        task = await bench.store.get(late)
        assert (task.state, task.attempts, task.ended_at, task.last_fault.code) == (
            State.FAILED,
            0,
            clock.now(),
            "expired",
        )
        assert bench.engine.slots.running(bench.types[0].pool) == 0


async def test_what_a_gate_holds_starts_the_moment_an_attempt_that_has_its_room_is_given_back(bench, clock):
    bench.types[0].connecting = 3.0
    await bench.add("succeed", at=1, expires=4, host=A)
    await bench.store.limit(await gate_id(bench, A), Limits(max_running=1))
    second = await bench.add("succeed", at=1.1, host=A)
    await clock.advance(7.5)
    assert bench.starts == [(second, 1, 7.0)]


async def test_that_a_task_has_expired_is_told_at_once(bench, clock):
    """The engine's own pool is the one of webhooks here; its gate is closed, so that nothing else is due."""
    parent = await bench.add("succeed", at=1, expires=2.5, host=A, told={"on_failure": "http://c:82/told"})
    await bench.store.pause(await gate_id(bench, A))
    await clock.advance(2.5)
    assert (await bench.store.get(parent)).state is State.FAILED
    callbacks = [
        task for task in (await bench.store.list_page(TaskFilter(), after=None, limit=9)).tasks if task.parent_id
    ]
    assert [callback.started_at for callback in callbacks] == [clock.now()]


async def test_an_attempt_that_is_not_the_last_tells_nobody(bench, clock):
    await bench.add("fail", at=1, told={"on_failure": "http://c/"}, max_attempts=2)
    await clock.advance(1)
    assert len((await bench.store.list_page(TaskFilter(), after=None, limit=9)).tasks) == 1


async def test_the_next_attempt_comes_when_the_target_asked_for_it(bench, clock):
    task = await bench.add("fail and be asked for a pause", at=1)
    await clock.advance(60.999)
    assert len(bench.starts) == 1
    await clock.advance(0.001)
    assert bench.starts[1:] == [(task, 2, 61.0)]


async def test_what_is_kept_of_an_attempt_says_when_it_was_due_when_it_started_and_why_it_failed(bench, clock):
    task = await bench.add("fail", at=1, max_attempts=2, jitter=0)
    await clock.advance(2)
    first, second = await bench.store.attempts(task)
    beginning = clock.now() - 2_000_000
    assert [(kept.number, kept.due_at - beginning, kept.started_at - beginning) for kept in (first, second)] == [
        (1, 1_000_000, 1_000_000),
        (2, 2_000_000, 2_000_000),
    ]
    assert {kept.fault.code for kept in (first, second)} == {"no"}


async def test_a_new_task_that_cannot_start_expires_at_its_moment(bench, clock):
    """Between two looks of the expiry, which come every second."""
    for _ in range(2):
        await bench.add("wait", at=0.1)
    await clock.advance(0.5)
    late = await bench.add("succeed", at=0.6, expires=0.8)
    await clock.advance(0.299999)
    assert (await bench.store.get(late)).state is State.TODO
    await clock.advance(0.000001)
    assert (await bench.store.get(late)).last_fault.code == "expired"


async def test_a_task_that_waits_for_its_next_attempt_expires_at_its_moment(bench, clock):
    """Its gate is closed before that is due.

    The expiry looked last while the first attempt ran, 0.1 s before its end.
    """
    await clock.advance(0.9)
    late = await bench.add("prepare a second, then fail", at=1, expires=2.5, host=A, initial_delay=0.3, jitter=0)
    await clock.advance(1.1)
    await bench.store.pause(await gate_id(bench, A))
    await clock.advance(0.499999)
    assert ((await bench.store.get(late)).state, len(bench.starts)) == (State.TODO, 1)
    await clock.advance(0.000001)
    assert (await bench.store.get(late)).last_fault.code == "expired"
