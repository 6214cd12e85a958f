"""What a node knows of a clock that stands elsewhere."""

from hypothesis import given
from hypothesis import strategies as st

from tasker.model.instants import SECOND
from tasker.timing.remote_clock import DRIFT, RemoteClock

EPOCH = 1_800_000_000 * SECOND
ROUNDING = 2
"""Microseconds: seconds are floats."""


class Machine:
    """This machine's clocks, and the clock elsewhere, which drifts against them. Times in microseconds."""

    def __init__(self, *, ahead=0, drift=0.0):
        self._elapsed = 0
        self._ahead = ahead
        self._drift = drift

    def now(self):
        return EPOCH + self._elapsed

    def monotonic(self):
        return self._elapsed / SECOND

    def elsewhere(self):
        return EPOCH + self._ahead + self._elapsed * (1 + self._drift)

    def set_elsewhere(self, by):
        self._ahead += by

    def let_pass(self, microseconds):
        self._elapsed += microseconds

    def ask(self, clock, there, back):
        """Let *clock* have an answer, whose question took *there* and which took *back*."""
        sent = self.monotonic()
        self.let_pass(there)
        moment = int(self.elsewhere())
        self.let_pass(back)
        clock.observe(moment, sent=sent, received=self.monotonic())


ways = st.integers(0, 200_000)
exchanges = st.lists(st.tuples(ways, ways, st.integers(0, 20 * SECOND)), min_size=1, max_size=30)
drifts = st.floats(-DRIFT, DRIFT)
offsets = st.integers(-(10**12), 10**12)


@given(exchanges, drifts, offsets)
def test_it_is_never_ahead_of_the_other_clock_but_by_what_they_drift_apart_after_an_answer(exchanges, drift, ahead):
    machine = Machine(ahead=ahead, drift=drift)
    clock = RemoteClock(machine)
    for there, back, silence in exchanges:
        machine.ask(clock, there, back)
        assert clock.now() <= machine.elsewhere() + ROUNDING
        machine.let_pass(silence)
        assert clock.now() <= machine.elsewhere() + silence * DRIFT + ROUNDING


@given(exchanges, drifts, offsets)
def test_it_is_behind_by_less_than_the_quickest_answer_took_and_the_drift_since(exchanges, drift, ahead):
    machine = Machine(ahead=ahead, drift=drift)
    clock = RemoteClock(machine)
    answers = []
    for number, (there, back, silence) in enumerate(exchanges):
        asked_at = machine.now()
        machine.ask(clock, there, back)
        answers.append((there + back, asked_at, number))
        machine.let_pass(silence)
        behind = machine.elsewhere() - clock.now()
        for took, at, then in answers:
            known_for = machine.now() - at
            assert behind <= took + 2 * DRIFT * known_for + (number - then) * ROUNDING + ROUNDING


@given(exchanges, st.integers(SECOND, 10**12), st.sampled_from([1, -1]), drifts)
def test_a_step_of_the_other_clock_is_followed_at_the_next_answer(exchanges, step, direction, drift):
    machine = Machine(drift=drift)
    clock = RemoteClock(machine)
    for there, back, silence in exchanges:
        machine.ask(clock, there, back)
        machine.let_pass(silence % SECOND)
    machine.set_elsewhere(step * direction)

    machine.ask(clock, 3_000, 2_000)

    assert 0 <= machine.elsewhere() - clock.now() + ROUNDING <= 5_000 + 2 * ROUNDING


def test_a_slow_answer_does_not_spoil_what_a_quick_one_has_told():
    machine = Machine(ahead=-7 * SECOND)
    clock = RemoteClock(machine)
    machine.ask(clock, 100, 100)
    machine.ask(clock, 200_000, 300_000)
    assert 0 <= machine.elsewhere() - clock.now() <= 500


def test_before_the_first_answer_it_agrees_with_this_machine():
    machine = Machine(ahead=3 * SECOND)
    clock = RemoteClock(machine)
    machine.let_pass(1_000)
    assert (clock.now(), clock.ahead) == (machine.now(), 0)


def test_it_says_how_far_the_other_clock_is_ahead_and_keeps_this_machines_monotonic_time():
    machine = Machine(ahead=-90 * SECOND)
    clock = RemoteClock(machine)
    machine.ask(clock, 0, 0)
    machine.let_pass(5 * SECOND)
    assert abs(clock.ahead + 90 * SECOND) <= ROUNDING
    assert clock.monotonic() == machine.monotonic()
