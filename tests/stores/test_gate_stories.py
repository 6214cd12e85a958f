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

HOSTS = [None, "http://a:80", "http://b:80", "http://c:80"]
hosts = st.sampled_from(HOSTS)
gated = st.sampled_from(HOSTS[1:])


class GateStories(RuleBasedStateMachine):
    """A store, and who runs what."""

    def __init__(self, name):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.kind = KINDS[name](self.folder)
        self.loop = asyncio.Runner()
        self.store = self.run(self.kind.open())
        self.clock = self.kind.clock
        self.host_of = {}
        self.running = []
        self.limits, self.paused = {}, set()

    def run(self, what):
        return self.loop.run(what)

    @initialize(hosts=st.lists(hosts, min_size=4, max_size=12))
    def begin(self, hosts):
        self.create(hosts, 0)
        for host in HOSTS[1:]:
            self.create([host], 0)

    @rule(hosts=st.lists(hosts, min_size=1, max_size=6), microseconds=st.integers(0, 2 * SECOND))
    def create(self, hosts, microseconds):
        tasks = [a_task(due_at=self.clock.now() + microseconds, host=host) for host in hosts]
        self.run(self.store.create(tasks))
        self.host_of |= {task.id: host for task, host in zip(tasks, hosts, strict=True)}

    @rule(seconds=st.sampled_from([0, 0.5, 1, 5, 400]))
    def let_time_pass(self, seconds):
        self.run(self.clock.advance(seconds))

    @rule(free=st.integers(1, 8))
    def claim(self, free):
        before = {host: self.count(host) for host in HOSTS}
        records = {record.gate.name: record for record in self.run(self.store.gates(after=0, limit=99))}
        claimed = self.run(self.store.claim_due({WEBHOOK: free}))
        self.running += claimed.attempts
        assert len(claimed.attempts) <= free
        for host in HOSTS[1:]:
            new = self.count(host) - before[host]
            circuit = records[host].gate.circuit.state(self.clock.now())
            if host in self.paused or circuit is CircuitState.OPEN:
                assert new == 0, host
            elif circuit is CircuitState.HALF_OPEN:
                assert new <= max(1 - before[host], 0), host
            elif circuit is CircuitState.RECOVERING and new:
                gate, now = records[host].gate, self.clock.now()
                assert new <= gate.circuit.recovery_room(let_in=gate.let_in, running=before[host], now=now), host
            elif host in self.limits:
                assert new <= max(self.limits[host] - before[host], 0), host
            else:
                assert new <= max(-(-(free - before[host]) // 2), 0), host

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
    @rule(host=gated)
    def fail_much(self, host):
        for _ in range(10):
            for attempt in [attempt for attempt in self.running if self.host_of[attempt.task_id] == host][:1]:
                self.running.remove(attempt)
                self.run(self.store.settle(attempt, another_try(self.clock, in_seconds=1, is_alive=False)))
                self.run(self.clock.advance(1))
                self.claim(8)

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 20))
    def give_back(self, which):
        self.run(self.store.give_back(self.running.pop(which % len(self.running))))

    @rule(host=gated, paused=st.booleans())
    def pause(self, host, paused):
        self.run(self.store.pause(self.gate_id(host)) if paused else self.store.resume(self.gate_id(host)))
        (self.paused.add if paused else self.paused.discard)(host)

    @rule(host=gated, most=st.sampled_from([None, 1, 2]))
    def limit(self, host, most):
        self.run(self.store.limit(self.gate_id(host), Limits(max_running=most)))
        self.limits.pop(host, None)
        if most is not None:
            self.limits[host] = most

    @rule(which=st.integers(0, 100))
    def delete(self, which):
        idle = sorted(self.host_of.keys() - {attempt.task_id for attempt in self.running})
        if idle:
            task_id = idle[which % len(idle)]
            self.run(self.store.delete(task_id))
            del self.host_of[task_id]

    def gate_id(self, host):
        return next(
            record.gate.id for record in self.run(self.store.gates(after=0, limit=99)) if record.gate.name == host
        )

    def count(self, host):
        return sum(1 for attempt in self.running if self.host_of[attempt.task_id] == host)

    def teardown(self):
        try:
            if self.host_of:
                self.everything_ends()
        finally:
            self.run(self.kind.close())
            self.loop.close()
            shutil.rmtree(self.folder)

    def everything_ends(self):
        for host in HOSTS[1:]:
            self.pause(host, False)
        for _ in range(200):
            for attempt in self.running:
                self.run(self.store.settle(attempt, success(self.clock, is_alive=True)))
            self.running.clear()
            if all(self.run(self.store.get(task_id)).state is State.DONE for task_id in self.host_of):
                break
            self.run(self.clock.advance(5))
            self.running += self.run(self.store.claim_due({WEBHOOK: 8})).attempts
        else:
            raise AssertionError("something is left behind")
        assert [record.held for record in self.run(self.store.gates(after=0, limit=99))] == [0] * 3


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
