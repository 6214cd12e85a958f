"""Three nodes on one PostgreSQL, all of them real processes, with a proxy between each node and the database."""

import contextlib
import itertools
import os
import re
import signal
import time
from pathlib import Path
from urllib.parse import urlsplit

from tasker.model.instants import Instant
from tasker.testing.postgres_server import PostgresServer
from tasker.testing.server import TaskerServer
from tasker.testing.tcp_proxy import TcpProxy
from tasker.timing.clock import SystemClock

NODES = 3
SLOTS = 20
"""Webhooks that a node may have under way."""

HASH_ROUNDS = 1_000

_AUDIT = """
CREATE TABLE witnessed (what text, id uuid, node uuid, at timestamptz DEFAULT clock_timestamp(), about text);
CREATE FUNCTION audit_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO witnessed VALUES (CASE WHEN NEW.state = 2 THEN 'done'
                                     WHEN NEW.pool = 3 THEN 'lease ended' ELSE 'taken back' END, NEW.id, OLD.node);
  RETURN NULL;
END $$;
CREATE FUNCTION audit_pull() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO witnessed (what, id, about)
  VALUES (CASE WHEN NEW.state = 5 THEN 'pulled' ELSE 'let go' END, NEW.id, (SELECT name FROM gate WHERE id = NEW.gate));
  RETURN NULL;
END $$;
CREATE FUNCTION audit_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO witnessed (what, id, about)
  VALUES (CASE WHEN NEW.admission = 1 AND NEW.state IN (0, 1, 5) THEN 'goes on' ELSE 'goes on no longer' END,
          NEW.id, NEW.schedule);
  RETURN NULL;
END $$;
CREATE FUNCTION audit_result() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO witnessed VALUES ('result', NEW.id);
  RETURN NULL;
END $$;
CREATE FUNCTION audit_form() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO witnessed (what, id, about)
  SELECT 'form', NEW.id, coalesce(given->>'body', given->>'secret')
    FROM (SELECT convert_from(NEW.payload, 'UTF8')::json AS given) AS payload;
  RETURN NULL;
END $$;
CREATE FUNCTION audit_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO witnessed (what, id, about)
  VALUES (CASE WHEN NEW.holds_key AND NEW.state < 2 THEN 'holds key' ELSE 'frees key' END, NEW.id, NEW.key);
  RETURN NULL;
END $$;
CREATE TRIGGER audit_task AFTER UPDATE ON task FOR EACH ROW WHEN (NEW.state = 2 OR NEW.crashes > OLD.crashes)
  EXECUTE FUNCTION audit_task();
CREATE TRIGGER audit_pull AFTER UPDATE ON task FOR EACH ROW
  WHEN (NEW.pool = 3 AND (OLD.state = 5) <> (NEW.state = 5)) EXECUTE FUNCTION audit_pull();
CREATE TRIGGER audit_run AFTER UPDATE ON task FOR EACH ROW
  WHEN (NEW.schedule IS NOT NULL AND (coalesce(OLD.admission, 0) = 1 AND OLD.state IN (0, 1, 5))
                                  <> (coalesce(NEW.admission, 0) = 1 AND NEW.state IN (0, 1, 5)))
  EXECUTE FUNCTION audit_run();
CREATE TRIGGER audit_result AFTER UPDATE ON payload FOR EACH ROW WHEN (NEW.result IS NOT NULL)
  EXECUTE FUNCTION audit_result();
CREATE TRIGGER audit_form AFTER INSERT OR UPDATE OF payload ON payload FOR EACH ROW EXECUTE FUNCTION audit_form();
CREATE TRIGGER audit_new_key AFTER INSERT ON task FOR EACH ROW WHEN (NEW.key IS NOT NULL)
  EXECUTE FUNCTION audit_key();
CREATE TRIGGER audit_key AFTER UPDATE ON task FOR EACH ROW
  WHEN (NEW.key IS NOT NULL AND (OLD.holds_key AND OLD.state < 2) <> (NEW.holds_key AND NEW.state < 2))
  EXECUTE FUNCTION audit_key();
"""
"""The database itself counts: every write that makes or leaves a task done, every result, every
task taken from a node, every text that a task is given, when a task takes a key and sets it free, when
a run of a schedule begins to go on and ends, and when a worker is given a job and has it no longer.
What waits for another to set a key free, to end or to be let go is written, and so counted, after that
one."""


class Node:
    """A node, and the proxies between it and each server that the database may be on."""

    def __init__(self, server: TaskerServer, proxies: list[TcpProxy]):
        self.server = server
        self.proxies = proxies
        self.is_away = False
        """Whether it is suspended, or frozen."""
        self.id = next(each["id"] for each in server.call("GET", "/nodes") if each["address"] == server.url)

    def suspend(self):
        """Let none of its processes run until ``resume``."""
        self.is_away = True
        self._signal(signal.SIGSTOP)

    def resume(self):
        self._signal(signal.SIGCONT)
        self.is_away = False

    def freeze(self):
        """Let no byte pass between it and the database until ``thaw``."""
        self.is_away = True
        for proxy in self.proxies:
            proxy.freeze()

    def thaw(self):
        for proxy in self.proxies:
            proxy.thaw()
        self.is_away = False

    def _signal(self, number):
        pid = self.server.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for each in [pid, *map(int, children)]:
            os.kill(each, number)


