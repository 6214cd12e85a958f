"""What happens to a cluster, each fault as a step that returns when it is over."""

import contextlib
import random
import time
from dataclasses import dataclass

from task_load import TaskLoad

from cluster import NODES, SLOTS, Cluster, Node, now, wait_until
from tasker.model.instants import Instant


@dataclass(frozen=True)
class Fault:
    """Something that happened."""

    name: str
    began: Instant
    ended: Instant
    node: str | None
    """The id of the node whose tasks the others took over; None: there was none."""
    most_repeats: int
    """How many deliveries may have to be made again."""
    is_of_database: bool
    places: frozenset[int]
    """Of the nodes that were neither suspended nor frozen when it ended."""


class Faults:
    """Each method is a fault. ``happened`` tells which there have been."""

    def __init__(self, cluster: Cluster, load: TaskLoad, rand: random.Random):
        self.happened: list[Fault] = []
        self._cluster = cluster
        self._load = load
        self._rand = rand

    def kill_node(self):
        """kill -9 a node that is running something, and start another."""
        node = self._some_node()
        self._wait_until_busy(node)
        with self._happening("kill -9 of a node, another started", node=node):
            node.server.kill()
        self._cluster.replace(node)

    def stop_node(self):
        """Tell a node to stop, as an upgrade does, and start another."""
        node = self._some_node()
        self._wait_until_busy(node)
        with self._happening("SIGTERM to a node, another started"):
            assert node.server.stop(timeout_seconds=60) == 0  # more than what it waits for at most
        self._cluster.replace(node)

    @contextlib.contextmanager
    def suspended_node(self):
        """Let a node stand still while the block runs, and longer than its lease.

        It goes on once the others have taken its tasks.
        """
        node = self._some_node()
        self._wait_until_busy(node)
        with self._happening("SIGSTOP of a node beyond its lease, SIGCONT", node=node):
            node.suspend()
            try:
                yield
                self._cluster.wait_until_recovered(node)
            finally:
                node.resume()

    def cut_connections(self):
        """Reset every connection to the database."""
        with self._happening("all connections cut"):
            for node in self._cluster.nodes:
                for proxy in node.proxies:
                    proxy.cut()

    def freeze_connections(self, seconds: float):
        """Let no byte pass between a node and the database for so long; every connection stays open."""
        node = self._some_node()
        with self._happening(f"connections of a node frozen for {seconds:g} s"), _frozen(node):
            time.sleep(seconds)

    @contextlib.contextmanager
    def isolated_node(self):
        """Freeze a node's connections while the block runs, and beyond its lease.

        The others take its tasks, and it runs on.
        """
        node = self._some_node()
        self._wait_until_busy(node)
        with self._happening("connections of a node frozen beyond its lease", node=node), _frozen(node):
            yield
            self._cluster.wait_until_recovered(node)

    def restart_database(self):
        """Stop PostgreSQL in its own manner and start it."""
        with self._happening("PostgreSQL restarted", is_of_database=True):
            self._cluster.database.restart()

    def kill_database(self):
        """kill -9 PostgreSQL and start it."""
        with self._happening("kill -9 of PostgreSQL", most_repeats=NODES * SLOTS, is_of_database=True):
            self._cluster.database.kill()
            self._cluster.database.start()

    def fail_over(self):
        """kill -9 PostgreSQL and promote its replica."""
        with self._happening(
            "kill -9 of PostgreSQL, its replica promoted", most_repeats=NODES * SLOTS, is_of_database=True
        ):
            self._cluster.fail_over()
        self._cluster.add_replica()

    def fail_over_to_a_replica_that_lags(self):
        """The same after nothing has reached the replica for longer than a statement may take.

        What it lacks is gone.
        """
        name = "kill -9 of PostgreSQL, its replica promoted that had been cut off for 7 s"
        with self._happening(name, most_repeats=NODES * SLOTS, is_of_database=True):
            self._cluster.cut_off_replica()
            time.sleep(7)
            self._cluster.fail_over()
        self._cluster.add_replica()

    def wait_until_all_accept(self):
        """Return once every node that can has accepted a task again."""
        self._load.wait_until_accepted_by(self._places())

    def _places(self) -> frozenset[int]:
        return frozenset(place for place, node in enumerate(self._cluster.nodes) if not node.is_away)

    def _some_node(self) -> Node:
        return self._rand.choice([node for node in self._cluster.nodes if not node.is_away])

    def _wait_until_busy(self, node: Node):
        wait_until(lambda: self._cluster.running(node) > 0, "a node runs something")

    @contextlib.contextmanager
    def _happening(self, name: str, *, node: Node | None = None, most_repeats: int = 0, is_of_database: bool = False):
        began = now()
        yield
        most_repeats = SLOTS if node is not None else most_repeats
        self.happened.append(Fault(name, began, now(), node and node.id, most_repeats, is_of_database, self._places()))


@contextlib.contextmanager
def _frozen(node: Node):
    node.freeze()
    try:
        yield
    finally:
        node.thaw()
