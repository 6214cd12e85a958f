"""Any story with gates: none lets more through than it may, and in the end nothing is left behind them."""

import asyncio
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_stories
from kinds import KINDS
from steps import SECOND, WEBHOOK, another_try, success

from tasker.model.circuit import CircuitState
from tasker.model.gate import Limits
from tasker.model.task import State
from tasker.testing.task_factory import a_task

HOSTS = ["http://a:80", "http://b:80", "http://c:80"]
GROUPS = ["customer", "order"]
places = st.sampled_from(
    [(host, None) for host in [None, *HOSTS]]
    + [(HOSTS[0], GROUPS[0]), (HOSTS[1], GROUPS[0]), (HOSTS[1], GROUPS[1]), (None, GROUPS[1])]
)
"""Where a task goes: its host and its group."""
hosts = st.sampled_from(HOSTS)
gated = st.sampled_from(HOSTS + GROUPS)


class GateStories(RuleBasedStateMachine):
    """A store, and who runs what."""

    def __init__(self, name):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.kind = KINDS[name](self.folder)
        self.loop = asyncio.Runner()
        self.store = self.run(self.kind.open())
        self.clock = self.kind.clock
        self.place_of = {}
        self.running = []
        self.limits, self.rates, self.paused = {}, {}, set()
        self.starts = {name: [] for name in HOSTS + GROUPS}
        """When tasks of each gate have started since its rate was last set."""

    def run(self, what):
        return self.loop.run(what)

    @initialize(places=st.lists(places, min_size=4, max_size=12))
    def begin(self, places):
        self.create(places, 0)
        for place in [(host, None) for host in HOSTS] + [(None, group) for group in GROUPS]:
            self.create([place], 0)

    @rule(places=st.lists(places, min_size=1, max_size=6), microseconds=st.integers(0, 2 * SECOND))
    def create(self, places, microseconds):
        due_at = self.clock.now() + microseconds
        tasks = [a_task(due_at=due_at, host=host, group=group) for host, group in places]
        self.run(self.store.create(tasks))
        self.place_of |= {task.id: place for task, place in zip(tasks, places, strict=True)}

    @rule(seconds=st.sampled_from([0, 0.5, 1, 5, 400]))
    def let_time_pass(self, seconds):
        self.run(self.clock.advance(seconds))

    @rule(free=st.integers(1, 8))
    def claim(self, free):
        before = {name: (self.count(name), self.count_at(name)) for name in HOSTS + GROUPS}
        records = {record.gate.name: record for record in self.run(self.store.gates(after=0, limit=99))}
        claimed = self.run(self.store.claim_due({WEBHOOK: free}))
        self.running += claimed.attempts
        assert len(claimed.attempts) <= free
        for name, (own, at_host) in before.items():
            new, new_at_host = self.count(name) - own, self.count_at(name) - at_host
            circuit = records[name].gate.circuit.state(self.clock.now())
            if name in self.paused or circuit is CircuitState.OPEN:
                assert new == new_at_host == 0, name
            elif circuit is CircuitState.HALF_OPEN:
                assert max(new, new_at_host) <= max(1 - at_host, 0), name
            elif circuit is CircuitState.RECOVERING:
                now, gate = self.clock.now(), records[name].gate
                assert new_at_host <= gate.circuit.recovery_room(let_in=0, running=at_host, now=now), name
                assert new <= gate.circuit.recovery_room(let_in=gate.let_in, running=at_host, now=now), name
            elif name in self.limits:
                assert new <= max(self.limits[name] - own, 0), name
            elif name in HOSTS and name not in self.rates:
                assert new <= max(-(-(free - own) // 2), 0), name
            self.check_rate(name, new)

    def check_rate(self, name, new):
        starts = self.starts[name]
        starts += [self.clock.now()] * new
        if name in self.rates:
            per_second, burst = self.rates[name]
            for first, since in enumerate(starts):
                allowed = per_second * (starts[-1] - since) / SECOND + burst
                assert len(starts) - first <= allowed + (starts[-1] > since), name

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 20), is_alive=st.sampled_from([True, False, False, None]), again=st.booleans())
    def settle(self, which, is_alive, again):
        attempt = self.running.pop(which % len(self.running))
        end = (
            another_try(self.clock, in_seconds=1, is_alive=is_alive)
            if again
            else success(self.clock, is_alive=is_alive)
        )
        self.run(self.store.settle(attempt, end))

    @precondition(lambda self: self.running)
    @rule(host=hosts)
    def fail_much(self, host):
        for _ in range(10):
            for attempt in [attempt for attempt in self.running if self.place_of[attempt.task_id][0] == host][:1]:
                self.running.remove(attempt)
                self.run(self.store.settle(attempt, another_try(self.clock, in_seconds=1, is_alive=False)))
                self.run(self.clock.advance(1))
                self.claim(8)

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 20))
    def give_back(self, which):
        self.run(self.store.give_back(self.running.pop(which % len(self.running))))

    @rule(name=gated, paused=st.booleans())
    def pause(self, name, paused):
        self.run(self.store.pause(self.gate_id(name)) if paused else self.store.resume(self.gate_id(name)))
        (self.paused.add if paused else self.paused.discard)(name)

    @rule(name=gated, most=st.sampled_from([None, 1, 2]))
    def limit(self, name, most):
        self.run(self.store.limit(self.gate_id(name), Limits(max_running=most)))
        self.limits.pop(name, None)
        if most is not None:
            self.limits[name] = most

    @rule(name=gated, per_second=st.sampled_from([None, 0.5, 4]), burst=st.sampled_from([1, 3]))
    def set_rate(self, name, per_second, burst):
        self.run(self.store.limit(self.gate_id(name), Limits(max_per_second=per_second, burst=burst)))
        self.rates.pop(name, None)
        self.starts[name].clear()
        if per_second is not None:
            self.rates[name] = (per_second, burst)

    @rule(which=st.integers(0, 100))
    def delete(self, which):
        idle = sorted(self.place_of.keys() - {attempt.task_id for attempt in self.running})
        if idle:
            task_id = idle[which % len(idle)]
            self.run(self.store.delete(task_id))
            del self.place_of[task_id]

    def gate_id(self, name):
        return next(
            record.gate.id for record in self.run(self.store.gates(after=0, limit=99)) if record.gate.name == name
        )

    def count(self, name):
        """How many of a gate's own tasks are running: of a host, those without a group."""
        places = [self.place_of[attempt.task_id] for attempt in self.running]
        return sum(1 for host, group in places if name == (host if group is None else group))

    def count_at(self, host):
        """How many tasks are running that go to a host."""
        return sum(1 for attempt in self.running if self.place_of[attempt.task_id][0] == host)

    def teardown(self):
        try:
            if self.place_of:
                self.everything_ends()
        finally:
            self.run(self.kind.close())
            self.loop.close()
            shutil.rmtree(self.folder)

    def everything_ends(self):
        for name in HOSTS + GROUPS:
            self.pause(name, False)
            self.set_rate(name, None, 1)
        for _ in range(200):
            for attempt in self.running:
                self.run(self.store.settle(attempt, success(self.clock, is_alive=True)))
            self.running.clear()
            if all(self.run(self.store.get(task_id)).state is State.DONE for task_id in self.place_of):
                break
            self.run(self.clock.advance(5))
            self.running += self.run(self.store.claim_due({WEBHOOK: 8})).attempts
        else:
            raise AssertionError("something is left behind")
        assert [record.held for record in self.run(self.store.gates(after=0, limit=99))] == [0] * 5


@pytest.mark.parametrize("name", KINDS)
def test_no_gate_lets_too_much_through_or_keeps_anything_for_good(name):
    run_stories(
        lambda: GateStories(name),
        settings=settings(
            max_examples=15 if name == "postgres" else 60,
            stateful_step_count=30,
            deadline=None,
            print_blob=True,
            suppress_health_check=[*HealthCheck],
        ),
    )
