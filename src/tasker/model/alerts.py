"""Which alerts begin and end: pure rules over what is wrong now, what was told, and the time.

What is wrong is a ``Trouble``. A ``Message`` tells of those that began and ended since the one
before. Of each cause one message is on its way at a time, and the next follows a minute after it, so
that a trouble that comes and goes makes no noise.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import Enum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tasker.model.instants import Instant, after, microseconds, text
from tasker.model.store_meter import Space

APART: Final = timedelta(minutes=1)
"""How far apart two messages of one cause are at least."""

CIRCUIT_AFTER: Final = timedelta(minutes=10)
"""After so long a circuit that does not close is a trouble."""

WRITES_AFTER: Final = timedelta(seconds=10)
"""After so long writes that fail are a trouble: a database may be away for a moment when another
machine takes over."""

TROUBLES_TOLD: Final = 100
"""Troubles of one cause that are told, those that began first. The others wait until some are
over."""

FIRST_WAIT: Final = timedelta(seconds=10)
"""How long a message waits for its second try. Each that fails doubles it."""

LONGEST_WAIT: Final = timedelta(minutes=5)

LONGEST_RETRY_AFTER: Final = timedelta(hours=1)
"""A receiver that asks for more than this is asked again after this."""

_LOW_PART: Final = 10
"""A disk is nearly full with less than one part in so many free, ..."""
_LOW_BYTES: Final = 5 << 30
"""... if that is less than this, too."""


class Cause(Enum):
    """What an alert is about."""

    LATE = "late"
    """Tasks are overdue, and no gate keeps them."""
    CIRCUIT_OPEN = "circuit_open"
    """A destination has failed for long."""
    DISK_NEARLY_FULL = "disk_nearly_full"
    """The disk with the database."""
    WRITES_FAIL = "writes_fail"
    """A node cannot write. Each node tells this for itself."""
    NODE_GONE = "node_gone"
    """Another node has died, or cannot reach the database."""


class Trouble(Struct, frozen=True, kw_only=True):
    """Something that is wrong."""

    id: str
    """What tells it from the others of its cause, for as long as it lasts."""
    name: str
    """What people know it by."""
    since: Instant
    facts: Mapping[str, int | str] = {}
    """What there is to know of it, for programs."""
    note: str = ""
    """What there is to know of it, for people, as a clause; of one that is over: how it ended."""


class Message(Struct, frozen=True, kw_only=True):
    """What is told of one cause."""

    id: str
    at: Instant
    """When it was made."""
    cause: Cause
    node: str = ""
    """The URL of the node that made it; empty: no node did."""
    began: Sequence[Trouble] = ()
    ended: Sequence[Trouble] = ()
    """As they were told when they began, but for the note."""
    lasting: int = 0
    """How many troubles of the cause have begun and are not over, those of ``began`` included."""
    tries: int = 0
    try_at: Instant = 0
    """When it is sent next."""


class Told(Struct, frozen=True, kw_only=True):
    """What has been told of one cause, and what is on its way."""

    lasting: Mapping[str, Trouble] = {}
    """What was told to have begun, and not that it is over, by its id. What ``message`` tells
    counts."""
    message: Message | None = None
    """What has not arrived, as far as is known."""
    sent_at: Instant | None = None
    """When the latest message arrived."""


def judged(
    told: Told,
    cause: Cause,
    troubles: Sequence[Trouble],
    now: Instant,
    new_id: Callable[[Instant], str],
    notes: Mapping[str, str] | None = None,
    *,
    node: str = "",
) -> Told:
    """Return what is told after a look at *now* found *troubles*, those that began first before the others.

    A message is made if other troubles last than was told, unless one is still on its way, or the
    latest arrived less than ``APART`` ago.

    Args:
        notes: how troubles ended, by their ids.
        node: the URL of this node.

    >>> trouble = Trouble(id="", name="", since=0)
    >>> told = judged(Told(), Cause.LATE, [trouble], 0, str)
    >>> told.message.began == [trouble], judged(told, Cause.LATE, [], 0, str) == told
    (True, True)
    """
    is_early = told.sent_at is not None and told.sent_at <= now < after(told.sent_at, APART)
    if told.message is not None or is_early:
        return told
    found = {trouble.id: trouble for trouble in troubles}
    ended = [
        replace(trouble, note=(notes or {}).get(trouble.id, ""))
        for trouble in told.lasting.values()
        if trouble.id not in found
    ]
    lasting = {trouble.id: trouble for trouble in told.lasting.values() if trouble.id in found}
    began = [trouble for trouble in found.values() if trouble.id not in lasting][: TROUBLES_TOLD - len(lasting)]
    if not (began or ended):
        return told
    lasting |= {trouble.id: trouble for trouble in began}
    message = Message(
        id=new_id(now), at=now, cause=cause, node=node, began=began, ended=ended, lasting=len(lasting), try_at=now
    )
    return replace(told, lasting=lasting, message=message)


def arrived(told: Told, now: Instant) -> Told:
    """Return what is told once the message on its way has arrived at *now*."""
    return replace(told, message=None, sent_at=now)


def refused(told: Told, now: Instant, retry_after: timedelta | None) -> Told:
    """Return what is told once a try to send the message has failed at *now*: it is sent again after a while.

    Args:
        retry_after: how long the receiver asks to be left alone; None: it does not.
    """
    assert told.message is not None  # noqa: S101 - it was sent
    tries = told.message.tries + 1
    wait = min(FIRST_WAIT * (1 << min(tries - 1, 16)), LONGEST_WAIT)
    wait = max(wait, min(retry_after or timedelta(0), LONGEST_RETRY_AFTER))
    return replace(told, message=replace(told.message, tries=tries, try_at=after(now, wait)))


def is_due(told: Told, now: Instant) -> bool:
    """Whether a message is to be sent at *now*. One whose try is further away than any wait is, too.

    The clock was set back then.
    """
    message = told.message
    return message is not None and not now < message.try_at <= after(now, LONGEST_RETRY_AFTER)


def late(
    count: int, oldest: Instant | None, *, counts_from: Instant, limit: timedelta, now: Instant, is_told: bool
) -> Sequence[Trouble]:
    """Return whether tasks are late: one has been overdue for longer than *limit*, and no gate keeps it.

    Once that is told, it is over when none is overdue for longer than half of it.

    Args:
        count: how many are overdue, as far as they are counted.
        oldest: since when the one is due that is overdue for longest; None: none is overdue.
        counts_from: the end of the latest span in which nothing could be claimed. What was overdue
            then begins to count with it, but does not end with it.

    >>> minute, now = timedelta(minutes=1), 61_000_000
    >>> [trouble.since for trouble in late(1, 0, counts_from=0, limit=minute, now=now, is_told=False)]
    [0]
    >>> late(1, 0, counts_from=now, limit=minute, now=now, is_told=False)
    []
    """
    if oldest is None:
        return []
    since = oldest if is_told else max(oldest, counts_from)
    if now - since <= microseconds(limit / 2 if is_told else limit):
        return []
    facts: dict[str, int | str] = {"overdue": count, "oldest_due_at": text(oldest)}
    note = f"{count} overdue, the oldest due at {shown(oldest)}"
    return [Trouble(id="", name="tasks", since=since, facts=facts, note=note)]


def nearly_full(space: Space, now: Instant, *, told: Sequence[Trouble]) -> Sequence[Trouble]:
    """Return whether a disk is nearly full: less than a tenth of it is free, and less than 5 GiB.

    Once that is told, it is over when a fifth more is free. While nobody can tell, what was *told*
    lasts.

    >>> nearly_full(Space(free=9, size=100), 0, told=[])[0].facts
    {'free_bytes': 9, 'total_bytes': 100}
    >>> nearly_full(Space(free=10, size=100), 0, told=[])
    []
    """
    if space.free is None or space.size is None:
        return told
    least = min(space.size // _LOW_PART, _LOW_BYTES)
    if space.free >= (least + least // 5 if told else least):
        return []
    facts: dict[str, int | str] = {"free_bytes": space.free, "total_bytes": space.size}
    note = f"{space.free >> 20} MiB of {space.size >> 20} MiB are free"
    return [Trouble(id="", name="the disk of the database", since=now, facts=facts, note=note)]


def shown(moment: Instant) -> str:
    """Return *moment* to the second, for people."""
    return f"{text(moment)[:19]}Z"
