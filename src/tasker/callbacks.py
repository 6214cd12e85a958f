"""Callbacks: webhook tasks that tell of another task's end. Made here, stored in the transaction that writes the end."""

from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct

from tasker.ids import new_id
from tasker.model import instants
from tasker.model.gate import Destination, GateKind
from tasker.model.instants import Instant
from tasker.model.task import Fault, Pool, State, Task, TaskId
from tasker.urls import origin
from tasker.wire.fields import CallbackFields, TaskFields, WebhookFields, decode_end_fields
from tasker.wire.tasks import CallbackSummary

WEBHOOK: Final = "webhook"
WEBHOOK_POOL: Final = Pool(1)


class Ending(Struct, frozen=True, kw_only=True):
    """How a task ended."""

    task_id: TaskId
    type: str
    attempts: int
    payload: bytes
    """What the task type was given."""
    fault: Fault | None
    """Why it failed; None: it is done."""
    status: int | None = None
    """Of the answer to the latest attempt, if it was a call and there was one."""
    result: bytes | None = None


def may_call_back(payload: bytes) -> bool:
    """Return whether a task with these *fields* may have asked for a callback: a quick look, which is wrong now and then."""
    return b'"on_' in payload


def callback_for(ending: Ending, *, now: Instant) -> Task | None:
    """Return the task that tells of a task's *ending*, due at once; None if the task did not ask for it.

    It is a webhook with an id, attempts and a retry policy of its own. It tells of nothing itself.
    """
    return callback_asked_by(decode_end_fields(ending.payload), ending, now=now) if may_call_back(ending.payload) else None


def callback_asked_by(fields: TaskFields, ending: Ending, *, now: Instant) -> Task | None:
    """Return the same as ``callback_for``, given the *fields* that the payload holds: nothing is decoded again."""
    callback = fields.on_success if ending.fault is None else fields.on_failure
    if callback is UNSET:
        return None
    if isinstance(callback, str):
        callback = CallbackFields(url=callback)
    summary = CallbackSummary(
        id=ending.task_id,
        type=ending.type,
        state="done" if ending.fault is None else "failed",
        attempts=ending.attempts,
        status=ending.status,
        error=ending.fault,
        result=None if ending.result is None else Raw(ending.result),
    )
    fields = WebhookFields(json=Raw(msgspec.json.encode(summary)), **msgspec.structs.asdict(callback))
    return Task(
        id=new_id(now),
        type=WEBHOOK,
        pool=WEBHOOK_POOL,
        payload=msgspec.json.encode(fields),
        execution_time=instants.text(now),
        execution_at=now,
        due_at=now,
        state=State.TODO,
        destination=Destination(GateKind.HOST, origin(callback.url)),
        parent_id=ending.task_id,
    )
