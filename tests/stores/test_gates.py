"""Gates: how many tasks of a destination may start, and what is held meanwhile."""

import pytest
from msgspec.structs import replace
from steps import SECOND, WEBHOOK, another_try, claim_all, failure, listed, success

from tasker.errors import DestinationNotFoundError, NothingToProbeError
from tasker.interfaces.tasks import TaskFilter
from tasker.model.circuit import CircuitState
from tasker.model.gate import Destination, GateKind, Limits
from tasker.model.instants import LAST
from tasker.model.task import State
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

A, B, C = (f"http://{name}.example:80" for name in "abc")


async def create(store, clock, host, count=1, *, in_seconds=0, **how):
    tasks = [a_task(due_at=clock.now() + round(in_seconds * SECOND), host=host, **how) for _ in range(count)]
    await store.create(tasks)
    return [task.id for task in tasks]


def ids(attempts):
    return [attempt.task_id for attempt in attempts]


async def gate_of(store, host):
    return next(record for record in await store.gates(after=0, limit=100) if record.gate.name == host)


async def open_circuit(store, clock, host):
    """Let ten attempts fail by the destination's own fault. Return their ids."""
    tasks = await create(store, clock, host, 10)
    for attempt in await claim_all(store, 20):
        await store.settle(attempt, failure(clock, is_alive=False))
    return tasks


async def test_a_host_alone_gets_half_of_the_free_slots(store, clock):
    tasks = await create(store, clock, A, 30)
    assert ids(await claim_all(store, 20)) == tasks[:10]


async def test_hosts_that_come_together_leave_slots_for_one_that_has_none(store, clock):
    for _ in range(15):
        for host in (A, B):
            await create(store, clock, host)
    running = await claim_all(store, 20)
    assert len(running) == 14, "each has as many as are free, or one more"
    other = await create(store, clock, C)
    assert ids(await claim_all(store, 6)) == other


async def test_what_a_full_host_has_in_front_does_not_hold_up_the_others(store, clock):
    await create(store, clock, A, 1_500)
    others = await create(store, clock, B, 3)
    untied = await create(store, clock, None, 2)
    assert {*others, *untied} < {*ids(await claim_all(store, 20))}


async def test_the_last_slot_is_for_a_host_that_has_none(store, clock):
    await create(store, clock, A, 5)
    assert len(await claim_all(store, 1)) == 1
    other = await create(store, clock, B)
    assert ids(await claim_all(store, 1)) == other


async def test_a_task_type_is_a_destination_that_gets_all_slots_of_its_pool(store, clock):
    tasks = [a_task(due_at=clock.now(), type_="mail", pool=7, payload=b"{}") for _ in range(5)]
    await store.create(tasks)
    assert len((await store.claim_due({7: 4})).attempts) == 4


async def test_what_is_held_comes_in_its_order_before_what_comes_due_later(store, clock):
    tasks = await create(store, clock, A, 6)
    first, second = await claim_all(store, 4)
    await clock.advance(0.5)
    tasks += await create(store, clock, A, 2)
    came = ids([first, second])
    while len(came) < len(tasks):
        assert (await store.settle(first, success(clock, is_alive=True))).has_room, (
            "something is held that may have room now"
        )
        (attempt,) = await claim_all(store, 3)
        came.append(attempt.task_id)
        first, second = second, attempt
    assert came == tasks


async def test_a_gate_that_holds_nothing_any_more_is_soon_not_looked_at(store, clock):
    await create(store, clock, A, 3)
    running = await claim_all(store, 2)
    for _ in range(2):
        await clock.advance(1)
        running += await claim_all(store, 10)
    assert len(running) == 3
    assert (await store.claim_due({WEBHOOK: 10})).next_due is None
    assert not (await store.settle(running[0], success(clock, is_alive=True))).has_room


async def test_tasks_that_are_held_are_todo_to_everybody_outside(store, clock):
    tasks = await create(store, clock, A, 5)
    await claim_all(store, 2)
    assert (await gate_of(store, A)).held == 4
    assert (await store.get(tasks[3])).state is State.TODO
    assert [task.id for task in await listed(store, TaskFilter(state=State.TODO))] == tasks[1:]
    assert [task.id for task in await listed(store, TaskFilter(state=State.TODO), limit=1)] == tasks[1:]
    assert (await store.count(up_to=100))[State.TODO] == 4
    await store.delete(tasks[3])
    assert (await gate_of(store, A)).held == 3


