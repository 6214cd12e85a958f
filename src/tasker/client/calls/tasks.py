"""Create, read, find, change, run, cancel, retry, duplicate, delete and explain tasks."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from tasker import ids
from tasker.client import answers, words
from tasker.client.answers import Task
from tasker.client.core import Answer, Page, Request, encode, error_of, nothing, path, reading, shape
from tasker.client.decoding import decoder
from tasker.client.errors import ApiError, UnexpectedAnswer
from tasker.wire.attempts import AttemptView
from tasker.wire.audit import HistoryView
from tasker.wire.explanations import Explanation
from tasker.wire.server import Problem, Refusal
from tasker.wire.tasks import AtLeast, Created, CreatedInBatch, CreatedTasks

Where = tuple[str, ...]
"""The parts of the path of a task: by its id or its key."""

LONGEST_WAIT: Final = 30.0
"""Seconds for which one request waits for the end of a task. The server allows 60; proxies like less."""

MOST_IN_BATCH: Final = 10_000

_LONGEST_BATCH: Final = 8 * 1024 * 1024
"""Bytes of a chunk of several tasks. The server takes twice as much."""

_IDEMPOTENCY_KEY: Final = "Idempotency-Key"
_NOT_FOUND: Final = "task_not_found"

_read_created: Final = decoder(Created)
_read_batch: Final = decoder(CreatedTasks)
_read_attempts: Final = shape(list[AttemptView])
_read_history: Final = shape(HistoryView)
_read_explanation: Final = shape(Explanation)


def by_id(task_id: UUID | str) -> Where:
    """Return where the task with an id is."""
    return ("tasks", str(task_id))


def by_key(key: str) -> Where:
    """Return where the task with a key is."""
    return ("tasks", "key", key)


_latest = 0


def new_id() -> str:
    """Return an id for a new task: of version 7, of the time now. It sorts after those before of this process.

    That is exact unless several threads ask at the same moment.
    """
    global _latest  # noqa: PLW0603 - one line of ids for all clients of the process
    _latest = max(time.time_ns() // 1_000, _latest + 1)
    return ids.new_id(_latest)


def create(type_: str, fields: Mapping[str, Any], options: Mapping[str, Any]) -> Request[Created]:
    """Create a task."""
    given = dict(options)
    idempotency_key = given.pop("idempotency_key", None)
    members = {**fields, **words.members(given)}
    # With an Idempotency-Key, the request has to be the same whenever it is made: it gets no id of this moment.
    is_fresh = "id" not in members and idempotency_key is None
    if is_fresh:
        members["id"] = new_id()
    task_id = members.get("id")

    def read(answer: Answer) -> Created:
        created = reading(answer, _read_created)
        if is_fresh and created.outcome == "kept" and created.id == task_id:
            # Nobody else knows the id: an earlier try, whose answer was lost, has created it. What is kept or
            # replaced because of its key has the id of another.
            return msgspec.structs.replace(created, outcome="created")
        return created

    return Request(
        method="POST",
        path="/tasks/new",
        content=encode({type_: members}),
        headers=None if idempotency_key is None else {_IDEMPOTENCY_KEY: idempotency_key},
        read=read,
        is_repeatable=True,
    )


class Chunk(NamedTuple):
    """Some of many new tasks."""

    request: Request[list[CreatedInBatch]]
    start: int
    """How many come before them."""
    length: int

    def placed(self, error: ApiError) -> ApiError:
        """Return the refusal of these tasks as one of all of them: with their places among all."""
        if not self.start or not error.refusals:
            return error
        refusals: list[Refusal] = [
            msgspec.structs.replace(each, index=each.index + self.start) for each in error.refusals
        ]
        first = refusals[0]
        msg = (
            f"task {first.index}: {first.msg}; {len(refusals)} of the tasks {self.start} to "
            f"{self.start + self.length - 1} are refused, and none of these is stored; those before are"
        )
        problem: Problem = msgspec.structs.replace(error.problem, refusals=refusals, msg=msg, detail=msg)
        return error_of(problem, error.retry_after)


def chunks(items: Iterable[Mapping[str, Any]], size: int) -> Iterator[Chunk]:
    """Return the requests that create *items*, up to *size* each, and fewer if these are long.

    Raises:
        ValueError: *size* is none that the server takes.
    """
    if not 1 <= size <= MOST_IN_BATCH:
        raise ValueError(f"chunk: expected 1 to {MOST_IN_BATCH} tasks, got: {size}")
    start, length, bodies = 0, 0, list[bytes]()
    for place, item in enumerate(items):
        body = _new(item, place)
        if bodies and length + len(body) > _LONGEST_BATCH:
            yield Chunk(_batch(bodies), start, len(bodies))
            start, length, bodies = place, 0, []
        bodies.append(body)
        length += len(body) + 1
        if len(bodies) == size:
            yield Chunk(_batch(bodies), start, size)
            start, length, bodies = place + 1, 0, []
    if bodies:
        yield Chunk(_batch(bodies), start, len(bodies))


def _batch(bodies: Sequence[bytes]) -> Request[list[CreatedInBatch]]:
    count = len(bodies)

    def read(answer: Answer) -> list[CreatedInBatch]:
        made = reading(answer, _read_batch).tasks
        if len(made) != count:
            raise UnexpectedAnswer(answer.status, f"it tells of {len(made)} tasks in place of {count}")
        return made

    return Request(
        method="POST", path="/tasks/batch", content=b"[%b]" % b",".join(bodies), read=read, is_repeatable=True
    )


def _new(item: Mapping[str, Any], place: int) -> bytes:
    """Return one of many tasks as the API takes it, with an id."""
    try:
        type_, members = words.named(item)
        members.setdefault("id", new_id())
        return encode({type_: members})
    except (ValueError, TypeError) as error:
        error.add_note(f"task {place} of those that were to be created")
        raise


def get(where: Where, wait: float | None = None) -> Request[Task]:
    """Read a task, now or once it has ended."""
    query = [] if wait is None else [("wait", f"{wait:.3f}")]
    return Request(
        method="GET",
        path=path(*where, query=query),
        read=answers.task,
        is_repeatable=True,
        waits=wait or 0.0,
    )


def find(
    filters: Mapping[str, Any], *, sort: str | None, fields: str | None, limit: int, cursor: str | None
) -> Request[Page[Task]]:
    """Find tasks: a page of them."""
    query = words.query({**filters, "sort": sort, "fields": fields, "limit": limit, "cursor": cursor})
    return Request(method="GET", path=path("tasks", query=query), read=answers.page, is_repeatable=True)


def count(filters: Mapping[str, Any]) -> Request[int | AtLeast]:
    """Count tasks."""
    query = words.query({**filters, "fields": "summary", "limit": 1, "count": "capped"})
    return Request(method="GET", path=path("tasks", query=query), read=answers.count, is_repeatable=True)


def change(
    where: Where, type_: str, fields: Mapping[str, Any], changes: Mapping[str, Any], if_match: str | None
) -> Request[Task]:
    """Change a task: what is not named stays."""
    members = {**fields, **words.members(changes, with_none=True)}
    return Request(
        method="PATCH",
        path=path(*where),
        content=encode({type_: members}),
        headers=None if if_match is None else {"If-Match": if_match},
        read=answers.task,
        is_repeatable=if_match is None and _is_by_id(where),
    )


def delete(where: Where) -> Request[None]:
    """Delete a task."""
    return Request(
        method="DELETE",
        path=path(*where),
        read=nothing,
        is_repeatable=_is_by_id(where),
        repeated={_NOT_FOUND: lambda: None},
    )


def run(where: Where) -> Request[Task | Explanation]:
    """Have a task run now."""

    def read(answer: Answer) -> Task | Explanation:
        return _read_explanation(answer) if answer.status == 202 else answers.task(answer)

    return _move(where, "run", read, is_repeatable=False)


def cancel(where: Where) -> Request[Task]:
    """Cancel a task."""
    return _move(where, "cancel", answers.task, is_repeatable=_is_by_id(where))


def retry(where: Where) -> Request[Task]:
    """Have a failed or cancelled task run again."""
    return _move(where, "retry", answers.task, is_repeatable=False)


def duplicate(where: Where, options: Mapping[str, Any]) -> Request[Created]:
    """Create another task like this one."""
    given = dict(options)
    key = given.pop("idempotency_key", None)
    return Request(
        method="POST",
        path=path(*where, "duplicate"),
        content=encode(words.members(given)),
        headers=None if key is None else {_IDEMPOTENCY_KEY: key},
        read=lambda answer: reading(answer, _read_created),
        is_repeatable=key is not None,
    )


def attempts(where: Where) -> Request[list[AttemptView]]:
    """List the latest attempts of a task."""
    return Request(method="GET", path=path(*where, "attempts"), read=_read_attempts, is_repeatable=True)


def explain(where: Where) -> Request[Explanation]:
    """Say why a task is where it is."""
    return Request(method="GET", path=path(*where, "explain"), read=_read_explanation, is_repeatable=True)


def history(where: Where) -> Request[HistoryView]:
    """Say what happened to a task."""
    return Request(method="GET", path=path(*where, "history"), read=_read_history, is_repeatable=True)


def _is_by_id(where: Where) -> bool:
    """Return whether a call means the same task if it is made again: a key may have gone to another in between."""
    return len(where) == 2


def _move(where: Where, name: str, read: Any, *, is_repeatable: bool) -> Request[Any]:
    return Request(method="POST", path=path(*where, name), read=read, is_repeatable=is_repeatable)
