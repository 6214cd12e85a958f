"""Makes a task of a request: the checks that all task types share, around those of the type.

Pure: no input or output.
"""

import re
from datetime import timedelta
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from tasker.errors import InvalidRequestError, InvalidTaskError, cut
from tasker.ids import instant_of, new_id, parse_id
from tasker.interfaces.task_type import TaskType
from tasker.model import instants, lengths, walls, zones
from tasker.model.gate import Destination, group_named
from tasker.model.instants import LAST, SECOND, Instant
from tasker.model.new_task import NewTask, OnConflict
from tasker.model.schedule import Template
from tasker.model.standing import Standing
from tasker.model.task import PULLED, Task, TaskId
from tasker.wire.fields import (
    Callback,
    CallbackFields,
    RequestFields,
    TaskFields,
    WebhookFields,
    patience,
    readable_end_fields,
)
from tasker.wire.tracing import read_traceparent

_ID_WITHIN: Final = 86_400 * SECOND
_CONTROL: Final = re.compile("[\\x00-\\x1f\\x7f-\\x9f]")

_NO_ID: Final = TaskId("")
_NO_BODY_YET = Raw(b"null")
"""In place of the body of a callback, which is made when its task ends."""


class Asked(Struct, frozen=True):
    """A request for a new task: of the right types, but not checked otherwise."""

    type: TaskType
    fields: TaskFields
    """What the task type is given."""
    request: RequestFields
    """What else the request says."""
    content: bytes | None = None
    """See ``Task.content``."""

    def traced(self, traceparent: str | None) -> "Asked":
        """Return the same, in the trace of *traceparent* unless it names one itself; None: in none."""
        if traceparent is None or self.fields.traceparent is not UNSET:
            return self
        fields = msgspec.structs.replace(self.fields, traceparent=traceparent)
        return msgspec.structs.replace(self, fields=fields)

    @property
    def is_plain(self) -> bool:
        """Whether the request says nothing of what the task may meet."""
        request = self.request
        return (
            request.key is UNSET and request.id is UNSET and request.on_conflict is UNSET and request.max_wait is UNSET
        )

    @property
    def is_named(self) -> bool:
        """Whether the caller gives the task a name of its own, by which it may meet another."""
        return self.request.key is not UNSET or self.request.id is not UNSET


def build_new_task(
    asked: Asked,
    *,
    now: Instant,
    webhooks: TaskType | None,
    created_by: str | None = None,
    takes_ids_of_any_time: bool = False,
) -> NewTask:
    """Return the task that is *asked* for, with what is to become of it if it meets another.

    Args:
        webhooks, created_by: see ``build_task``.
        takes_ids_of_any_time: whether callers live by another clock, and an id of theirs may be of any
            moment; else it is of one within a day of *now*.

    Raises:
        InvalidTaskError: as ``build_task``. If only its time has passed and it has an id of its
            caller's, that is a ``NewTask.refusal``: it may have been created in time.
    """
    if asked.is_plain:  # nearly always
        return NewTask(task=build_task(asked, now=now, webhooks=webhooks, created_by=created_by))
    asked = _as_new(asked)
    request, name = asked.request, asked.type.name
    on_conflict = OnConflict.REJECT if request.on_conflict is UNSET else OnConflict(request.on_conflict)
    if request.key is UNSET and request.on_conflict is not UNSET:
        raise InvalidTaskError(f"{name}.on_conflict", "expected a key with it: it says what to do if that is in use")
    max_wait = None
    if request.max_wait is not UNSET:
        if on_conflict is not OnConflict.DEBOUNCE:
            raise InvalidTaskError(f"{name}.max_wait", 'expected "on_conflict": "debounce" with it')
        try:
            max_wait = lengths.parse(request.max_wait) // timedelta(microseconds=1)
        except ValueError as error:
            raise InvalidTaskError(f"{name}.max_wait", str(error)) from None
    task_id = (
        new_id(now) if request.id is UNSET else _checked_id(request.id, name, None if takes_ids_of_any_time else now)
    )
    task = _built(asked, task_id, now, webhooks, created_by)
    if request.key is not UNSET:
        task = msgspec.structs.replace(task, key=_checked_key(request.key, name), holds_key=True)
    refusal = _refusal(request, name, task.execution_at, now)
    if refusal is not None and request.id is UNSET:
        raise refusal
    return NewTask(task=task, on_conflict=on_conflict, max_wait=max_wait, refusal=refusal)


