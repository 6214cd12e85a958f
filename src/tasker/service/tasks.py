"""What callers can do with tasks."""

from collections.abc import Callable, Sequence

from tasker import explaining
from tasker.building import Asked, build_task
from tasker.callers import Caller, Scope
from tasker.engine.engine import Engine
from tasker.errors import TaskNotFoundError, cut
from tasker.explaining import Finding
from tasker.ids import parse_id
from tasker.interfaces.store import Store
from tasker.interfaces.tasks import Page, TaskFilter
from tasker.model.attempt import AttemptRecord
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.task import Task, TaskId
from tasker.service.repeatable import Answered, RepeatableRequests
from tasker.task_types.registry import Registry
from tasker.wire.fields import readable_end_fields, retry_policy
from tasker.wire.masking import masked


class TaskService:
    """Creates, reads, lists, runs, cancels, retries and deletes tasks. For what all methods raise, see ``Service``.

    Whether secrets (the values of headers, the passwords in URLs) are shown is decided here: a
    single task shows them to a caller with the scope ``secrets:read``, a list to nobody.
    """

    def __init__(self, store: Store, engine: Engine, registry: Registry, repeatable: RepeatableRequests) -> None:
        self._store = store
        self._clock = store.clock
        self._engine = engine
        self._webhooks = registry.webhooks
        self._repeatable = repeatable

    async def create(self, asked: Asked) -> Task:
        """Store a new task and return it. Once this returns, the task survives a kill and a power loss.

        Raises:
            InvalidTaskError: it cannot become a task. ``field`` is the whole path in the request,
                such as ``webhook.url``.
        """
        task = build_task(asked, now=self._clock.now(), webhooks=self._webhooks)
        await self._store.create((task,))
        self._engine.telemetry.created += 1
        self._engine.announce(task.due_at, task.pool, expires_at=task.expires_at)
        return task

    async def create_once(
        self, ask: Callable[[], Asked], answer_to: Callable[[Asked, Task], bytes], *, id_: bytes, fingerprint: bytes
    ) -> Answered:
        """Do as ``create``, unless the answer to this request is kept. Return the answer, old or new.

        Args:
            ask: says what is asked for, if no answer is kept.
            answer_to: says what the answer is, and so what is kept.
            id_: see ``Repeatable``; and so *fingerprint*.

        Raises:
            InvalidTaskError: as for ``create``, and what *ask* raises. No answer is kept.
            IdempotencyKeyReusedError, IdempotencyInFlightError: see ``RepeatableRequests.run``.
        """

        async def make() -> KeptAnswer | bytes:
            asked = ask()
            task = build_task(asked, now=self._clock.now(), webhooks=self._webhooks)
            answer = answer_to(asked, task)
            repeatable = Repeatable(
                id=id_, fingerprint=fingerprint, answer=answer, retention=self._repeatable.retention
            )
            kept = await self._store.create_once((task,), repeatable)
            if kept is not None:
                return kept
            self._engine.telemetry.created += 1
            self._engine.announce(task.due_at, task.pool, expires_at=task.expires_at)
            return answer

        came = await self._repeatable.run(id_, fingerprint, make)
        return Answered(came.answer, is_replay=True) if isinstance(came, KeptAnswer) else Answered(came)

    async def get(self, caller: Caller, task_id: str) -> Task:
        """Return a task, with its secrets if *caller* may see them. *task_id* is a UUID in any spelling.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
        """
        return _shown_to(caller, await self._store.get(_parsed_id(task_id)))

    async def page(self, which: TaskFilter, *, after: str | None, limit: int) -> Page:
        """Return one page of a list, without secrets; see ``Store.list_page``."""
        page = await self._store.list_page(which, after=after, limit=limit)
        return Page([masked(task) for task in page.tasks], page.next)

    async def run(self, caller: Caller, task_id: str) -> tuple[Task, Finding]:
        """Have a task that waits become due now, and return it as it stands then, as ``get`` does, and why.

        Its gate holds it as any other.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
            TaskNotWaitingError: it is not ``todo``.
            TaskExpiredError: its ``expires_at`` has passed.
        """
        id_ = _parsed_id(task_id)
        await self._store.run_now(id_)
        finding = await self._explained(id_)
        task = finding.task
        self._engine.announce(task.due_at, task.pool, expires_at=task.expires_at)
        return _shown_to(caller, task), finding

    async def cancel(self, caller: Caller, task_id: str) -> Task:
        """End a task as ``cancelled``, and return it as it stands then, as ``get`` does.

        One that is running goes on, and ends so with that attempt, unless the attempt succeeds. One
        that is cancelled already stays as it is.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
            TaskEndedError: it is ``done`` or ``failed``.
        """
        id_ = _parsed_id(task_id)
        cancelled = await self._store.cancel(id_)
        if cancelled.is_new:
            self._engine.telemetry.cancelled += 1
        for task in cancelled.followed_by:
            self._engine.announce(task.due_at, task.pool)
        return _shown_to(caller, await self._store.get(id_))

    async def retry(self, caller: Caller, task_id: str) -> Task:
        """Have a failed or cancelled task run again, now, and return it as it stands then, as ``get`` does.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
            TaskNotFailedError: it is neither failed nor cancelled.
            TaskExpiredError: its ``expires_at`` has passed.
        """
        id_ = _parsed_id(task_id)
        await self._store.retry(id_)
        task = await self._store.get(id_)
        self._engine.announce(task.due_at, task.pool, expires_at=task.expires_at)
        return _shown_to(caller, task)

    async def delete(self, task_id: str) -> None:
        """Delete a task for good: it never starts any more.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
            TaskRunningError: it is running.
        """
        await self._store.delete(_parsed_id(task_id))
        self._engine.telemetry.deleted += 1

    async def attempts(self, task_id: str) -> Sequence[AttemptRecord]:
        """Return what is kept of the attempts of a task that have ended, oldest first.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
        """
        return await self._store.attempts(_parsed_id(task_id))

    async def explain(self, task_id: str) -> Finding:
        """Return why a task is where it is, and what comes next.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
        """
        return await self._explained(_parsed_id(task_id))

    async def _explained(self, task_id: TaskId) -> Finding:
        standing = await self._store.standing(task_id)
        return explaining.explain(
            standing,
            now=self._clock.now(),
            max_attempts=retry_policy(readable_end_fields(standing.task.payload)).max_attempts,
            has_free_slot=self._engine.has_slot(standing.task.pool),
        )


def _shown_to(caller: Caller, task: Task) -> Task:
    return task if caller.may(Scope.SECRETS_READ) else masked(task)


def _parsed_id(text: str) -> TaskId:
    try:
        return parse_id(text)
    except ValueError:
        raise TaskNotFoundError(cut(text)) from None