class Cluster:
    """Use it as a context manager. Everything is ended when it is left.

    *with_replica*: a second server follows the database, and no commit is reported before it has
    it, too.
    """

    def __init__(self, folder: Path, *, with_replica: bool = False):
        self.nodes: list[Node] = []
        """The node in each place; when one dies, another takes its place."""
        self.logs: list[Path] = []
        """Of all nodes that there have been."""
        self.database: PostgresServer
        self._replica: PostgresServer
        self._replication: TcpProxy
        self._turns = itertools.count()
        self._front = TcpProxy(self._next_port)
        self._folder = folder
        self._with_replica = with_replica
        self._proxies: list[list[TcpProxy]] = []
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> "Cluster":
        with self._closing as closing:
            self.database = closing.enter_context(PostgresServer(fsync="on", wal_retrieve_retry_interval="200ms"))
            servers = 2 if self._with_replica else 1
            for _ in range(NODES):
                self._proxies.append([closing.enter_context(TcpProxy(self.database.port)) for _ in range(servers)])
            if self._with_replica:
                self.add_replica()
            closing.callback(self._kill_nodes)
            closing.enter_context(self._front)
            for place in range(NODES):
                self.nodes.append(self._new_node(place))
            self.database.execute(_AUDIT)
            self._closing = closing.pop_all()
        return self

    def __exit__(self, *error):
        self._closing.__exit__(*error)

    @property
    def public_url(self) -> str:
        """Where whoever does not know the nodes calls them: one after the other, but for those that are away."""
        return f"http://127.0.0.1:{self._front.port}"

    def replace(self, node: Node) -> Node:
        """Start another node in the place of one that is dead."""
        place = self.nodes.index(node)
        self.nodes[place] = self._new_node(place)
        return self.nodes[place]

    def cut_off_replica(self):
        """Let nothing reach the replica any more, until ``fail_over``."""
        self._replication.freeze()

    def fail_over(self):
        """Kill the database's server and promote its replica. Returns once that can be written."""
        self.database.kill()
        self._replication.cut()  # with what is still on its way
        self._replica.promote()
        self.database = self._replica
        self.database.set("synchronous_standby_names", "")

    def add_replica(self):
        """Let a new replica follow the database.

        Returns once no commit is reported any more before the replica has it.
        """
        self._replication = self._closing.enter_context(TcpProxy(self.database.port))
        self._replica = self._closing.enter_context(self.database.replica(through=self._replication.port))
        for one, other in self._proxies:
            free = other if one.target_port == self.database.port else one
            free.target_port = self._replica.port
        self.database.set("synchronous_standby_names", "replica")
        is_followed = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
        wait_until(lambda: self.query(is_followed) == [["1"]], "the replica follows")

    def query(self, sql: str) -> list[list[str]]:
        """Return the rows of *sql*, each value as text."""
        return [line.split("|") for line in self.database.execute(sql).splitlines()]

    def running(self, node: Node) -> int:
        """How many tasks the database says are running on *node*, dead or alive."""
        return int(self.query(f"SELECT count(*) FROM task WHERE state = 1 AND node = '{node.id}'")[0][0])

    def wait_until_recovered(self, node: Node):
        """Return once nothing is left running on a node that is gone."""
        wait_until(lambda: self.running(node) == 0, "its tasks were taken back", seconds=60)

    def wait_until_all_is_done(self):
        """Return once no task waits or runs any more."""
        left = "SELECT count(*) FROM task WHERE state IN (0, 1, 5)"
        wait_until(lambda: self.query(left) == [["0"]], "all ended", seconds=120)

    def stop(self) -> list[int]:
        """Stop all nodes, and return their exit statuses."""
        return [node.server.stop() for node in self.nodes]

    def complaints(self) -> list[str]:
        """What the nodes' logs say of exceptions."""
        lines = [line for log in self.logs for line in log.read_text().splitlines()]
        return [line for line in lines if re.search("exception|traceback", line, re.IGNORECASE)]

    def _new_node(self, place: int) -> Node:
        folder = self._folder / f"node-{len(self.logs)}"
        folder.mkdir()
        proxies = self._proxies[place]
        hosts = ",".join(f"127.0.0.1:{proxy.port}" for proxy in proxies)
        options = ("--database-url", f"postgresql://postgres@{hosts}/postgres")
        rounds = ("--pbkdf2-iterations", str(HASH_ROUNDS))
        public = ("--public-url", self.public_url)
        server = TaskerServer(folder, *options, *rounds, *public, "--max-deliveries", str(SLOTS))
        self.logs.append(server.log)
        self._closing.callback(server.kill)
        return Node(server.start(), proxies)

    def _next_port(self) -> int:
        there = [node for node in self.nodes if not node.is_away]
        return urlsplit(there[next(self._turns) % len(there)].server.url).port

    def _kill_nodes(self):
        for node in self.nodes:
            node.server.kill()


def now() -> Instant:
    """The machine's clock: nodes, database and receiver share it."""
    return SystemClock().now()


def wait_until(is_so, what: str, *, seconds: float = 30):
    """Return once *is_so* says so.

    Raises:
        TimeoutError: it did not within *seconds*.
    """
    limit = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > limit:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.1)
