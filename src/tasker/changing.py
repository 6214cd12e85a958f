"""Says what a task becomes by a merge patch: the rule of every door that changes what tasks were given.

Pure: no input or output.

Source: RFC 7396 (JSON Merge Patch). It differs in three ways. A time replaces one that is said otherwise, and so
do the ``BODIES``. A ``json`` is replaced whole. And headers do not travel: where a URL is
changed to another origin, nothing of the old headers stays.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from tasker.building import Asked, build_task
from tasker.errors import (
    HeadersNeededError,
    InvalidTaskError,
    MaskedValueError,
    TaskEndedError,
    TaskNotWaitingError,
    TaskRunningError,
    cut,
)
from tasker.interfaces.task_type import TaskType
from tasker.model import instants
from tasker.model.change import Change
from tasker.model.instants import Instant
from tasker.model.task import State, Task
from tasker.urls import origin
from tasker.wire.fields import BODIES, readable_end_fields, retry_policy
from tasker.wire.masking import MASK

Decode: TypeAlias = Callable[[bytes], Asked]
"""Reads a request for a new task, and raises ``InvalidTaskError`` if it is none."""

_CALLBACKS: Final = ("on_success", "on_failure", "on_cancel")
_Alternatives: TypeAlias = tuple[tuple[str, ...], ...]
"""Ways to say the same, each with its members: what is given in one way replaces what was said in others."""

_TIMES: Final[_Alternatives] = (("execution_time",), ("delay",), ("local_time", "time_zone"))
_TIME_MEMBERS: Final = tuple(name for way in _TIMES for name in way)
_BODIES: Final[_Alternatives] = tuple((name,) for name in BODIES)
_KEPT: Final = ("id", "type", "key")
_ONLY_NEW: Final = ("on_conflict", "max_wait")
FIXED: Final = frozenset({*_KEPT, *_ONLY_NEW})
"""The members of a request that cannot be changed."""
_NULL: Final = b"null"
_NO_VALUE: Final = Raw(_NULL)

_decode_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode


class Patch(Struct, frozen=True):
    """A merge patch of what a task was given."""

    type: str
    """The name of the task's type."""
    members: Mapping[str, Raw]
    """What is given anew, in the form of a request; null: it is removed."""


def changed(task: Task, patch: Patch, *, now: Instant, decode: Decode, webhooks: TaskType | None) -> Change | None:
    """Return the change that *patch* makes of *task*, which is as the store has it, with its secrets.

    None: it changes nothing. What comes out is checked as a new task is. A time that stays may have
    passed. While a retry is waited for, a new time is that of the next attempt, and
    ``execution_time`` stays.

    Args:
        decode: of the task types that this server has.
        webhooks: see ``build_task``.

    Raises:
        InvalidTaskError: it cannot become such a task, or *patch* is of another type, or changes
            what a task keeps. ``field`` is the whole path, such as ``webhook.url``.
        MaskedValueError: *patch* says ``***`` where a secret belongs.
        HeadersNeededError: a URL is to go to another origin, and its headers are not given anew.
        TaskRunningError, TaskEndedError: it is running, or done.
        TaskNotWaitingError: it has ended, and so has no time that could change.
    """
    name = task.type
    if patch.type != name:
        raise InvalidTaskError(patch.type, f"expected {name}: the type of this task, which it keeps")
    for member in sorted(FIXED.intersection(patch.members)):
        why = "a task keeps the one that it has" if member in _KEPT else "it is for a new task"
        raise InvalidTaskError(f"{name}.{member}", f"expected no {member}: {why}")
    if task.state is State.IN_PROGRESS:
        raise TaskRunningError(task.id, "changed")
    if task.state is State.DONE:
        raise TaskEndedError(task.id, task.state.word, "only one that is todo, failed or cancelled can be changed")

    old = _as_asked(task)
    merge = _Merge(is_webhook=webhooks is not None and name == webhooks.name)
    new = merge.request(old, patch.members, name)
    stays = all(new.get(member) == old.get(member) for member in _TIME_MEMBERS)
    if stays:
        for member in _TIME_MEMBERS:
            new.pop(member, None)
    elif task.state is not State.TODO:
        raise TaskNotWaitingError(task.id, task.state.word, "only one that is todo can be given another time")
    asked = decode(msgspec.json.encode({name: new}))
    built = build_task(asked, now=now, webhooks=webhooks, stands=task if stays else None, is_new=False)
    _check(task, built, asked, patch, now)
    if merge.lacking:
        raise HeadersNeededError(merge.lacking[0])
    return _change(task, built, moves=not stays)


def _as_asked(task: Task) -> dict[str, Raw]:
    """Return the members of a request for *task* as it is."""
    members = _decode_members(task.payload)
    if task.local_time is None:
        members["execution_time"] = _raw(task.execution_time)
    else:
        members |= {"local_time": _raw(task.local_time), "time_zone": _raw(task.time_zone)}
    if task.expires_at is not None:
        members["expires_at"] = _raw(instants.text(task.expires_at))
    return members


def _check(task: Task, built: Task, asked: Asked, patch: Patch, now: Instant) -> None:
    """Raise ``InvalidTaskError`` for what only a change can say."""
    if built.expires_at is not None and built.expires_at != task.expires_at and built.expires_at <= now:
        raise InvalidTaskError(
            f"{task.type}.expires_at",
            f"expected a time in the future, got: {instants.text(built.expires_at)}; here it is {instants.text(now)}",
        )
    if "secret" in patch.members and getattr(asked.fields, "secret", None) == MASK:
        raise MaskedValueError(f"{task.type}.secret")