def build_task(
    asked: Asked,
    *,
    now: Instant,
    webhooks: TaskType | None,
    stands: Task | None = None,
    created_by: str | None = None,
    is_new: bool = True,
) -> Task:
    """Return the task that is *asked* for, which has no name of its caller's, as it is to be stored, with a new id.

    Args:
        webhooks: the task type that sends callbacks; None: there is none here, and a request that
            asks for one is refused.
        stands: the task that it is made of, whose execution time stays, whether that has passed or
            not; None: the request says when.
        created_by: see ``Task``.
        is_new: whether nothing of it is stored; else what a server has made for the task stays.

    Raises:
        InvalidTaskError: it cannot become a task. ``field`` is the whole path in the request, such
            as ``webhook.url``.
    """
    if is_new:
        asked = _as_new(asked)
    if stands is not None:
        return _built(asked, stands.id, now, webhooks, created_by, (stands.execution_time, stands.execution_at))
    task = _built(asked, new_id(now), now, webhooks, created_by)
    if (refusal := _refusal(asked.request, asked.type.name, task.execution_at, now)) is not None:
        raise refusal
    return task


def build_template(asked: Asked, *, webhooks: TaskType | None, expires_after: int | None) -> Template:
    """Return what every run of a schedule is, if the task that is *asked* for, which says no time, is to be its run.

    Args:
        webhooks: see ``build_task``.
        expires_after: see ``Template``.

    Raises:
        InvalidTaskError: as ``build_task``.
    """
    task = _built(_as_new(asked), _NO_ID, 0, webhooks, None, ("", 0))
    return Template(
        type=task.type,
        pool=task.pool,
        payload=Raw(task.payload),
        destination=task.destination,
        host=task.host,
        patience=task.patience,
        keep=task.keep,
        tags=task.tags,
        expires_after=expires_after,
    )


def build_duplicate(
    standing: Standing, when: RequestFields, *, now: Instant, created_by: str | None, traceparent: str | None
) -> Task:
    """Return another task like one that is stored, as it is to be stored: with a new id, and without a key.

    What it is given is the same, its secrets included. Its ``expires_at`` is as long after its
    execution time. It is nobody's callback.

    Args:
        standing: where the task stands that it is made of.
        when: says the execution time.
        traceparent: that of the request, in place of the task's own.

    Raises:
        InvalidRequestError: *when* does not say a time in the future. ``field`` is the member.
    """
    old = standing.task
    try:
        execution_time, execution_at = _due(when, old.type, now)
        if (refusal := _refusal(when, old.type, execution_at, now)) is not None:
            raise refusal
    except InvalidTaskError as error:
        raise InvalidRequestError(error.field.removeprefix(f"{old.type}."), error.problem) from None
    fields = readable_end_fields(old.payload)
    gate, host = (
        None if record is None else Destination(record.gate.kind, record.gate.name)
        for record in (standing.gate, standing.host)
    )
    span = None if old.expires_at is None else old.expires_at - old.execution_at
    task = Task(
        id=new_id(now),
        type=old.type,
        pool=old.pool,
        payload=_traced(old.payload, fields, traceparent),
        execution_time=execution_time,
        execution_at=execution_at,
        due_at=execution_at,
        destination=gate,
        host=host,
        expires_at=None if span is None else min(execution_at + max(span, 1), LAST),
        patience=old.patience,
        keep=old.keep,
        tags=() if fields.tags is UNSET else tuple(dict.fromkeys(fields.tags)),
        created_by=created_by,
    )
    return task if when.local_time is UNSET else _with_local_time(task, when)


def _as_new(asked: Asked) -> Asked:
    """Return what is *asked* for without what a server makes for a new task: nobody else says that."""
    fields = asked.fields
    if not isinstance(fields, WebhookFields) or fields.completion is UNSET:  # nearly always
        return asked
    completion = msgspec.structs.replace(fields.completion, url=UNSET)
    return msgspec.structs.replace(asked, fields=msgspec.structs.replace(fields, completion=completion))


def _traced(payload: bytes, fields: TaskFields, traceparent: str | None) -> bytes:
    """Return *payload*, which has *fields*, in another trace; None: in none."""
    if traceparent is None and fields.traceparent is UNSET:
        return payload
    members = msgspec.json.decode(payload, type=dict[str, Raw])
    members.pop("traceparent", None)
    if traceparent is not None:
        members["traceparent"] = Raw(msgspec.json.encode(traceparent))
    return msgspec.json.encode(members)


