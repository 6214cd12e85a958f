"""Writes what answers show of a task, in the shapes of ``tasks.py``."""

from typing import Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from tasker.model import instants, walls, zones
from tasker.model.lateness import LatenessByCause, by_cause
from tasker.model.new_task import Made
from tasker.model.task import State, Task
from tasker.wire.callers import creator_view
from tasker.wire.fields import BODIES, RequestFields
from tasker.wire.lateness import lateness_by_cause_view
from tasker.wire.tasks import Created, CreatedInBatch, LeftOutWord, ProgressView, TaskView, TimeNoteWord


def created_view(made: Made, when: RequestFields, *, is_named: bool) -> Created:
    """Return what is said of a new task that has a delay or a local time, or is named by its caller."""
    return Created(
        id=made.id,
        execution_time=instants.text(made.execution_at),
        time_note=_made_note(made, when),
        outcome=made.outcome.value if is_named else UNSET,
    )


def created_in_batch_view(made: Made, when: RequestFields, *, is_named: bool) -> CreatedInBatch:
    """Return what is said of one of many new tasks that has a local time, or is named by its caller."""
    has_local_time = when.local_time is not UNSET
    return CreatedInBatch(
        id=made.id,
        execution_time=instants.text(made.execution_at) if has_local_time else UNSET,
        time_note=_made_note(made, when),
        outcome=made.outcome.value if is_named else UNSET,
    )


def _made_note(made: Made, when: RequestFields) -> TimeNoteWord | UnsetType:
    """Return what is special about the local time that was asked for; ``UNSET`` if the task there has another time."""
    if when.local_time is UNSET or when.time_zone is UNSET:
        return UNSET
    moment, note = walls.moment_of(when.local_time, zones.zone_named(when.time_zone))
    return note.value if moment == made.execution_at else UNSET  # type: ignore[return-value]  # a test compares them


def _note_of(local_time: str | None, time_zone: str | None) -> TimeNoteWord | UnsetType:
    """Return what is special about a local time; ``UNSET`` if there is none, or it is not known here."""
    if local_time is None or time_zone is None:
        return UNSET
    note = zones.note_of(local_time, time_zone)
    return UNSET if note is None else note.value  # type: ignore[return-value]  # a test compares the words


def task_json(task: Task) -> bytes:
    """Return *task* as a JSON object: the members of ``TaskView``, then its fields, then ``result`` if it has one.

    The fields are spliced in as they are stored, so that a list does not decode and encode every
    body.
    """
    lateness = _lateness(task)
    view = TaskView(
        id=task.id,
        type=task.type,
        created_at=instants.text(task.created_at),
        created_by=UNSET if task.created_by is None else creator_view(task.created_by),
        state=task.state.word,  # type: ignore[arg-type]  # the words are the names of State; a test compares them
        execution_time=task.execution_time,
        local_time=UNSET if task.local_time is None else task.local_time,
        time_zone=UNSET if task.time_zone is None else task.time_zone,
        time_note=_note_of(task.local_time, task.time_zone),
        attempts=task.attempts,
        last_error=task.last_fault,
        started_at=None if task.started_at is None else instants.text(task.started_at),
        ended_at=None if task.ended_at is None else instants.text(task.ended_at),
        lateness_seconds=None if lateness is None else instants.seconds(lateness.total),
        lateness_by_cause_seconds=UNSET if lateness is None else lateness_by_cause_view(lateness),
        expires_at=UNSET if task.expires_at is None else instants.text(task.expires_at),
        parent_id=UNSET if task.parent_id is None else task.parent_id,
        key=UNSET if task.key is None else task.key,
        deadline=UNSET if task.deadline is None else instants.text(task.deadline),
        progress=_progress(task),
        schedule=UNSET if task.schedule is None else task.schedule,
        scheduled_for=UNSET if task.scheduled_for is None else instants.text(task.scheduled_for),
        run_kind=UNSET if task.run_kind is None else task.run_kind.word,  # type: ignore[arg-type]  # as for the state
        missed=UNSET if task.missed is None else task.missed,
        left_out=_left_out(task),
    )
    members = [msgspec.json.encode(view)[1:-1], task.payload[1:-1]]
    if task.result is not None:
        members.append(b'"result":' + task.result)
    return b"{%b}" % b",".join(filter(None, members))


def _left_out(task: Task) -> LeftOutWord | UnsetType:
    if task.state is not State.CANCELLED or task.admission is None or not task.admission.is_left_out:
        return UNSET
    return task.admission.word  # type: ignore[return-value]  # the words are the names of Admission


def _progress(task: Task) -> ProgressView | UnsetType:
    """Return how far the latest attempt has come; UNSET: nothing was told of that."""
    told = task.progress
    if told is None or told.attempt != task.attempts:
        return UNSET
    return ProgressView(at=instants.text(told.at), progress=told.progress, msg=told.msg)


def _lateness(task: Task) -> LatenessByCause | None:
    """Return how late the latest attempt of *task* began; None if the task waits for the next, or the first."""
    if task.started_at is None or task.state is State.TODO:
        return None
    return by_cause(due_at=task.due_at, started_at=task.started_at, down=task.late_down, held=task.late_held)


def wrapped_task_json(task: Task) -> bytes:
    """Return *task* as a JSON object under the name of its type: ``{"webhook": {...}}``."""
    return b'{"%b":%b}' % (task.type.encode(), task_json(task))


def wrapped_summary_json(task: Task) -> bytes:
    """Return *task* as ``wrapped_task_json`` does, without its body, its result and the details of its error."""
    payload = task.payload
    if any(begin in payload for begin in _BODIES_BEGIN):
        members = _decode_members(payload)
        kept = {name: value for name, value in members.items() if name not in BODIES}
        payload = msgspec.json.encode(kept)
    fault = task.last_fault
    if fault is not None and fault.details is not UNSET:
        fault = msgspec.structs.replace(fault, details=UNSET)
    return wrapped_task_json(msgspec.structs.replace(task, payload=payload, result=None, last_fault=fault))


_BODIES_BEGIN: Final = tuple(f'"{name}":'.encode() for name in BODIES)
"""How they begin in JSON. A quick look, which is wrong now and then: a body may contain it, too."""

_decode_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode
