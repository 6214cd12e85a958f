"""What a caller's values are in JSON: moments, lengths of time, zones, bodies."""

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from tasker.client.errors import NaiveTimeError


def moment(name: str, value: datetime | str) -> str:
    """Return a moment in RFC 3339. Text is passed on as it is.

    Raises:
        NaiveTimeError: a datetime has no time zone.
        TypeError: it is neither of both.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, datetime):  # pyright: ignore[reportUnnecessaryIsInstance] - not everybody checks types
        raise _neither(name, "a datetime with a time zone, or text in RFC 3339", value)
    if value.utcoffset() is None:
        raise NaiveTimeError(name)
    return _rfc3339(value)


def local_time(name: str, value: datetime | str) -> str:
    """Return what a clock shows, without an offset.

    Raises:
        ValueError: a datetime has a time zone.
        TypeError: it is neither of both.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, datetime):  # pyright: ignore[reportUnnecessaryIsInstance] - not everybody checks types
        raise _neither(name, "a datetime without a time zone, or text such as 2027-03-28T09:00:00", value)
    if value.utcoffset() is not None:
        raise ValueError(
            f"{name}: expected a datetime without a time zone, as the clocks of time_zone show it; "
            "one that has a time zone is a moment: give it as at"
        )
    return value.isoformat()


def length(value: timedelta | float | str) -> float | str:
    """Return a length of time: seconds as a number, or text as it is."""
    return value.total_seconds() if isinstance(value, timedelta) else value


def zone(value: ZoneInfo | str) -> str:
    """Return the name of a time zone."""
    return value if isinstance(value, str) else value.key


def _neither(name: str, expected: str, value: object) -> TypeError:
    return TypeError(f"{name}: expected {expected}, got: {type(value).__name__}")


def texts(value: str | Sequence[str]) -> list[str]:
    """Return one text, or several, as a list."""
    return [value] if isinstance(value, str) else list(value)


def _moment_or_length(name: str, value: datetime | timedelta | float | str) -> float | str:
    """``expires_at`` is a moment; in the task of a schedule, a length of time after each run."""
    return moment(name, value) if isinstance(value, datetime) else length(value)


_WORDS: Final[Mapping[str, tuple[str, Callable[[str, Any], Any]]]] = {
    "at": ("execution_time", moment),
    **{name: (name, moment) for name in ("starts_at", "ends_at")},
    "expires_at": ("expires_at", _moment_or_length),
    "local_time": ("local_time", local_time),
    "time_zone": ("time_zone", lambda _, value: zone(value)),
    **{
        name: (name, lambda _, value: length(value))
        for name in ("delay", "keep", "max_wait", "timeout", "every", "jitter", "missed_within")
    },
    "id": ("id", lambda _, value: str(value)),
    "tags": ("tags", lambda _, value: list(value)),
    "success": ("success", lambda _, value: list(value)),
}
"""What becomes of some parameters: the name of the member, and what makes its value. Others are sent as they are."""

_NULL: Final = "json"
"""The parameter whose None is a value: JSON has one."""


_MAPPINGS: Final = frozenset({"headers", "json", "retry", "completion", "on_success", "on_failure", "on_cancel"})
"""Parameters whose value may be a mapping: an item with one of them alone is no task of the API."""


def members(given: Mapping[str, Any], *, with_none: bool = False) -> dict[str, Any]:
    """Return the members of a request that *given* parameters stand for.

    Args:
        given: by the names that callers use.
        with_none: whether None is sent, which takes something away; otherwise it means: not given.

    Raises:
        NaiveTimeError: see ``moment``.
        ValueError: see ``local_time``.
        TypeError: what is to be a moment is none.
    """
    made: dict[str, Any] = {}
    for name, value in given.items():
        if name == _NULL:
            made[name] = value
        elif value is None:
            if with_none:
                made[_WORDS[name][0] if name in _WORDS else name] = None
        elif name == "body" and isinstance(value, bytes):
            made["body_base64"] = base64.b64encode(value).decode()
        elif name in _WORDS:
            member, make = _WORDS[name]
            made[member] = make(name, value)
        else:
            made[name] = value
    return made


def named(item: Mapping[str, Any], *, with_none: bool = False) -> tuple[str, dict[str, Any]]:
    """Return the type and the members of a task that is said as a whole.

    Args:
        item: what callers say of a webhook, ``{"url": ...}``; with a ``type``, of a task of that type; or the task
            as the API takes it, ``{"job": {...}}``.
        with_none: as for ``members``.

    Raises:
        NaiveTimeError, ValueError: see ``members``.
    """
    if len(item) == 1:
        ((type_, inner),) = item.items()
        if isinstance(inner, Mapping) and type_ not in _MAPPINGS:
            return type_, {**inner}
    given = dict(item)
    type_ = given.pop("type", "webhook")
    return type_, members(given, with_none=with_none)


def template(task: Mapping[str, Any] | str) -> Mapping[str, Any]:
    """Return what each run of a schedule is, as the API takes it.

    Args:
        task: a URL, or a task as ``named`` takes it. Its ``expires_at`` is a length of time.

    Raises:
        ValueError: see ``members``.
    """
    type_, made = named({"url": task} if isinstance(task, str) else task)
    return {type_: made}


def query(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the parameters of a query that *given* filters stand for: of several values, each."""
    return [(name, text) for name, value in given.items() if value is not None for text in _query_texts(name, value)]


def _query_texts(name: str, value: Any) -> list[str]:
    if isinstance(value, datetime):
        return [moment(name, value)]
    if isinstance(value, str | int | UUID):
        return [str(value)]
    return [str(each) for each in value]


def _rfc3339(value: datetime) -> str:
    """RFC 3339 has no offset with seconds, as those of places were long ago: such a moment is written in UTC."""
    offset = value.utcoffset()
    if offset is not None and offset % timedelta(minutes=1):
        value = (value - offset).replace(tzinfo=None)
        return f"{value.isoformat()}Z"
    return value.isoformat()