def _built(
    asked: Asked,
    task_id: TaskId,
    now: Instant,
    webhooks: TaskType | None,
    created_by: str | None,
    stands: tuple[str, Instant] | None = None,
) -> Task:
    task_type, fields, request = asked.type, asked.fields, asked.request
    name = task_type.name
    execution_time, execution_at = _due(request, name, now) if stands is None else stands
    expires_at = None
    if fields.expires_at is not UNSET:
        try:
            expires_at = instants.parse(fields.expires_at)
        except ValueError as error:
            raise InvalidTaskError(f"{name}.expires_at", str(error)) from None
        if expires_at <= execution_at:
            raise InvalidTaskError(
                f"{name}.expires_at", f"expected a time after execution_time, got: {fields.expires_at!r}"
            )
    try:
        prepared = task_type.prepare(fields)
    except InvalidTaskError as error:
        raise type(error)(_joined(name, error.field), error.problem) from None
    if prepared.traceparent is not UNSET:
        prepared = _with_checked_traceparent(prepared, prepared.traceparent, name)
    if prepared.on_success is not UNSET or prepared.on_failure is not UNSET or prepared.on_cancel is not UNSET:
        prepared = _with_checked_callbacks(prepared, name, webhooks)
    if prepared.expires_at is not UNSET:  # the task has it
        prepared = msgspec.structs.replace(prepared, expires_at=UNSET)
    destination, host = _goes_to(task_type, prepared)
    task = Task(
        id=task_id,
        type=name,
        pool=task_type.pool,
        payload=msgspec.json.encode(prepared),
        execution_time=execution_time,
        execution_at=execution_at,
        due_at=execution_at,
        destination=destination,
        host=host,
        expires_at=expires_at,
        patience=patience(prepared),
        keep=_keep(fields, name),
        content=asked.content,
        created_by=created_by,
        tags=() if prepared.tags is UNSET else _checked_tags(prepared.tags, name),
    )
    return task if request.local_time is UNSET else _with_local_time(task, request)


def _with_local_time(task: Task, request: RequestFields) -> Task:
    assert request.time_zone is not UNSET  # noqa: S101 - checked with the local time
    return msgspec.structs.replace(
        task, local_time=request.local_time, time_zone=request.time_zone, zones=zones.VERSION
    )


def _goes_to(task_type: TaskType, fields: TaskFields) -> tuple[Destination, Destination | None]:
    """Return where a task goes that is given *fields*, and of one with a group the host that it goes to."""
    destination = task_type.destination(fields)
    if fields.group is UNSET:
        return destination, None
    place = f"{task_type.name}.group"
    if task_type.pool == PULLED:
        raise InvalidTaskError(place, "expected no group: what is pulled has the limits of its queue")
    try:
        return group_named(fields.group), destination
    except ValueError as error:
        raise InvalidTaskError(place, str(error)) from None


def _due(request: RequestFields, name: str, now: Instant) -> tuple[str, Instant]:
    """Return the execution time as text and as a moment."""
    if request.local_time is not UNSET or request.time_zone is not UNSET:
        return _due_by_the_clock(request, name)
    if request.delay is not UNSET:
        if request.execution_time is not UNSET:
            raise InvalidTaskError(f"{name}.delay", "expected delay or execution_time, got both")
        try:
            execution_at = instants.after(now, lengths.parse(request.delay))
        except ValueError as error:
            raise InvalidTaskError(f"{name}.delay", str(error)) from None
        return instants.text(execution_at), execution_at
    if request.execution_time is UNSET:
        raise InvalidTaskError(
            f"{name}.execution_time", "expected a value, it is missing; or delay, or local_time, in its place"
        )
    try:
        execution_at = instants.parse(request.execution_time)
    except ValueError as error:
        raise InvalidTaskError(f"{name}.execution_time", str(error)) from None
    return request.execution_time, execution_at


def _due_by_the_clock(request: RequestFields, name: str) -> tuple[str, Instant]:
    """Return the moment that a local time names, as text with the offset of its zone, and as it is."""
    for other in ("execution_time", "delay"):
        if getattr(request, other) is not UNSET:
            member = "time_zone" if request.local_time is UNSET else "local_time"
            raise InvalidTaskError(f"{name}.{member}", f"expected {member} or {other}, got both")
    if request.local_time is UNSET:
        raise InvalidTaskError(f"{name}.local_time", "expected a value, it is missing: time_zone says by whose clocks")
    if request.time_zone is UNSET:
        raise InvalidTaskError(f"{name}.time_zone", "expected a value, it is missing: by whose clocks is local_time")
    try:
        zone = zones.zone_named(request.time_zone)
    except ValueError as error:
        raise InvalidTaskError(f"{name}.time_zone", str(error)) from None
    try:
        moment, _ = walls.moment_of(request.local_time, zone)
    except ValueError as error:
        raise InvalidTaskError(f"{name}.local_time", str(error)) from None
    return walls.text_with_offset(moment, zone), moment


