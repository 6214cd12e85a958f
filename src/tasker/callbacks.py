"""What follows the end of a task: a webhook that tells of it, if the task asked for one.

Pure: the stores call ``follow`` inside the transaction that writes the end, so that no callback is
lost or made in vain.
"""

from collections.abc import Callable, Sequence
from typing import assert_never

import msgspec
from msgspec import UNSET, Raw, UnsetType

from tasker.model import instants
from tasker.model.ending import Ending
from tasker.model.gate import Destination, GateKind
from tasker.model.instants import Instant
from tasker.model.task import Pool, State, Task, TaskId
from tasker.urls import origin
from tasker.wire.fields import Callback, CallbackFields, TaskFields, WebhookFields, patience, readable_end_fields
from tasker.wire.tasks import CallbackSummary


def may_be_followed(payload: bytes) -> bool:
    """Return whether anything may follow the end of a task with this *payload*.

    A quick look, which is wrong now and then: True for a body that happens to contain ``"on_``.
    """
    return b'"on_' in payload


class Callbacks:
    """Makes callbacks: webhooks with ids, attempts and retry policies of their own. Nothing follows their ends."""

    def __init__(self, *, type_: str, pool: Pool) -> None:
        """Make it.

        Args:
            type_: the name of the task type that sends webhooks.
            pool: the pool that its tasks wait in.
        """
        self._type = type_
        self._pool = pool

    def follow(self, ending: Ending, *, now: Instant, new_id: Callable[[Instant], TaskId]) -> Sequence[Task]:
        """Return the tasks that follow *ending*, due at *now*: one, or none if the task did not ask for it.

        Nothing follows a task whose payload can no longer be read: an end must not fail because of
        it.
        """
        if not may_be_followed(ending.payload):
            return ()
        asked = readable_end_fields(ending.payload)
        callback = _asked_for(asked, ending.state)
        if callback is UNSET:
            return ()
        if isinstance(callback, str):
            callback = CallbackFields(url=callback)
        fields = WebhookFields(
            json=Raw(msgspec.json.encode(_summary(ending))),
            traceparent=asked.traceparent,
            **msgspec.structs.asdict(callback),
        )
        return (
            Task(
                id=new_id(now),
                type=self._type,
                pool=self._pool,
                payload=msgspec.json.encode(fields),
                execution_time=instants.text(now),
                execution_at=now,
                due_at=now,
                destination=Destination(GateKind.HOST, origin(callback.url)),
                parent_id=ending.task_id,
                patience=patience(fields),
            ),
        )


def _asked_for(asked: TaskFields, state: State) -> Callback | UnsetType:
    """Return the callback that a task asks for if it ends in *state*."""
    match state:
        case State.DONE:
            return asked.on_success
        case State.FAILED:
            return asked.on_failure
        case State.CANCELLED:
            return asked.on_cancel
        case State.TODO | State.IN_PROGRESS | State.WAITING:
            return UNSET  # it has not ended
        case _:
            assert_never(state)


def _summary(ending: Ending) -> CallbackSummary:
    return CallbackSummary(
        id=ending.task_id,
        type=ending.type,
        state=ending.state.word,  # type: ignore[arg-type]  # it is one of them
        attempts=ending.attempts,
        status=ending.status,
        error=ending.fault,
        result=None if ending.result is None else Raw(ending.result),
    )
