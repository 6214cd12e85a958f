"""How many tasks of a destination may start, and when one that fails is left alone."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tasker.model.circuit import LONGEST_WAIT, RECOVERY, THRESHOLD, Circuit, CircuitState
from tasker.model.gate import Gate, GateKind, Limits
from tasker.model.instants import LAST, SECOND
from tasker.model.rate import Rate

OPEN = Circuit(THRESHOLD, 100)

counts = st.integers(0, 500)


def a_gate(**what):
    return Gate(id=1, name="http://a:80", **({"kind": GateKind.HOST} | what))


def room(gate, *, running=0, here=None, free=200, per_destination=None, now=0):
    return gate.room(
        running=running,
        running_here=running if here is None else here,
        free=free,
        per_destination=per_destination,
        now=now,
    )


@given(counts, counts)
def test_a_host_gets_another_slot_only_while_more_are_free_than_it_holds(running, free):
    found = room(a_gate(), running=running, free=free)
    assert found >= 0
    while found > 0:  # taken one by one, each is allowed
        assert free > running
        running, free, found = running + 1, free - 1, found - 1
    assert free <= running, "no more than that"


@given(st.integers(1, 500))
def test_a_host_alone_gets_about_half_and_another_one_still_finds_a_slot(slots):
    first = room(a_gate(), free=slots)
    assert first == -(-slots // 2)
    if slots > 1:
        assert room(a_gate(), free=slots - first) >= 1


def test_the_share_of_a_host_counts_what_runs_on_this_node():
    assert room(a_gate(), running=300, here=0, free=200) == 100


@given(counts, counts, st.integers(1, 100), st.integers(1, 100))
def test_a_limit_is_for_all_nodes_and_that_of_the_destination_wins(running, free, own, per_destination):
    assert room(a_gate(max_running=own), running=running, free=free, per_destination=per_destination) == max(
        own - running, 0
    )
    assert room(a_gate(), running=running, free=free, per_destination=per_destination) == max(
        per_destination - running, 0
    )


def test_a_task_type_has_its_pool_for_itself_unless_it_has_a_limit_of_its_own():
    assert room(a_gate(kind=GateKind.TYPE), running=5, free=3) == 3
    assert room(a_gate(kind=GateKind.TYPE), running=5, free=3, per_destination=1) == 3
    assert room(a_gate(kind=GateKind.TYPE, max_running=6), running=5, free=3) == 1


def test_paused_and_open_gates_let_nothing_through_and_a_half_open_one_a_single_probe():
    assert room(a_gate(paused=True, max_running=9)) == 0
    assert room(a_gate(circuit=OPEN, max_running=9), now=99) == 0
    assert room(a_gate(circuit=OPEN, max_running=9), now=100) == 1
    assert room(a_gate(circuit=OPEN), running=1, now=100) == 0
    assert room(a_gate(circuit=Circuit(THRESHOLD - 1, 10**9))) > 0


def test_a_gate_without_room_says_when_to_look_again():
    assert a_gate(paused=True, circuit=OPEN).look_at(5) == LAST
    assert a_gate(circuit=OPEN).look_at(99) == 100
    assert a_gate(circuit=OPEN).look_at(100) == 100 + SECOND
    assert a_gate().look_at(5) == 5 + SECOND


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 700 * SECOND)), max_size=60))
def test_a_circuit_opens_by_failures_in_a_row_alone_and_never_for_longer_than_the_longest_wait(story):
    circuit, now, row = Circuit(), 0, 0
    for is_alive, later in story:
        now += later
        before = circuit.state(now)
        circuit = circuit.heard(is_alive, now)
        row = 0 if is_alive else row + 1
        assert (circuit.state(now) is CircuitState.OPEN) == (row >= THRESHOLD)
        assert circuit.open_until - now <= LONGEST_WAIT.total_seconds() * SECOND
        if before is CircuitState.OPEN and not is_alive:
            assert circuit.state(now) is CircuitState.OPEN


def test_the_wait_doubles_with_each_probe_that_fails():
    circuit, now, waits = Circuit(THRESHOLD - 1), 0, []
    for _ in range(9):
        circuit = circuit.heard(False, now)
        waits.append((circuit.open_until - now) // SECOND)
        now = circuit.open_until
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]


rates = st.builds(Rate, st.floats(0.00001, 10_000), st.integers(1, 50))


@settings(deadline=None)
@given(rates, st.lists(st.tuples(st.integers(0, 5_000_000), counts), max_size=30))
def test_in_no_span_start_more_than_the_rate_and_one_burst(rate, steps):
    now, gate = 1, a_gate(max_per_second=rate.per_second, burst=rate.burst)
    starts = []
    for later, wanted in steps:
        now += later
        count = min(wanted, room(gate, free=500, now=now))
        starts += [now] * count
        gate = gate.started(count, now)
    for first, since in enumerate(starts):
        for count, until in enumerate(starts[first:], 1):
            assert count <= rate.per_second * (until - since) / SECOND + rate.burst + 1e-6


looks = st.lists(st.tuples(st.floats(0, 3), st.floats(0, 1)), min_size=1, max_size=60)
"""How many intervals after it is due each turn of a gate begins, and how many more until what it lets go starts."""


def starts_of(rate, looks):
    """When tasks start that are always there, if each turn is as late as *looks* say."""
    gate, due, starts = a_gate(max_per_second=rate.per_second, burst=rate.burst), 1, []
    for late, longer in looks:
        now = due + round(late * rate.interval)
        count = room(gate.in_turn(due, now), free=500, now=now)
        now += round(longer * rate.interval)
        starts += [now] * count
        gate = gate.in_turn(due, now).started(count, now)
        due = gate.look_at(now)
    return starts


@settings(deadline=None)
@given(st.builds(Rate, st.floats(0.00001, 10_000), st.integers(1, 5)), looks)
def test_however_late_turns_are_in_no_span_start_more_than_the_rate_the_burst_and_half_a_task(rate, looks):
    starts = starts_of(rate, looks)
    for first, since in enumerate(starts):
        for count, until in enumerate(starts[first:], 1):
            assert count <= rate.per_second * (until - since) / SECOND + rate.burst + 0.5 + 1e-6


@given(st.floats(0.00001, 10_000), st.lists(st.floats(0, 0.5), min_size=2, max_size=100))
def test_a_rate_is_used_up_as_long_as_no_start_is_later_than_half_of_its_interval(per_second, late):
    rate = Rate(per_second)
    starts = starts_of(rate, [(each / 2, each / 2) for each in late])
    assert starts[-1] - starts[0] <= (len(late) - 1) * rate.interval + rate.interval // 2 + 1


@given(rates, st.integers(0, 10**12), st.integers(0, 60))
def test_a_gate_whose_rate_is_spent_is_looked_at_when_it_has_room_again(rate, now, taken):
    gate = a_gate(max_per_second=rate.per_second, burst=rate.burst)
    gate = gate.started(min(taken, rate.burst), now)
    if room(gate, free=500, now=now) == 0:
        at = gate.look_at(now)
        assert (room(gate, free=500, now=at - 1), room(gate, free=500, now=at)) == (0, 1)


@given(rates, st.integers(1, 10**9), st.integers(0, 10**9))
def test_a_start_that_is_late_makes_the_next_one_earlier_and_never_a_burst_greater(rate, since, late):
    now = since + late
    gate = a_gate(max_per_second=rate.per_second, burst=rate.burst, next_at=since).in_turn(since, now)
    assert room(gate, free=500, now=now) <= rate.burst
    after = gate.started(1, now)
    if rate.burst == 1 and late <= rate.interval // 2:
        assert after.look_at(now) == since + rate.interval, "as if it had been in time"
    assert room(after.in_turn(now, now), free=500, now=now) <= rate.burst - 1


def test_after_a_change_nobody_waits_for_the_rate_of_before():
    gate = a_gate(max_per_second=0.001).started(1, now=0)
    changed = gate.limited(Limits(max_per_second=100), now=5)
    assert changed.look_at(5) == 5 + SECOND // 100
    assert changed.limited(Limits(max_running=3), now=5).rate == changed.rate, "what is not said stays"


def test_a_group_has_no_share_and_is_strict_and_so_is_what_has_a_limit():
    group = a_gate(kind=GateKind.GROUP)
    assert room(group, running=300, free=200, per_destination=2) == 200
    assert group.is_strict(0)
    assert a_gate(max_running=1).is_strict(0)
    assert a_gate(max_per_second=1).is_strict(0)
    assert not a_gate().is_strict(0)


def test_a_host_lets_tasks_with_a_group_start_unless_it_is_paused_or_open():
    assert a_gate(max_running=1).lets_grouped(running=5, now=0) is None
    assert a_gate(paused=True).lets_grouped(running=0, now=0) == 0
    assert a_gate(circuit=OPEN).lets_grouped(running=0, now=99) == 0
    assert [a_gate(circuit=OPEN).lets_grouped(running=n, now=100) for n in (0, 1, 2)] == [1, 0, 0]
    assert room(a_gate(circuit=OPEN), running=0, now=100) == 1


RECOVERING = Circuit(THRESHOLD, 0).heard(True, now=SECOND)
"""It has closed at 1 s."""


def test_a_circuit_that_closes_is_recovering_for_ten_seconds():
    assert Circuit(closed_at=SECOND) == RECOVERING
    end = (1 + RECOVERY) * SECOND
    assert [RECOVERING.state(now) for now in (SECOND, end - 1)] == [CircuitState.RECOVERING] * 2
    assert RECOVERING.state(end) is CircuitState.CLOSED
    assert RECOVERING.state(SECOND - 1) is CircuitState.CLOSED, "the clock was set back"
    assert Circuit(5).heard(True, now=3) == Circuit(), "it was never open"


def test_a_circuit_that_is_recovering_counts_failures_and_opens_as_any_other():
    circuit = RECOVERING
    for _ in range(THRESHOLD - 1):
        circuit = circuit.heard(False, now=2 * SECOND)
    assert circuit.state(2 * SECOND) is CircuitState.RECOVERING
    assert circuit.heard(True, now=2 * SECOND) == RECOVERING
    opened = circuit.heard(False, now=2 * SECOND)
    assert opened == Circuit(THRESHOLD, 7 * SECOND, broken_since=2 * SECOND)


def test_a_host_that_is_recovering_lets_twice_as_many_start_with_each_second():
    gate, starts = a_gate(circuit=RECOVERING), []
    for second in range(1, 7):
        now = second * SECOND
        assert gate.is_strict(now)
        assert room(gate, now=now) == room(gate, now=now + SECOND - 1)
        starts.append(room(gate, now=now))
        gate = gate.started(starts[-1], now)
        assert room(gate, now=now) == 0
        assert gate.look_at(now + 5) == now + SECOND
    assert starts == [1, 2, 4, 8, 16, 32]
    assert not gate.is_strict(11 * SECOND)
    assert room(gate, now=11 * SECOND) == 100, "its share, as before"
    assert gate.started(9, 11 * SECOND) == gate


def test_no_more_tasks_of_a_host_that_is_recovering_run_than_may_start_in_that_second():
    gate = a_gate(circuit=RECOVERING)
    assert [room(gate, running=running, now=4 * SECOND) for running in (0, 3, 7, 8, 9)] == [8, 5, 1, 0, 0]
    assert [gate.lets_grouped(running=running, now=4 * SECOND) for running in (0, 7, 8, 9)] == [8, 1, 0, 0]


def test_limit_and_rate_hold_while_a_host_is_recovering():
    assert room(a_gate(circuit=RECOVERING, max_running=3), now=4 * SECOND) == 3
    assert room(a_gate(circuit=RECOVERING, max_per_second=1), now=4 * SECOND) == 1
    assert room(a_gate(circuit=RECOVERING), free=6, now=9 * SECOND) == 3, "the share of a host"