def _change(task: Task, built: Task, *, moves: bool) -> Change | None:
    """Return the change of *task* to what was *built* of it; None if that is the same."""
    new = replace(task, expires_at=built.expires_at, keep=built.keep)
    if moves:
        new = replace(new, due_at=built.due_at)
        if task.attempts == 0:
            new = replace(
                new,
                execution_time=built.execution_time,
                execution_at=built.execution_at,
                local_time=built.local_time,
                time_zone=built.time_zone,
                zones=built.zones,
            )
    has_new_payload = _decode_members(built.payload) != _decode_members(task.payload)
    if new == task and not has_new_payload:
        return None
    new = replace(
        new,
        payload=built.payload if has_new_payload else task.payload,
        destination=built.destination,
        host=built.host,
        patience=built.patience,
        tags=built.tags,
    )
    policy = retry_policy(readable_end_fields(new.payload))
    waited = instants.microseconds(policy.waits_after(task.attempts - task.retried_after))
    return Change(task=new, revision=task.revision, waited=waited, has_new_payload=has_new_payload)


class _Merge:
    """One merge of a request, and of the callbacks in it."""

    def __init__(self, *, is_webhook: bool) -> None:
        self._replaced_whole = ("json",) if is_webhook else ()
        self._alternatives = (_TIMES, _BODIES) if is_webhook else (_TIMES,)
        self.lacking: list[str] = []
        """The places of the headers that would have to be given anew."""

    def request(self, old: Mapping[str, Raw], given: Mapping[str, Raw], place: str) -> dict[str, Raw]:
        """Return *old* with what is *given* anew, at *place* in the request."""
        new = self._without_alternatives(old, given)
        if _goes_elsewhere(old, given):
            headers = new.pop("headers", None)
            if headers is not None and "headers" not in given and bytes(headers) not in (_NULL, b"{}"):
                self.lacking.append(f"{place}.headers")
        for name, value in given.items():
            if bytes(value) == _NULL:
                new.pop(name, None)
                continue
            try:
                new[name] = self._member(name, new.get(name), value, f"{place}.{name}")
            except (msgspec.MsgspecError, UnicodeDecodeError):
                raise InvalidTaskError(
                    f"{place}.{cut(name)}", "expected JSON in UTF-8 with numbers of a usual size"
                ) from None
        return new

    def _without_alternatives(self, old: Mapping[str, Raw], given: Mapping[str, Raw]) -> dict[str, Raw]:
        replaced: set[str] = set()
        for ways in self._alternatives:
            others = [way for way in ways if all(bytes(given.get(name, _NO_VALUE)) == _NULL for name in way)]
            if len(others) < len(ways):
                replaced.update(name for way in others for name in way)
        return {name: value for name, value in old.items() if name not in replaced}

    def _member(self, name: str, old: Raw | None, given: Raw, place: str) -> Raw:
        if name == "headers":
            return _merged_headers(old, given)
        if name in _CALLBACKS:
            return self._callback(old, given, place)
        return given if name in self._replaced_whole else _merged(old, given)

    def _callback(self, old: Raw | None, given: Raw, place: str) -> Raw:
        """Return a callback with what is *given* anew. A text is a URL, and all of it."""
        members = {} if old is None else _decode_members(old) if _is_object(old) else {"url": old}
        if _is_object(given):
            return _raw(self.request(members, _decode_members(given), place))
        self.request(members, {"url": given}, place)  # for the headers that this would drop
        return given


def _goes_elsewhere(old: Mapping[str, Raw], given: Mapping[str, Raw]) -> bool:
    """Return whether the URL that is *given* has another origin than the *old* one."""
    return "url" in given and ("url" not in old or _origin(old["url"]) != _origin(given["url"]))


def _origin(url: Raw) -> str | None:
    try:
        return origin(msgspec.json.decode(url, type=str))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None  # it is refused later


def _merged_headers(old: Raw | None, given: Raw) -> Raw:
    """Return headers with those that are *given* anew. Their names are the same in upper and lower case."""
    if old is None or not _is_object(old) or not _is_object(given):
        return _merged(None, given)
    headers = _decode_members(old)
    spelled = {name.lower(): name for name in headers}
    for name, value in _decode_members(given).items():
        before = spelled.get(name.lower())
        if before is not None and (before != name or bytes(value) == _NULL):
            headers.pop(before, None)
        if bytes(value) != _NULL:
            headers[name] = value
    return _raw(headers)


def _merged(old: Raw | None, given: Raw) -> Raw:
    """Return *old* with what is *given* anew, as RFC 7396 says."""
    if not _is_object(given):
        return given
    before = None if old is None else msgspec.json.decode(old)
    return _raw(_merged_value(before, msgspec.json.decode(given)))


def _merged_value(old: Any, given: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return *old* with what is *given* anew: ``MergePatch`` of RFC 7396, section 2."""
    if not isinstance(given, dict):
        return given
    new = dict(old) if isinstance(old, dict) else {}
    for name, value in given.items():
        if value is None:
            new.pop(name, None)
        else:
            new[name] = _merged_value(new.get(name), value)
    return new


def _is_object(value: Raw) -> bool:
    return bytes(value).startswith(b"{")


def _raw(value: object) -> Raw:
    return Raw(msgspec.json.encode(value))