async def test_a_full_gate_is_looked_at_again_within_a_second(store, clock):
    await create(store, clock, A, 3)
    running = await claim_all(store, 2)
    assert len(running) == 1
    assert (await store.claim_due({WEBHOOK: 1})).next_due == clock.now() + SECOND
    await clock.advance(1)
    assert len(await claim_all(store, 4)) == 2, "more slots are free now"


async def test_a_limit_of_its_own_holds_however_many_slots_are_free(store, clock):
    tasks = await create(store, clock, A, 10)
    gate = (await gate_of(store, A)).gate
    await store.limit(gate.id, Limits(max_running=3))
    running = await claim_all(store, 100)
    assert ids(running) == tasks[:3]
    await store.limit(gate.id, Limits(max_running=5))
    assert ids(await claim_all(store, 100)) == tasks[3:5]
    await store.limit(gate.id, Limits(max_running=1))
    assert await claim_all(store, 100) == []
    await store.limit(gate.id, Limits(max_running=None))
    assert len(await claim_all(store, 100)) == 5


async def test_a_paused_gate_lets_nothing_start_and_lets_what_runs_end(store, clock):
    tasks = await create(store, clock, A, 3)
    (running,) = await claim_all(store, 1)
    gate = (await gate_of(store, A)).gate
    await store.pause(gate.id)
    assert (await store.gate(gate.id)).gate.paused
    assert await claim_all(store, 10) == []
    await store.settle(running, another_try(clock, in_seconds=1, is_alive=True))
    await clock.advance(3600)
    claimed = await store.claim_due({WEBHOOK: 10})
    assert (list(claimed.attempts), claimed.next_due) == ([], LAST)
    await store.resume(gate.id)
    assert ids(await claim_all(store, 10)) == [*tasks[1:], tasks[0]]
    assert (await gate_of(store, A)).held == 0


async def test_pausing_and_resuming_twice_is_as_good_as_once(store, clock):
    await create(store, clock, A)
    gate = (await gate_of(store, A)).gate
    for paused in (True, True, False, False):
        await (store.pause(gate.id) if paused else store.resume(gate.id))
        assert (await store.gate(gate.id)).gate.paused is paused
    assert len(await claim_all(store, 1)) == 1


async def test_ten_failures_in_a_row_open_the_circuit_and_one_probe_follows_after_five_seconds(store, clock):
    await open_circuit(store, clock, A)
    tasks = await create(store, clock, A, 5)
    assert await claim_all(store, 100) == []
    gate = (await gate_of(store, A)).gate
    assert (gate.circuit.state(clock.now()), gate.circuit.failures) == (CircuitState.OPEN, 10)
    assert gate.circuit.open_until == clock.now() + 5 * SECOND
    assert (await store.get(tasks[0])).attempts == 0, "waiting spends no attempts"

    await clock.advance(4.999999)
    assert await claim_all(store, 100) == []
    await clock.advance(0.000001)
    (probe,) = await claim_all(store, 100)
    assert probe.task_id == tasks[0]
    assert await claim_all(store, 100) == [], "one at a time"


async def test_each_probe_that_fails_doubles_the_wait_up_to_five_minutes(store, clock):
    await open_circuit(store, clock, A)
    await create(store, clock, A, 10)
    for wait in (5, 10, 20, 40, 80, 160, 300, 300):
        await claim_all(store, 100)
        await clock.advance(wait - 0.000001)
        assert await claim_all(store, 100) == [], wait
        await clock.advance(0.000001)
        (probe,) = await claim_all(store, 100)
        await store.settle(probe, failure(clock, is_alive=False))


async def test_a_probe_that_is_answered_closes_the_circuit(store, clock):
    await open_circuit(store, clock, A)
    tasks = await create(store, clock, A, 4)
    assert await claim_all(store, 100) == []
    await clock.advance(5)
    (probe,) = await claim_all(store, 100)
    assert (await store.settle(probe, another_try(clock, is_alive=True))).has_room
    assert ids(await claim_all(store, 100)) == tasks[1:2]
    circuit = (await gate_of(store, A)).gate.circuit
    assert (circuit.failures, circuit.closed_at) == (0, clock.now())


async def test_a_probe_by_hand_starts_one_task_at_once_though_the_circuit_is_open(store, clock):
    await open_circuit(store, clock, A)
    first, second, _ = await create(store, clock, A, 3)
    assert await claim_all(store, 20) == []
    gate = (await gate_of(store, A)).gate
    await clock.advance(1)
    for _ in range(2):  # twice is as good as once
        await store.probe(gate.id)
    (probe,) = await claim_all(store, 20)
    assert probe.task_id == first
    await store.probe(gate.id)
    assert await claim_all(store, 20) == []
    await store.settle(probe, failure(clock, is_alive=False))
    assert (await gate_of(store, A)).gate.circuit.open_until == clock.now() + 10 * SECOND, "as after any other probe"
    assert await claim_all(store, 20) == []
    await store.probe(gate.id)
    (probe,) = await claim_all(store, 20)
    assert probe.task_id == second
    await store.settle(probe, success(clock, is_alive=True))
    assert (await gate_of(store, A)).gate.circuit.closed_at == clock.now()


