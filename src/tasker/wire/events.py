"""Events as readers get them: server-sent events with JSON."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from tasker.model import instants
from tasker.model.event import Event, EventChange
from tasker.model.instants import SECOND, Instant
from tasker.wire.tasks import StateWord

_encode: Final = msgspec.json.Encoder().encode
_MINUTE: Final = 60 * SECOND


class EventView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The data of an event. Members that say nothing are left out."""

    at: Annotated[str, Meta(extra_json_schema={"format": "date-time"}, description="When it happened.")]
    node: Annotated[str, Meta(description="The node that did it, or saw it; or the node that it is about.")]
    id: Annotated[str, Meta(description="Of the task or the operation.")] | None = None
    type: Annotated[str, Meta(description="Of the task.")] | None = None
    state: Annotated[StateWord, Meta(description="Of the task, once this has happened.")] | None = None
    key: str | None = None
    tags: Sequence[str] = ()
    destination: (
        Annotated[
            str,
            Meta(
                description="Where the task goes: a host, or its type; or the destination that it is about.",
                examples=["https://example.org:443"],
            ),
        ]
        | None
    ) = None
    group: str | None = None
    due_at: (
        Annotated[
            str,
            Meta(
                extra_json_schema={"format": "date-time"},
                description="When the next attempt is due, or when the latest was.",
            ),
        ]
        | None
    ) = None
    attempt: Annotated[int, Meta(description="The number of the attempt.")] | None = None
    code: Annotated[str, Meta(description="Why the attempt or the task failed.")] | None = None
    change: Annotated[EventChange, Meta(description="What exactly has happened.")] | None = None
    count: Annotated[int, Meta(description="How many tasks it is about, if there are several.")] | None = None
    action: Annotated[str, Meta(description="What the operation does to each task.")] | None = None
    status: Annotated[str, Meta(description="The state of the operation.")] | None = None
    matched: int | None = None
    changed: int | None = None
    refused: int | None = None
    schedule: (
        Annotated[str, Meta(description="The name of the schedule that it is about, or whose run the task is.")] | None
    ) = None
    deadline: (
        Annotated[
            str,
            Meta(
                extra_json_schema={"format": "date-time"},
                description="Of accepted: until when the task waits for its completion.",
            ),
        ]
        | None
    ) = None


def event_frame(event: Event, id_: object) -> bytes:
    """Return *event* as a server-sent event that has this id."""
    view = EventView(
        at=_text(event.at),
        node=event.node,
        id=event.id,
        type=event.type,
        state=event.state,  # type: ignore[arg-type]  # a word of a state
        key=event.key,
        tags=event.tags,
        destination=event.destination,
        group=event.group,
        due_at=None if event.due_at is None else _text(event.due_at),
        attempt=event.attempt,
        code=event.code,
        change=event.change,
        count=event.count,
        action=event.action,
        status=event.status,
        matched=event.matched,
        changed=event.changed,
        refused=event.refused,
        schedule=event.schedule,
        deadline=None if event.deadline is None else _text(event.deadline),
    )
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (str(id_).encode(), event.kind.encode(), _encode(view))


def _text(moment: Instant) -> str:
    """Return what ``instants.text`` does, in less time: many events name the same minutes."""
    minute, rest = divmod(moment, _MINUTE)
    return f"{_minute(minute)}{rest // SECOND:02}.{rest % SECOND:06}Z"


@lru_cache(maxsize=4_096)
def _minute(minute: int) -> str:
    return instants.text(minute * _MINUTE).removesuffix("00.000000Z")


def gap_frame(missed: Mapping[str, int], id_: object) -> bytes:
    """Return what tells how many events of each kind were left out."""
    return _frame("gap", {"counts": missed}, id_)


def signal_frame(kinds: Sequence[str], id_: object) -> bytes:
    """Return what tells of which kinds there were events."""
    return _frame("signal", {"changed": kinds}, id_)


def reset_frame(reason: str, id_: object) -> bytes:
    """Return what tells that events may be missing: what the reader knows may be out of date."""
    return _frame("reset", {"reason": reason}, id_)


def partial_frame(reason: str) -> bytes:
    """Return what tells that not all nodes tell of their events."""
    return _frame("partial", {"reason": reason}, None)


def closing_frame(reason: str) -> bytes:
    """Return what tells that nothing follows."""
    return _frame("closing", {"reason": reason}, None)


def opening_frame(id_: object, *, retry_milliseconds: int) -> bytes:
    """Return the beginning: after how long to come back, and from where on."""
    return b"retry: %d\nid: %b\n\n" % (retry_milliseconds, str(id_).encode())


def keep_alive_frame(id_: object | None) -> bytes:
    """Return what is no event, but keeps the connection alive, and says up to where there is nothing to tell."""
    return b": keep-alive\n\n" if id_ is None else b": keep-alive\nid: %b\n\n" % str(id_).encode()


def _frame(name: str, data: Mapping[str, object], id_: object | None) -> bytes:
    id_line = b"" if id_ is None else b"id: %b\n" % str(id_).encode()
    return b"%bevent: %b\ndata: %b\n\n" % (id_line, name.encode(), _encode(data))
