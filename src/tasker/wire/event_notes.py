"""Events as nodes tell them to each other: texts that are not longer than a notification may be."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from tasker.model.event import Event

MOST_BYTES: Final = 7_900
"""Of a text. A notification of PostgreSQL has less than 8,000, and the name of the sender is one of them."""

_encode: Final = msgspec.json.Encoder().encode


class Note(Struct, frozen=True, array_like=True):
    """What one text says."""

    events: Sequence[Event] = ()
    missed: Mapping[str, int] = {}
    """How many events of each kind there were that are not told."""


_decode: Final = msgspec.json.Decoder(Note).decode


def packed(events: Sequence[Event], missed: Mapping[str, int], *, most_bytes: int = MOST_BYTES) -> Sequence[str]:
    """Return texts that tell of *events*, in their order, and of what is missed. An event that is too long is missed.

    Empty if there is nothing to tell.
    """
    left = dict(missed)
    texts: list[str] = []
    parts: list[bytes] = []
    size = 0  # of parts, a comma after each
    for event in events:
        part = _encode(event)
        if len(part) + _FRAME > most_bytes:
            left[event.kind] = left.get(event.kind, 0) + 1
            continue
        if size + len(part) + _FRAME > most_bytes:
            texts.append(_text(parts))
            parts, size = [], 0
        parts.append(part)
        size += len(part) + 1
    if parts:
        texts.append(_text(parts))
    if left:
        texts.append(_encode(Note(missed=left)).decode())
    return texts


def unpacked(text: str) -> Note:
    """Return what *text* says.

    Raises:
        ValueError: it is none of ours, or one of a version that knows more.
    """
    return _decode(text)


def _text(parts: Sequence[bytes]) -> str:
    return (b"[[" + b",".join(parts) + b"]]").decode()


_FRAME: Final = 4
"""The brackets around the events."""