async def test_a_probe_by_hand_leaves_the_rest_of_the_circuit_as_it_is(store, clock):
    await open_circuit(store, clock, A)
    await create(store, clock, A)
    assert await claim_all(store, 20) == []
    before = (await gate_of(store, A)).gate.circuit
    await clock.advance(1)
    await store.probe((await gate_of(store, A)).gate.id)
    after = (await gate_of(store, A)).gate.circuit
    assert after == replace(before, open_until=clock.now())
    assert after.state(clock.now()) is CircuitState.HALF_OPEN


async def test_where_there_is_nothing_to_probe_it_is_said_why(store, clock):
    async def refusal():
        before = await gate_of(store, A)
        with pytest.raises(NothingToProbeError) as caught:
            await store.probe(before.gate.id)
        assert await gate_of(store, A) == before
        return str(caught.value)

    await create(store, clock, A)
    assert "closed" in await refusal()
    await store.settle((await claim_all(store, 20))[0], success(clock, is_alive=True))
    await open_circuit(store, clock, A)
    assert "none of its tasks is due" in await refusal()
    await create(store, clock, A)
    assert await claim_all(store, 20) == []
    await store.pause((await gate_of(store, A)).gate.id)
    assert "paused" in await refusal()


async def test_one_answer_in_between_starts_the_count_of_failures_anew(store, clock):
    for is_alive in (*[False] * 9, True, *[False] * 9, None):
        await create(store, clock, A)
        (attempt,) = await claim_all(store, 2)
        await store.settle(attempt, failure(clock, is_alive=is_alive))
    assert (await gate_of(store, A)).gate.circuit.failures == 9


async def test_failures_of_what_was_under_way_when_the_circuit_opened_do_not_lengthen_it(store, clock):
    await create(store, clock, A, 50)
    for attempt in await claim_all(store, 100):
        await store.settle(attempt, failure(clock, is_alive=False))
    gate = (await gate_of(store, A)).gate
    assert gate.circuit.open_until == clock.now() + 5 * SECOND


async def test_circuit_pause_and_limit_survive_the_node(store, clock, after_death):
    await open_circuit(store, clock, A)
    await create(store, clock, B)
    await create(store, clock, C)
    await store.pause((await gate_of(store, B)).gate.id)
    await store.limit((await gate_of(store, C)).gate.id, Limits(max_running=3))
    before = {record.gate for record in await store.gates(after=0, limit=100)}
    store = await after_death(store)
    assert {record.gate for record in await store.gates(after=0, limit=100)} == before


async def test_what_is_given_back_frees_its_place(store, clock):
    await create(store, clock, A, 2)
    await store.limit((await gate_of(store, A)).gate.id, Limits(max_running=1))
    (first,) = await claim_all(store, 10)
    await store.give_back(first)
    (again,) = await claim_all(store, 10)
    assert again.number == 1


async def test_what_a_dead_node_ran_no_longer_counts(store, clock, after_death):
    await create(store, clock, A, 2)
    await store.limit((await gate_of(store, A)).gate.id, Limits(max_running=1))
    assert len(await claim_all(store, 10)) == 1
    store = await after_death(store)
    assert (await store.take_back()).todo == 1
    await clock.advance(1)
    assert len(await claim_all(store, 10)) == 1


async def test_gates_are_listed_by_id_with_what_runs_and_what_they_hold(store, clock):
    for host, count in ((A, 5), (B, 1)):
        await create(store, clock, host, count)
    mail = a_task(due_at=clock.now() + SECOND, host=C)
    await store.create([mail])
    await claim_all(store, 4)
    records = await store.gates(after=0, limit=100)
    assert [(r.gate.kind, r.gate.name, r.running, r.held) for r in records] == [
        (GateKind.HOST, A, 2, 3),
        (GateKind.HOST, B, 1, 0),
        (GateKind.HOST, C, 0, 0),
    ]
    assert [r.gate.name for r in await store.gates(after=records[0].gate.id, limit=1)] == [B]
    assert await store.gates(after=records[2].gate.id, limit=1) == []


async def test_a_gate_that_is_not_there_is_told(store):
    for call in (store.gate(9), store.pause(9), store.probe(9), store.limit(9, Limits(max_running=1))):
        with pytest.raises(DestinationNotFoundError):
            await call


async def test_standing_says_which_gate_a_task_has_and_whether_that_holds_it(store, clock):
    first, second = await create(store, clock, A, 2)
    (untied,) = await create(store, clock, None, in_seconds=9)
    await claim_all(store, 1)
    (running,) = [first]
    standing = await store.standing(running)
    assert (standing.task.state, standing.held_by, standing.gate.running) == (State.IN_PROGRESS, None, 1)
    assert standing.task.node is not None
    await store.claim_due({WEBHOOK: 1})
    standing = await store.standing(second)
    assert (standing.task.id, standing.gate.gate.name, standing.gate.held) == (second, A, 1)
    assert (standing.held_by, standing.ahead, standing.host) == (standing.gate.gate.id, 0, None)
    assert (await store.standing(untied)).gate is None


async def test_standing_of_a_task_with_a_group_says_which_of_its_two_gates_holds_it_and_what_comes_before(store, clock):
    tasks = await create(store, clock, A, 4, group="g")
    group, host = [(await gate_of(store, name)).gate.id for name in ("g", A)]
    await store.limit(group, Limits(max_per_second=1))
    assert ids(await claim_all(store, 100)) == tasks[:1]
    standings = [await store.standing(task) for task in tasks]
    assert [(each.held_by, each.ahead) for each in standings] == [(None, 0), (group, 0), (group, 1), (group, 2)]
    assert [(each.gate.gate.id, each.host.gate.id) for each in standings] == [(group, host)] * 4
    await store.pause(host)
    await clock.advance(1)
    assert await claim_all(store, 100) == []
    assert (await store.standing(tasks[1])).held_by == host


async def test_a_group_runs_one_at_a_time_in_order_of_due_time_whatever_the_hosts(store, clock):
    tasks = []
    for n in range(6):
        tasks += await create(store, clock, (A, B, C)[n % 3], in_seconds=0.001 * n, group="customer")
    await store.limit(await store.make_gate(Destination(GateKind.GROUP, "customer")), Limits(max_running=1))
    await clock.advance(1)
    came = []
    for _ in tasks:
        (attempt,) = await claim_all(store, 100)
        came.append(attempt.task_id)
        await store.settle(attempt, success(clock, is_alive=True))
    assert came == tasks


async def test_a_task_of_a_group_that_waits_for_a_retry_does_not_hold_up_the_others(store, clock):
    tasks = await create(store, clock, A, 2, group="g")
    await store.limit((await gate_of(store, "g")).gate.id, Limits(max_running=1))
    (first,) = await claim_all(store, 100)
    assert (await store.settle(first, another_try(clock, in_seconds=60, is_alive=True))).has_room
    assert ids(await claim_all(store, 100)) == tasks[1:]


async def test_a_rate_spaces_starts_evenly_and_to_the_microsecond(store, clock):
    tasks = await create(store, clock, A, 4)
    await store.limit((await gate_of(store, A)).gate.id, Limits(max_per_second=2))
    assert ids(await claim_all(store, 100)) == tasks[:1]
    for task in tasks[1:]:
        assert (await store.claim_due({WEBHOOK: 100})).next_due == clock.now() + SECOND // 2
        await clock.advance(0.499999)
        assert await claim_all(store, 100) == []
        await clock.advance(0.000001)
        assert ids(await claim_all(store, 100)) == [task]


async def test_a_start_that_comes_late_makes_the_next_one_earlier_whoever_wakes_the_gate_meanwhile(store, clock):
    tasks = await create(store, clock, A, 4, group="g")
    group = (await gate_of(store, "g")).gate.id
    await store.limit(group, Limits(max_per_second=1))
    assert ids(await claim_all(store, 100)) == tasks[:1]
    await clock.advance(1.3)
    await store.resume(group)
    await clock.advance(0.1)
    assert ids(await claim_all(store, 100)) == tasks[1:2]
    assert (await store.claim_due({WEBHOOK: 100})).next_due == clock.now() + 6 * SECOND // 10, (
        "as if it had been in time"
    )
    await clock.advance(0.6)
    assert ids(await claim_all(store, 100)) == tasks[2:3]


async def test_an_end_makes_no_room_in_a_group_that_has_a_rate_alone(store, clock):
    await create(store, clock, A, 3, group="g")
    group = (await gate_of(store, "g")).gate.id
    for limits, makes_room in ((Limits(max_per_second=1), False), (Limits(max_running=1), True)):
        await store.limit(group, limits)
        (attempt,) = await claim_all(store, 100)
        assert (await store.settle(attempt, success(clock, is_alive=True))).has_room == makes_room
        await clock.advance(1)


