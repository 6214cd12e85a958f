"""What the audit log keeps of a change: the members that are others, without secrets and bodies.

The log outlives the tasks. What was sent, and to whom it was secret, must not live on in it.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw

from tasker.model import instants
from tasker.model.audit import Changed, Changes, changed
from tasker.model.operation import Operation
from tasker.model.schedule import Schedule
from tasker.model.task import Task
from tasker.wire.fields import BODIES
from tasker.wire.masking import MASK, masked_members
from tasker.wire.operations import operation_view
from tasker.wire.schedule_views import plan_members, template_members

_decode_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode


def task_changes(before: Task, after: Task) -> Changes:
    """Return what of a task is another. Of a body it is only said that it is.

    >>> from tasker.testing.task_factory import a_task
    >>> old, new = (a_task(due_at=1, payload=b'{"body":"%b","url":"http://me:pw@%b"}' % (x, x)) for x in (b"a", b"b"))
    >>> changes = task_changes(old, new)
    >>> msgspec.json.encode(changes["body"]), bytes(changes["url"].after)
    (b'{}', b'"http://me:***@b"')
    """
    old, new = _decode_members(before.payload), _decode_members(after.payload)
    old_shown, new_shown = _shown(before.payload), _shown(after.payload)
    changes = {
        name: Changed() if name in BODIES else changed(old_shown.get(name, UNSET), new_shown.get(name, UNSET))
        for name in (*old, *(name for name in new if name not in old))
        if old.get(name) != new.get(name)
    }
    moments = (
        ("execution_time", before.execution_time, after.execution_time),
        ("local_time", before.local_time, after.local_time),
        ("time_zone", before.time_zone, after.time_zone),
        ("due_at", _text(before.due_at), _text(after.due_at)),
        ("expires_at", _text(before.expires_at), _text(after.expires_at)),
    )
    for name, was, is_ in moments:
        if was != is_:
            changes[name] = changed(UNSET if was is None else was, UNSET if is_ is None else is_)
    if "execution_time" in changes:
        changes.pop("due_at", None)  # it says the same
    return changes


def operation_changes(operation: Operation) -> Changes:
    """Return what an operation is asked to do."""
    view = operation_view(operation)
    asked: dict[str, Any] = {"action": view.action}
    for name in ("filter", "ids", "by_seconds", "per_second"):
        asked[name] = getattr(view, name)
    if view.change is not UNSET:
        named = msgspec.json.decode(view.change, type=dict[str, Raw])
        asked["change"] = {name: _shown(bytes(members)) for name, members in named.items()}
    return {name: changed(after=value) for name, value in asked.items() if value is not UNSET}


def schedule_changes(before: Schedule | None, after: Schedule | None) -> Changes:
    """Return what of a schedule is another: of one that is new or gone, all. Of a body it is only said that it is.

    Args:
        before: None: it is new.
        after: None: it is gone.
    """
    old, new = _said_of(before), _said_of(after)
    nothing = (b"", UNSET)
    return {
        name: Changed()
        if name.rpartition(".")[2] in BODIES
        else changed(old.get(name, nothing)[1], new.get(name, nothing)[1])
        for name in (*old, *(name for name in new if name not in old))
        if old.get(name, nothing)[0] != new.get(name, nothing)[0]
    }


def _said_of(schedule: Schedule | None) -> Mapping[str, tuple[bytes, Any]]:
    """Return the members of a schedule as they are, and as they may be shown."""
    if schedule is None:
        return {}
    members = {**plan_members(schedule), "paused": schedule.is_paused}
    said: dict[str, tuple[bytes, Any]] = {name: (msgspec.json.encode(value), value) for name, value in members.items()}
    if schedule.template is not None:
        for type_, fields in template_members(schedule.template, has_secrets=True).items():
            shown = _shown(msgspec.json.encode(fields))
            said |= {f"task.{type_}.{name}": (bytes(value), shown[name]) for name, value in fields.items()}
    return said


def _shown(payload: bytes) -> Mapping[str, Any]:
    """Return the members of a payload as they may be shown."""
    members: dict[str, Any] = dict(_decode_members(masked_members(payload)))
    for name in BODIES:
        if name in members:
            members[name] = MASK
    return members


def _text(moment: int | None) -> str | None:
    return None if moment is None else instants.text(moment)
