"""A node that shares its store: what it does with its lease, without it, and about the others. On the manual clock."""

import asyncio
from datetime import timedelta

import pytest
import structlog

from databases import FOLLOW
from tasker.engine.lease import CLOCK_WARNING, MARGIN, RENEW, STRAY, Lease, LeaseKeeper
from tasker.errors import StoreUnavailableError
from tasker.model.gate import Limits
from tasker.model.task import State
from tasker.stores.sqlite.store import SqliteStore
from tasker.timing.alarm import sleep
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio

LEASE_SECONDS = 30
RENEW_SECONDS, MARGIN_SECONDS, STRAY_SECONDS = (length.total_seconds() for length in (RENEW, MARGIN, STRAY))


class LeasedStore(SqliteStore):
    """A store whose node has a lease, which cannot be renewed while it is ``away``.

    Claims still go through: the node has to know better.
    """

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.away = False
        self.renewals = []
        self.claim_takes = 0.0
        self.rung = 0
        self.offset = 0.0
        self.ring = None

    async def renew(self):
        self.renewals.append(self.clock.monotonic())
        if self.away:
            raise StoreUnavailableError("no connection to it")
        return self.clock.monotonic() + LEASE_SECONDS

    async def claim_due(self, free):
        claimed = await super().claim_due(free)
        if self.claim_takes and claimed.attempts:
            await sleep(self.clock, self.claim_takes)
        return claimed

    @property
    def clock_offset(self):
        return self.offset

    def wake_others(self):
        self.rung += 1

    def listen(self, ring):
        self.ring = ring


@pytest.fixture
def store_class():
    return LeasedStore


LAST_SAFE = LEASE_SECONDS - MARGIN_SECONDS
"""Seconds after a renewal at which a node has to begin nothing more."""


async def state_of(bench, task):
    return (await bench.store.get(task)).state


def test_a_lease_is_trusted_until_a_margin_before_its_end():
    clock = ManualClock()
    lease = Lease(clock)
    assert not lease.is_trusted, "before it was asked for"
    lease.extend(clock.monotonic() + MARGIN_SECONDS)
    assert not lease.is_trusted
    lease.extend(clock.monotonic() + MARGIN_SECONDS + 0.000001)
    assert lease.is_trusted


async def test_the_lease_is_renewed_again_and_again_and_every_second_while_that_fails(bench, clock):
    await clock.advance(2 * RENEW_SECONDS)
    regular = list(bench.store.renewals)
    bench.store.away = True
    await clock.advance(RENEW_SECONDS + 3)
    failing = bench.store.renewals[len(regular) :]
    assert regular[-2:] == [10, 20]
    assert failing == [30, 31, 32, 33]


async def test_a_node_claims_until_its_lease_is_about_to_end_and_then_nothing(bench, clock):
    bench.store.away = True
    in_time = await bench.add("succeed", at=LAST_SAFE - 0.000001)
    too_late = await bench.add("succeed", at=LAST_SAFE)
    await clock.advance(LAST_SAFE + 100)
    assert [task for task, *_ in bench.starts] == [in_time]
    assert await state_of(bench, too_late) is State.TODO


async def test_once_it_has_renewed_it_goes_on_at_once(bench, clock):
    bench.store.away = True
    task = await bench.add("succeed", at=LAST_SAFE + 1)
    await clock.advance(40.3)
    bench.store.ring()  # so that it does not look at the same moments at which it tries to renew
    await clock.advance(0.2)
    bench.store.away = False
    renewed_at = 41
    await clock.advance(0.499999)
    assert bench.starts == []
    await clock.advance(0.000001)
    assert bench.starts == [(task, 1, renewed_at)]


async def test_an_attempt_that_is_not_on_the_wire_when_the_lease_ends_does_not_begin_and_is_not_used_up(bench, clock):
    scripted = bench.types[0]
    scripted.connecting = 3.0
    bench.store.away = True
    task = await bench.add("succeed", at=LAST_SAFE - 2)
    await clock.advance(LAST_SAFE - 2)
    assert await state_of(bench, task) is State.IN_PROGRESS

    await clock.advance(10)

    given_back = await bench.store.get(task)
    assert (given_back.state, given_back.attempts, given_back.last_fault) == (State.TODO, 0, None)
    assert bench.starts == []
    assert bench.telemetry.given_back == 1
    assert bench.engine.slots.running(scripted.pool) == 0

    bench.store.away = False
    await clock.advance(5)
    assert [number for _, number, _ in bench.starts] == [1]
    assert await state_of(bench, task) is State.DONE


async def test_an_attempt_whose_first_byte_goes_out_in_time_begins(bench, clock):
    bench.types[0].connecting = 3.0
    bench.store.away = True
    task = await bench.add("succeed", at=LAST_SAFE - 3.000001)
    await clock.advance(LAST_SAFE)
    assert await state_of(bench, task) is State.DONE


async def test_what_a_claim_takes_that_is_answered_too_late_is_given_back_untouched(bench, clock, monkeypatch):
    touched = []
    monkeypatch.setattr(bench.types[0], "run", touched.append)
    bench.store.away = True
    bench.store.claim_takes = 2.0
    task = await bench.add("succeed", at=LAST_SAFE - 1)
    await clock.advance(LAST_SAFE + 2)
    given_back = await bench.store.get(task)
    assert (given_back.state, given_back.attempts) == (State.TODO, 0)
    assert touched == []


