"""Makes a task of a request: the checks that all task types share, around those of the type.

Pure: no input or output.
"""

from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from tasker.errors import InvalidTaskError, cut
from tasker.ids import new_id
from tasker.interfaces.task_type import TaskType
from tasker.model import instants, lengths
from tasker.model.instants import Instant
from tasker.model.task import Task
from tasker.wire.fields import Callback, CallbackFields, RequestFields, TaskFields, WebhookFields, retry_policy

_NO_BODY_YET = Raw(b"null")
"""In place of the body of a callback, which is made when its task ends."""


class Asked(Struct, frozen=True):
    """A request for a new task: of the right types, but not checked otherwise."""

    type: TaskType
    fields: TaskFields
    """What the task type is given."""
    request: RequestFields
    """What else the request says."""


def build_task(asked: Asked, *, now: Instant, webhooks: TaskType | None) -> Task:
    """Return the task that is *asked* for, as it is to be stored, with a new id.

    Args:
        webhooks: the task type that sends callbacks; None: there is none here, and a request that
            asks for one is refused.

    Raises:
        InvalidTaskError: it cannot become a task. ``field`` is the whole path in the request, such
            as ``webhook.url``.
    """
    task_type, fields, request = asked.type, asked.fields, asked.request
    name = task_type.name
    task_id = new_id(now)
    execution_time, execution_at = _due(request, name, now)
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
    if prepared.on_success is not UNSET or prepared.on_failure is not UNSET or prepared.on_cancel is not UNSET:
        prepared = _with_checked_callbacks(prepared, name, webhooks)
    return Task(
        id=task_id,
        type=name,
        pool=task_type.pool,
        payload=msgspec.json.encode(msgspec.structs.replace(prepared, expires_at=UNSET)),  # the task has it
        execution_time=execution_time,
        execution_at=execution_at,
        due_at=execution_at,
        destination=task_type.destination(prepared),
        expires_at=expires_at,
        patience=instants.microseconds(retry_policy(prepared).patience()),
        keep=_keep(fields, name),
        tags=() if prepared.tags is UNSET else _checked_tags(prepared.tags, name),
    )


def _due(request: RequestFields, name: str, now: Instant) -> tuple[str, Instant]:
    """Return the execution time as text and as a moment."""
    if request.delay is not UNSET:
        if request.execution_time is not UNSET:
            raise InvalidTaskError(f"{name}.delay", "expected delay or execution_time, got both")
        try:
            execution_at = instants.after(now, lengths.parse(request.delay))
        except ValueError as error:
            raise InvalidTaskError(f"{name}.delay", str(error)) from None
        return instants.text(execution_at), execution_at
    if request.execution_time is UNSET:
        raise InvalidTaskError(f"{name}.execution_time", "expected a value, it is missing; or delay in its place")
    try:
        execution_at = instants.parse(request.execution_time)
    except ValueError as error:
        raise InvalidTaskError(f"{name}.execution_time", str(error)) from None
    if execution_at <= now:
        raise InvalidTaskError(
            f"{name}.execution_time",
            f"expected a time in the future, got: {request.execution_time!r}; here it is {instants.text(now)}",
        )
    return request.execution_time, execution_at


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