def _refusal(request: RequestFields, name: str, execution_at: Instant, now: Instant) -> InvalidTaskError | None:
    """Return why a task cannot be created any more; None if it can."""
    if request.delay is not UNSET or execution_at > now:
        return None
    member = "execution_time" if request.local_time is UNSET else "local_time"
    got = repr(getattr(request, member))
    if request.local_time is not UNSET:
        got += f" in {request.time_zone}"
    return InvalidTaskError(
        f"{name}.{member}", f"expected a time in the future, got: {got}; here it is {instants.text(now)}"
    )


def _checked_id(text: str, name: str, now: Instant | None) -> TaskId:
    try:
        task_id = parse_id(text)
        made_at = instant_of(task_id)
    except ValueError:
        raise InvalidTaskError(f"{name}.id", f"expected a UUID of version 7, got: {cut(text)!r}") from None
    if now is not None and abs(made_at - now) > _ID_WITHIN:
        raise InvalidTaskError(
            f"{name}.id",
            f"expected a UUID of a moment within a day of {instants.text(now)}, got one of {instants.text(made_at)}",
        )
    return task_id


def _checked_key(key: str, name: str) -> str:
    if key in (".", ".."):
        raise InvalidTaskError(f"{name}.key", f"expected a key other than . and .., which no path can name, got: {key}")
    if _CONTROL.search(key) is not None:
        raise InvalidTaskError(f"{name}.key", f"expected no control characters, got: {cut(key)!r}")
    return key


def _keep(fields: TaskFields, name: str) -> int | None:
    """Return for how long the task is to be kept after its end; None: as the settings say."""
    if fields.keep is UNSET:
        return None
    try:
        return lengths.kept(fields.keep)
    except ValueError as error:
        raise InvalidTaskError(f"{name}.keep", str(error)) from None


def _checked_tags(tags: list[str], name: str) -> tuple[str, ...]:
    """Return *tags*, each once."""
    for place, tag in enumerate(tags):
        if not tag.isprintable():
            raise InvalidTaskError(f"{name}.tags[{place}]", f"expected printable characters, got: {cut(tag)!r}")
    return tuple(dict.fromkeys(tags))


def _with_checked_traceparent(fields: TaskFields, traceparent: str, place: str) -> TaskFields:
    try:
        return msgspec.structs.replace(fields, traceparent=read_traceparent(traceparent))
    except ValueError as error:
        raise InvalidTaskError(f"{place}.traceparent", f"{error}, got: {cut(traceparent)!r}") from None


def _with_checked_callbacks(fields: TaskFields, place: str, webhooks: TaskType | None) -> TaskFields:
    """Return *fields* with their callbacks as they are to be stored.

    They are checked as the webhooks that they are going to be.
    """
    checked: dict[str, Any] = {}
    for member in ("on_success", "on_failure", "on_cancel"):
        callback: Callback | UnsetType = getattr(fields, member)
        if callback is not UNSET:
            if webhooks is None:
                raise InvalidTaskError(f"{place}.{member}", "expected no callback: this server sends no webhooks")
            checked[member] = _checked_callback(callback, f"{place}.{member}", webhooks)
    return msgspec.structs.replace(fields, **checked)


def _checked_callback(callback: Callback, place: str, webhooks: TaskType) -> Callback:
    """Return *callback*, which stands at *place* in the request, with its URL as the type of webhooks makes it."""
    is_url = isinstance(callback, str)
    webhook = CallbackFields(url=callback) if isinstance(callback, str) else callback
    try:
        prepared = webhooks.prepare(WebhookFields(json=_NO_BODY_YET, **msgspec.structs.asdict(webhook)))
    except InvalidTaskError as error:
        raise type(error)(place if is_url else _joined(place, error.field), error.problem) from None
    assert isinstance(prepared, WebhookFields)  # noqa: S101 - what the type was given
    return prepared.url if is_url else msgspec.structs.replace(webhook, url=prepared.url)


def _joined(place: str, field: str) -> str:
    return f"{place}.{field}" if field else place