async def test_a_burst_starts_at_once_and_again_after_a_rest(store, clock):
    await create(store, clock, A, 20)
    gate = (await gate_of(store, A)).gate.id
    await store.limit(gate, Limits(max_per_second=0.5, burst=3))
    assert [len(await claim_all(store, 100)), await clock.advance(2), len(await claim_all(store, 100))] == [3, None, 1]
    await clock.advance(60)
    assert len(await claim_all(store, 100)) == 3
    await store.limit(gate, Limits(max_per_second=None))
    assert len(await claim_all(store, 100)) > 3, "shares the slots as before"


async def test_the_limits_of_a_host_are_not_for_tasks_with_a_group(store, clock):
    await create(store, clock, A, 3)
    await create(store, clock, A, 3, group="g")
    await store.limit((await gate_of(store, A)).gate.id, Limits(max_running=1))
    assert len(await claim_all(store, 100)) == 4
    assert [(r.gate.name, r.running, r.held) for r in await store.gates(after=0, limit=9)] == [(A, 1, 2), ("g", 3, 0)]


async def test_a_paused_host_lets_nothing_of_a_group_start_and_does_not_hold_up_its_other_tasks(store, clock):
    stopped = await create(store, clock, A, 5, group="g")
    others = await create(store, clock, B, 2, group="g")
    host = await store.make_gate(Destination(GateKind.HOST, A))
    await store.pause(host)
    await store.limit((await gate_of(store, "g")).gate.id, Limits(max_running=1))
    for other in others:
        (attempt,) = await claim_all(store, 100)
        assert attempt.task_id == other
        await store.settle(attempt, success(clock, is_alive=True))
    assert (await store.gate(host)).held == 5
    await store.resume(host)
    for task in stopped:
        (attempt,) = await claim_all(store, 100)
        assert attempt.task_id == task
        await store.settle(attempt, success(clock, is_alive=True))


async def test_what_tasks_of_a_group_show_is_said_to_the_circuit_of_their_host(store, clock):
    tasks = await create(store, clock, A, 14, group="g")
    for attempt in await claim_all(store, 10):
        await store.settle(attempt, failure(clock, is_alive=False))
    assert (await gate_of(store, A)).gate.circuit.failures == 10
    assert (await gate_of(store, "g")).gate.circuit.failures == 0
    assert await claim_all(store, 100) == []
    await clock.advance(5)
    (probe,) = await claim_all(store, 100)
    assert probe.task_id == tasks[10]
    await store.settle(probe, success(clock, is_alive=True))
    assert ids(await claim_all(store, 100)) == tasks[11:12], "and then by doubling"
    await clock.advance(1)
    assert ids(await claim_all(store, 100)) == tasks[12:13], "one of the two runs still"
    await clock.advance(1)
    assert ids(await claim_all(store, 100)) == tasks[13:]


async def test_a_paused_group_starts_nothing_until_it_is_resumed(store, clock):
    tasks = await create(store, clock, A, 2, group="g")
    gate = (await gate_of(store, "g")).gate.id
    await store.pause(gate)
    assert await claim_all(store, 100) == []
    await store.resume(gate)
    assert ids(await claim_all(store, 100)) == tasks


async def test_what_a_group_holds_starts_as_soon_as_a_slot_is_free(store, clock):
    tasks = await create(store, clock, A, 4, group="g")
    assert [ids((await store.claim_due({WEBHOOK: 1})).attempts) for _ in tasks] == [[task] for task in tasks]


async def test_a_host_that_is_tried_gets_one_probe_whether_its_tasks_have_groups_or_not(store, clock):
    await open_circuit(store, clock, A)
    for group in (None, "g", "h"):
        await create(store, clock, A, 3, group=group)
    assert await claim_all(store, 100) == []
    for wait in (5, 10, 20):
        await clock.advance(wait)
        (probe,) = await claim_all(store, 100)
        assert await claim_all(store, 100) == []
        await store.settle(probe, failure(clock, is_alive=False))


async def test_a_gate_is_made_before_its_first_task_and_found_by_it(store, clock):
    made = await store.make_gate(Destination(GateKind.HOST, A))
    assert await store.make_gate(Destination(GateKind.HOST, A)) == made
    await create(store, clock, A)
    assert [record.gate.id for record in await store.gates(after=0, limit=9)] == [made]
