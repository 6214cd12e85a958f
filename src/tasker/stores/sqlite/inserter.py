"""Stores new tasks, and what they name: the gates of their destinations, and the pairs of type and pool."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from tasker.ids import new_id
from tasker.interfaces.queue import Follow
from tasker.model.ending import Ending
from tasker.model.gate import Destination, GateKind
from tasker.model.instants import Instant
from tasker.model.task import PULLED, Pool, Task, TaskId
from tasker.stores.sqlite.connection import ROWS_AT_ONCE, Queries, Value
from tasker.stores.sqlite.rows import id_bytes

_CREATED_AT: Final = 11
"""The place of this column in a row."""

_KNOWN_LIMIT: Final = 10_000


class Rows(NamedTuple):
    """Rows of the table of tasks, as many as one INSERT takes."""

    values: list[Value]
    """One after the other."""
    tags: list[Value]
    """Of the table of tags: the number of a task and a tag, again and again."""
    tasks: int
    """How many tasks these are."""


class Inserter:
    """Inserts, and remembers what stands in the database, so that a task of a known destination costs nothing more."""

    def __init__(self, queries: Queries, follow: Follow, now: Callable[[], Instant]) -> None:
        self._queries = queries
        self._now = now
        self._follow = follow
        self._last_seq = queries.number("last_seq") or 0
        self._gates: dict[Destination | None, int] = {}
        self._type_pools: set[tuple[str, Pool]] = set()

    def insert(self, tasks: Sequence[Task]) -> None:
        """Store new tasks. Breaks a constraint if the id of one is stored, or is that of another."""
        for start in range(0, len(tasks), ROWS_AT_ONCE):
            part = tasks[start : start + ROWS_AT_ONCE]
            seqs = self.take_seqs(len(part))
            self.insert_tasks(seqs, part)
            self.insert_payloads(seqs, [task.payload for task in part])

    def take_seqs(self, count: int) -> range:
        """Return the numbers of so many tasks to come, in their order."""
        first = self._last_seq + 1
        self._last_seq += count
        return range(first, first + count)

    def insert_payloads(self, seqs: Sequence[int], payloads: Sequence[bytes]) -> None:
        """Store the payloads of tasks."""
        for start in range(0, len(seqs), ROWS_AT_ONCE):
            some = seqs[start : start + ROWS_AT_ONCE]
            values: list[Value] = []
            for row in zip(some, payloads[start : start + ROWS_AT_ONCE], strict=True):
                values += row
            self._queries.with_rows("create_payloads", len(some), values)

    def insert_tasks(self, seqs: Sequence[int], tasks: Sequence[Task]) -> None:
        """Store tasks without their payloads. Breaks a constraint as ``insert`` does."""
        self.insert_rows(self.rows(seqs, tasks))

    def rows(self, seqs: Sequence[int], tasks: Sequence[Task]) -> Sequence[Rows]:
        """Return what ``insert_rows`` is to store of tasks, and store what they name."""
        made = []
        for start in range(0, len(tasks), ROWS_AT_ONCE):
            part = tasks[start : start + ROWS_AT_ONCE]
            are_plain = all(map(_is_plain, part))
            self._learn_type_pools({(task.type, task.pool) for task in part})
            gates = self._gates
            values: list[Value] = []
            tags: list[Value] = []
            for seq, task in zip(seqs[start : start + ROWS_AT_ONCE], part, strict=True):
                values += (
                    seq,
                    id_bytes(task.id),
                    task.type,
                    task.state,
                    task.pool,
                    task.due_at,
                    task.execution_at,
                    task.execution_time,
                    gates.get(task.destination) or self.gate_of(task.destination),
                    task.patience,
                    task.created_by,
                    None,  # created_at
                )
                if not are_plain:
                    values += (
                        task.expires_at,
                        None if task.parent_id is None else id_bytes(task.parent_id),
                        task.key,
                        task.holds_key,
                        task.content,
                        task.keep,
                        self.gate_of(task.host),
                        task.schedule,
                        task.scheduled_for,
                        task.run_kind,
                        task.local_time,
                        task.time_zone,
                        task.zones,
                        self.gate_of(task.destination) if task.pool == PULLED else None,  # held_by
                    )
                for tag in task.tags:
                    tags += (seq, tag)
            made.append(Rows(values, tags, len(part)))
        return made

    def insert_rows(self, parts: Sequence[Rows]) -> None:
        """Store tasks without their payloads, created now. Breaks a constraint as ``insert`` does."""
        now = self._now()
        for values, tags, tasks in parts:
            width = len(values) // tasks
            values[_CREATED_AT::width] = [now] * tasks
            self._queries.with_rows("create_tasks", tasks, values)
            for first in range(0, len(tags), 2 * ROWS_AT_ONCE):
                some = tags[first : first + 2 * ROWS_AT_ONCE]
                self._queries.with_rows("create_tags", len(some) // 2, some)

    def replace(self, seq: int, task: Task) -> None:
        """Have the task of a number, which is ``todo``, become *task*."""
        self._learn_type_pools({(task.type, task.pool)})
        revision = self._queries.number(
            "replace",
            seq=seq,
            due_at=task.due_at,
            execution_at=task.execution_at,
            execution_time=task.execution_time,
            local_time=task.local_time,
            time_zone=task.time_zone,
            zones=task.zones,
            gate=self.gate_of(task.destination),
            host_gate=self.gate_of(task.host),
            expires_at=task.expires_at,
            keep=task.keep,
            patience=task.patience,
            created_by=task.created_by,
        )
        self._queries.all("replace_payload", seq=seq, payload=task.payload, revision=revision)
        self.replace_tags(seq, task)

    def replace_tags(self, seq: int, task: Task) -> None:
        """Have the task of a number have the tags of *task* alone."""
        self._queries.all("delete_tags", seq=seq)
        for tag in task.tags:
            self._queries.with_rows("create_tags", 1, (seq, tag))

    def insert_what_follows(self, ending: Ending, now: Instant) -> Sequence[Task]:
        """Store the tasks that follow the end of another, and return them."""
        tasks = self._follow(ending, now=now, new_id=new_id)
        self.insert(tasks)
        return tasks

    def existing(self, tasks: Sequence[Task]) -> TaskId:
        """Return the id of the first of *tasks* that is stored, or has the id of one before it. There is one."""
        seen: set[TaskId] = set()
        for task in tasks:
            if task.id in seen or self._queries.number("state", id=id_bytes(task.id)) is not None:
                return task.id
            seen.add(task.id)
        raise AssertionError("only ids are constrained")

    def forget(self) -> None:
        """Remember nothing: some of it may have been written by what is undone."""
        self._gates.clear()
        self._type_pools.clear()

    def _learn_type_pools(self, pairs: set[tuple[str, Pool]]) -> None:
        for type_, pool in pairs - self._type_pools:
            self._queries.all("insert_type_pool", type=type_, pool=pool)
            self._type_pools.add((type_, pool))

    def gate_of(self, destination: Destination | None) -> int | None:
        """Return the gate of *destination*, made if it is missing; None for none."""
        return None if destination is None else self.make_gate(destination)

    def make_gate(self, destination: Destination) -> int:
        """Return the gate of *destination*, made if it is missing."""
        known = self._gates.get(destination)
        if known is None:
            if len(self._gates) >= _KNOWN_LIMIT:
                self._gates.clear()
            self._queries.all("insert_gate", kind=destination.kind, name=destination.name)
            known = self._queries.number("gate_id", kind=destination.kind, name=destination.name)
            assert known is not None  # noqa: S101 - it was made just now
            if destination.kind is GateKind.QUEUE:  # no claim looks at it: it says where what it holds is found
                self._queries.all("open_gate_queue", gate=known, pool=PULLED, wake_at=0)
            self._gates[destination] = known
        return known


def _is_plain(task: Task) -> bool:
    """Whether a new task has nothing that most have not."""
    return (
        task.key is None
        and task.host is None
        and task.keep is None
        and task.expires_at is None
        and task.parent_id is None
        and task.content is None
        and task.schedule is None
        and task.local_time is None
        and task.pool != PULLED
    )
