"""How many tasks of a destination may start, and when one that fails is left alone."""

from hypothesis import given
from hypothesis import strategies as st

from tasker.model.circuit import LONGEST_WAIT, THRESHOLD, Circuit, CircuitState
from tasker.model.gate import Gate, GateKind
from tasker.model.instants import LAST, SECOND

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