async def test_what_is_on_the_wire_already_may_end_without_a_lease(bench, clock):
    scripted = bench.types[0]
    bench.store.away = True
    task = await bench.add("wait", at=LAST_SAFE - 1)
    await clock.advance(LAST_SAFE + 20)
    scripted.may_end.set()
    await clock.advance(0)
    assert await state_of(bench, task) is State.DONE


async def test_a_claim_that_the_node_does_not_know_of_is_given_back_after_a_while_and_not_before(bench, clock):
    task = await bench.add("succeed", at=0.2, announce=False)
    await clock.advance(0.3)
    assert len((await bench.store.claim_due({bench.types[0].pool: 1})).attempts) == 1, "and the answer is lost"

    found_at = RENEW_SECONDS
    await clock.advance(found_at + STRAY_SECONDS - 0.3 - 0.000001)
    assert await state_of(bench, task) is State.IN_PROGRESS
    with structlog.testing.capture_logs() as lines:
        await clock.advance(0.000001)
    assert [line["task_id"] for line in lines if line["log_level"] == "warning"] == [task]

    await clock.advance(1)
    assert [(started, number) for started, number, _ in bench.starts] == [(task, 1)], "and no attempt was used up"
    assert await state_of(bench, task) is State.DONE


async def test_a_claim_whose_answer_is_on_its_way_for_long_is_no_stray(bench, clock):
    bench.store.claim_takes = STRAY_SECONDS - 1
    task = await bench.add("succeed", at=RENEW_SECONDS - 0.5)
    await clock.advance(RENEW_SECONDS + STRAY_SECONDS + 1)
    assert [(started, number) for started, number, _ in bench.starts] == [(task, 1)]
    assert bench.telemetry.given_back == 0


async def test_what_runs_here_is_no_stray_however_long_it_runs(bench, clock):
    task = await bench.add("wait", at=1)
    await clock.advance(29)
    assert (await bench.store.get(task)).attempts == 1
    assert await state_of(bench, task) is State.IN_PROGRESS


async def test_it_is_warned_once_of_a_clock_that_is_off_and_again_when_it_was_right_meanwhile():
    store = LeasedStore(":memory:", follow=FOLLOW, clock=ManualClock())
    await store.open()
    keeper = LeaseKeeper(store, Lease(store.clock), is_running=lambda _: True, ring=lambda: None)
    warned = []
    for offset in (CLOCK_WARNING.total_seconds(), 1.5, 30, -1.1, 0.2, -2, -2):
        store.offset = offset
        with structlog.testing.capture_logs() as lines:
            await keeper.run_once()
        warned.append([line["offset_seconds"] for line in lines])
    await store.close()
    assert warned == [[], [1.5], [], [], [], [-2], []]


async def test_others_are_woken_for_what_is_due_within_a_second_and_has_no_slot_here(bench, clock):
    other = bench.types[1]
    await bench.add("wait", at=0.5, type_=other)
    await clock.advance(0.5)
    assert bench.store.rung == 0, "there was a slot"

    await bench.add("succeed", at=1.500001, type_=other)
    assert bench.store.rung == 0, "they look by themselves before it is due"
    await bench.add("succeed", at=1.5, type_=other)
    assert bench.store.rung == 1
    await bench.add("succeed", at=0.6)
    assert bench.store.rung == 1, "another pool, with a slot"


@pytest.mark.parametrize(("every_slot_is_taken", "rung"), [(True, 1), (False, 0)])
async def test_others_are_woken_for_room_at_a_gate_if_no_slot_is_free_here(bench, clock, every_slot_is_taken, rung):
    first = await bench.add("prepare a second, then succeed", at=0.5, host="http://a:80")
    (gate,) = await bench.store.gates(after=0, limit=9)
    await clock.advance(0.5)
    await bench.store.limit(gate.gate.id, Limits(max_running=1))
    second = await bench.add("wait", at=0.6, host="http://a:80")
    if every_slot_is_taken:
        await bench.add("wait", at=0.7)
    await clock.advance(0.2)
    bench.store.rung = 0
    await clock.advance(0.8)
    assert [start[0] for start in bench.starts if start[0] in (first, second)] == [first, second]
    assert bench.store.rung == rung


async def test_a_ring_from_another_node_makes_it_look_at_once(bench, clock):
    await clock.advance(0.1)
    task = await bench.add("succeed", at=0.2, announce=False)
    await clock.advance(0.2)
    bench.store.ring()
    await clock.advance(0)
    assert bench.starts == [(task, 1, 0.3)]


async def test_a_node_that_cannot_renew_does_not_start(clock):
    store = LeasedStore(":memory:", follow=FOLLOW, clock=clock)
    await store.open()
    store.away = True
    with pytest.raises(StoreUnavailableError):
        await LeaseKeeper(store, Lease(clock), is_running=lambda _: False, ring=lambda: None).run_once()
    await store.close()


async def test_a_drain_keeps_the_lease_until_what_runs_has_ended(bench, clock):
    task = await bench.add("wait", at=1)
    await clock.advance(1)
    draining = asyncio.ensure_future(bench.engine.drain(timedelta(seconds=30)))
    await clock.advance(25)
    assert bench.store.renewals[-2:] == [10, 20]
    bench.types[0].may_end.set()
    await clock.advance(0)
    await draining
    renewed = len(bench.store.renewals)
    await clock.advance(100)
    assert len(bench.store.renewals) == renewed
    assert await state_of(bench, task) is State.DONE
