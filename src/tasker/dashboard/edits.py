"""JSON as somebody has typed it, and what was changed in that of a task: a merge patch of it. Pure."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from msgspec import MsgspecError, Raw, json

Json: TypeAlias = Any

_GONE: Final = None


def read(text: str, expected: str = "JSON") -> Json:
    """Return what JSON says.

    Args:
        expected: what would be right, for the message.

    Raises:
        ValueError: it is none. The message says why.

    >>> read("[" * 10_000)
    Traceback (most recent call last):
    ValueError: expected JSON with less inside of each other
    """
    try:
        return json.decode(text)
    except MsgspecError as error:
        raise ValueError(f"expected {expected}: {error}") from None
    except RecursionError:
        raise ValueError(f"expected {expected} with less inside of each other") from None


def merge_patch(before: Mapping[str, Json], after: Mapping[str, Json]) -> dict[str, Json]:
    """Return the merge patch that makes *after* of *before*: only what differs, at any depth; null: it is gone.

    Source: RFC 7396. A list counts as a whole.

    >>> merge_patch({"a": 1, "b": {"c": 1, "d": 2}, "e": 3}, {"a": 1, "b": {"c": 2, "d": 2}})
    {'b': {'c': 2}, 'e': None}
    """
    patch: dict[str, Json] = {}
    for name, value in after.items():
        if name not in before:
            patch[name] = value
        elif isinstance(value, dict) and isinstance(before[name], dict):
            if inner := merge_patch(before[name], value):
                patch[name] = inner
        elif not _same(value, before[name]):
            patch[name] = value
    patch.update(dict.fromkeys((name for name in before if name not in after), _GONE))
    return patch


def _same(one: Json, other: Json) -> bool:
    return json.encode(one) == json.encode(other)  # True is no 1, and 1 no 1.0


def members(patch: Mapping[str, Json]) -> dict[str, Raw]:
    """Return a patch as changes take it."""
    return {name: Raw(json.encode(value)) for name, value in patch.items()}
