"""The body of an alert: a text for people, which chats show, and members for programs.

The only member beside ``text`` is ``alert``. Chats give a meaning to others, such as ``type`` and
``channel``, and refuse what they do not expect there.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from tasker.model import instants
from tasker.model.alerts import CIRCUIT_AFTER, Cause, Message, Trouble, shown
from tasker.model.instants import Instant

_NAMES_SHOWN: Final = 10
"""Troubles that a text names."""

_MARKUP: Final = str.maketrans("<>&`", "????")
"""What chats take for markup within a name in backticks: ``<!channel>`` calls everybody."""

_MINUTES: Final = int(CIRCUIT_AFTER.total_seconds()) // 60


class TroubleView(Struct, frozen=True, kw_only=True):
    """Something that began or ended."""

    name: str
    since: str
    facts: Mapping[str, int | str]


class AlertView(Struct, frozen=True, kw_only=True):
    """An alert, for programs."""

    id: str
    at: str
    cause: str
    node: str
    began: Sequence[TroubleView]
    ended: Sequence[TroubleView]
    lasting: int


class AlertBody(Struct, frozen=True, kw_only=True):
    """The body of an alert."""

    text: str
    alert: AlertView


def alert_body(message: Message) -> bytes:
    """Return what is sent of *message*: the same each time, whoever sends it."""
    return _encoded("\n".join([*_began(message), *_ended(message)]), message, message.cause.value)


def sample_body(message_id: str, now: Instant) -> bytes:
    """Return what is sent to see whether alerts arrive."""
    message = Message(id=message_id, at=now, cause=Cause.LATE)
    return _encoded("tasker: this is a test. Alerts arrive here.", message, "test")


def _encoded(text: str, message: Message, cause: str) -> bytes:
    return msgspec.json.encode(
        AlertBody(
            text=text,
            alert=AlertView(
                id=message.id,
                at=instants.text(message.at),
                cause=cause,
                node=message.node,
                began=_views(message.began),
                ended=_views(message.ended),
                lasting=message.lasting,
            ),
        )
    )


def _views(troubles: Sequence[Trouble]) -> list[TroubleView]:
    return [
        TroubleView(name=trouble.name, since=instants.text(trouble.since), facts=trouble.facts) for trouble in troubles
    ]


def _began(message: Message) -> list[str]:
    if not message.began:
        return []
    first = message.began[0]
    match message.cause:
        case Cause.LATE:
            return [f"tasker: tasks are late: {first.note}."]
        case Cause.DISK_NEARLY_FULL:
            return [f"tasker: {first.name} is nearly full: {first.note}."]
        case Cause.WRITES_FAIL:
            return [f"tasker: {_name(first)} cannot write to its database: {first.note}."]
        case Cause.CIRCUIT_OPEN:
            count = len(message.began)
            which = "a destination has" if count == 1 else f"{count} destinations have"
            return [f"tasker: {which} failed for more than {_MINUTES} minutes: {_named(message.began)}."]
        case Cause.NODE_GONE:
            which = "a node is gone" if len(message.began) == 1 else f"{len(message.began)} nodes are gone"
            return [f"tasker: {which}: {_named(message.began)}."]


def _ended(message: Message) -> list[str]:
    if not message.ended:
        return []
    first = message.ended[0]
    match message.cause:
        case Cause.LATE:
            what = "no task is late any more"
        case Cause.DISK_NEARLY_FULL:
            what = f"{first.name} has room again"
        case Cause.WRITES_FAIL:
            what = f"{_name(first)}: {first.note}"
        case Cause.CIRCUIT_OPEN | Cause.NODE_GONE:
            what = _named(message.ended)
    since = f" It began at {shown(first.since)}." if len(message.ended) == 1 else ""
    others = message.lasting - len(message.began)
    more = f" It is not over for {others} more." if others else ""
    return [f"tasker: over: {what}.{since}{more}"]


def _named(troubles: Sequence[Trouble]) -> str:
    names = [f"{_name(trouble)} ({trouble.note})" for trouble in troubles[:_NAMES_SHOWN]]
    more = len(troubles) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _name(trouble: Trouble) -> str:
    plain = "".join(sign if sign.isprintable() else "?" for sign in trouble.name.translate(_MARKUP))
    return f"`{plain}`"
