"""What tasks are found by. Each filter is declared once, in ``FILTERS``.

From here come the parameters of ``GET /tasks``, the filters of an operation, and what the
description says of both. The conditions in SQL stand under the kinds of the filters in the ``.sql``
files of the stores. A new filter is a line here, and a condition in each store if its kind is new.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias, get_args

import msgspec
from msgspec import Struct

from tasker.errors import InvalidQueryError, cut
from tasker.explaining import WaitReason
from tasker.ids import parse_id
from tasker.model import instants
from tasker.model.fingerprint import LENGTH as FINGERPRINT_LENGTH
from tasker.model.instants import Instant
from tasker.model.task import STATES, State

Value: TypeAlias = str | int
"""A value of a filter as stores take it: a text, an id as canonical text, an instant, or a number."""


class Kind(Enum):
    """How a filter compares. The words are those in the names of the conditions."""

    STATE = "state"
    TEXT = "text"
    KEY = "key"
    KEY_PREFIX = "key_prefix"
    TAG = "tag"
    ID = "id"
    DESTINATION = "destination"
    """By its id, a number, or by its name."""
    GROUP = "group"
    QUEUE = "queue"
    ERROR = "error"
    FINGERPRINT = "fingerprint"
    REASON = "reason"
    FROM = "from"
    """At this moment or later."""
    BEFORE = "before"


class Filter(NamedTuple):
    """Something that tasks are found by."""

    name: str
    kind: Kind
    description: str
    column: str = ""
    """Of the table ``task``; empty: the condition knows it."""


FILTERS: Final = (
    Filter("state", Kind.STATE, "The state; of several, any of them."),
    Filter("type", Kind.TEXT, "The task type.", "type"),
    Filter("tag", Kind.TAG, "A tag; of several, all of them."),
    Filter("key", Kind.KEY, "The key; also of tasks that had it and have ended."),
    Filter("key_prefix", Kind.KEY_PREFIX, "What the key begins with."),
    Filter("destination", Kind.DESTINATION, "Where it goes: the id of a destination, or its name."),
    Filter("group", Kind.GROUP, "The name of the group."),
    Filter("queue", Kind.QUEUE, "The name of the queue that workers claim it from."),
    Filter("error", Kind.ERROR, "The code of last_error."),
    Filter("fingerprint", Kind.FINGERPRINT, "The fingerprint of last_error, as GET /failures shows it."),
    Filter("reason", Kind.REASON, "Of a task that is todo: why it does not run yet, as explain says."),
    Filter("schedule", Kind.TEXT, "The schedule whose runs they are; it may have been deleted.", "schedule"),
    Filter("parent", Kind.ID, "Of a callback: the id of the task that it tells of.", "parent_id"),
    Filter("due_after", Kind.FROM, "The execution time is this one or later.", "execution_at"),
    Filter("due_before", Kind.BEFORE, "The execution time is earlier.", "execution_at"),
    Filter("ended_after", Kind.FROM, "The task ended at this time or later.", "ended_at"),
    Filter("ended_before", Kind.BEFORE, "The task ended earlier.", "ended_at"),
    Filter("created_after", Kind.FROM, "The task was stored at this time or later.", "created_at"),
    Filter("created_before", Kind.BEFORE, "The task was stored earlier.", "created_at"),
)
"""All filters, in the order in which the documentation names them."""

REASONS: Final[tuple[str, ...]] = get_args(WaitReason)
"""Why a task that is ``todo`` does not run yet."""

MOST_TAGS: Final = 20
"""As many as a task can have."""

_BY_NAME: Final[Mapping[str, Filter]] = {each.name: each for each in FILTERS}
_STATES: Final = {state.word: state for state in STATES}
_ENDED: Final = frozenset({State.DONE, State.FAILED, State.CANCELLED})
_DRIVING: Final = ("key", "parent", "schedule", "tag", "key_prefix")
"""The filters with an index of their own: the first that is given drives."""
_LONGEST_KEY: Final = 255
_LONGEST_TAG: Final = 100
_LONGEST_GROUP: Final = 100
_LONGEST_ID: Final = 9
"""Digits in the id of a destination."""


class Order(Enum):
    """What found tasks are ordered by."""

    DUE = "due"
    """The execution time, as in lists."""
    ENDED = "ended"
    """The end: only of tasks that have ended."""
    CREATED = "created"
    """The order of arrival."""


SORTS: Final = tuple(f"{sign}{order.value}" for order in Order for sign in ("", "-"))
"""What a caller may write for the order."""


class Query(Struct, frozen=True, kw_only=True):
    """Which tasks are looked for, and in which order. See ``query_of``."""

    given: tuple[tuple[Filter, tuple[Value, ...]], ...] = ()
    """The filters that are given, each once, with the values that they are given."""
    order: Order = Order.DUE
    is_descending: bool = False

    @property
    def states(self) -> frozenset[State]:
        """The states that a task may be in: it is in no other if it passes all filters, and is in the order."""
        states = frozenset(STATES)
        for each, values in self.given:
            if each.kind is Kind.STATE:
                states &= {State(int(value)) for value in values}
            elif each.kind is Kind.REASON:
                states &= {State.TODO}
            elif each.column == "ended_at":
                states &= _ENDED
        return states & _ENDED if self.order is Order.ENDED else states

    @property
    def types(self) -> tuple[str, ...] | None:
        """The task types that are named; None: all."""
        named = [tuple(map(str, values)) for each, values in self.given if each.name == "type"]
        return named[0] if named else None

    @property
    def driving(self) -> tuple[Filter, Value] | None:
        """The filter whose index is walked, in the order of arrival; None: the order has an index of its own."""
        given = {each.name: values[0] for each, values in self.given}
        return next(((_BY_NAME[name], given[name]) for name in _DRIVING if name in given), None)

    @property
    def bounds(self) -> tuple[Instant | None, Instant | None]:
        """Of an order by time, the moment at which it begins and the one before which it ends; None: no filter says."""
        column = {Order.DUE: "execution_at", Order.ENDED: "ended_at"}.get(self.order)
        moments = {each.kind: int(values[0]) for each, values in self.given if each.column == column}
        return moments.get(Kind.FROM), moments.get(Kind.BEFORE)

    def stored_until(self, moment: Instant) -> "Query":
        """Return the same query of tasks alone that were stored at *moment* or before.

        At the moment itself, too: a clock that stands still, in a test, shows the same to all.
        """
        return msgspec.structs.replace(self, given=(*self.given, (_BY_NAME["created_before"], (moment + 1,))))

    def cursor(self, position: str) -> str:
        """Return *position*, which a store has named, as a text that belongs to this query."""
        return base64.urlsafe_b64encode(self._fingerprint + position.encode()).decode().rstrip("=")

    def position(self, cursor: str) -> str:
        """Return the position that *cursor* stands for.

        Raises:
            InvalidQueryError: it is not one, or belongs to another query.
        """
        try:
            read = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            position = read[_FINGERPRINT:].decode("ascii")
        except (ValueError, binascii.Error):
            position = ""
        if not position:
            raise InvalidQueryError("cursor", "expected the cursor of a page before, as its next gives it")
        if read[:_FINGERPRINT] != self._fingerprint:
            raise InvalidQueryError("cursor", "expected the same filters and sort as on the page that it comes from")
        return position

    @property
    def _fingerprint(self) -> bytes:
        said = [self.order.value, self.is_descending, [(each.name, values) for each, values in self.given]]
        return hashlib.sha256(msgspec.json.encode(said)).digest()[:_FINGERPRINT]


_FINGERPRINT: Final = 9
"""Bytes of a cursor that say which query it belongs to."""


def query_of(given: Mapping[str, Sequence[str]], sort: str | None = None) -> Query:
    """Return the query that a caller's words stand for.

    Without *sort*, the order is that of arrival where one of ``key``, ``parent``, ``tag`` and
    ``key_prefix`` is given, and else that of the execution time.

    Args:
        given: filters by name, each with one value or more; names that are none are passed over.
        sort: one of ``SORTS``.

    Raises:
        InvalidQueryError: a value cannot be used, or the order is not possible with these filters.
    """
    read = tuple((each, _values(each, given[each.name])) for each in FILTERS if each.name in given)
    driving = Query(given=read).driving
    if sort is None:
        return Query(given=read, order=Order.DUE if driving is None else Order.CREATED)
    if sort not in SORTS:
        raise InvalidQueryError("sort", f"expected one of {', '.join(SORTS)}, got: {cut(sort)!r}")
    order = Order(sort.removeprefix("-"))
    if driving is not None and order is not Order.CREATED:
        raise InvalidQueryError("sort", f"expected created or -created together with {driving[0].name}, got: {sort}")
    return Query(given=read, order=order, is_descending=sort.startswith("-"))


def usual_sort(query: Query) -> str:
    """Return the order in which people look for what passes *query*: what they look for first comes first.

    That is the next one due of those that wait, the latest end of those that have ended, and else
    the newest.
    """
    if query.driving is None and query.states == {State.TODO}:
        return Order.DUE.value
    if query.driving is None and query.states <= _ENDED:
        return f"-{Order.ENDED.value}"
    return f"-{Order.CREATED.value}"


def words_of(query: Query) -> Mapping[str, Sequence[str]]:
    """Return the filters of *query* in a caller's words: ``query_of`` makes the same of them."""
    return {each.name: [_word(each, value) for value in values] for each, values in query.given}


def schema_of(each: Filter) -> dict[str, Any]:
    """Return the JSON schema of the values of a filter: of one, or of a list if there may be several."""
    match each.kind:
        case Kind.STATE:
            return {"type": "array", "items": {"type": "string", "enum": list(_STATES)}}
        case Kind.TAG:
            return {
                "type": "array",
                "items": {"type": "string", "minLength": 1, "maxLength": _LONGEST_TAG},
                "maxItems": MOST_TAGS,
            }
        case Kind.KEY | Kind.KEY_PREFIX:
            return {"type": "string", "minLength": 1, "maxLength": _LONGEST_KEY}
        case Kind.GROUP:
            return {"type": "string", "minLength": 1, "maxLength": _LONGEST_GROUP}
        case Kind.FINGERPRINT:
            return {"type": "string", "pattern": f"^[0-9a-f]{{{FINGERPRINT_LENGTH}}}$"}
        case Kind.ID:
            return {"type": "string", "format": "uuid"}
        case Kind.REASON:
            return {"type": "string", "enum": list(REASONS)}
        case Kind.FROM | Kind.BEFORE:
            return {"type": "string", "format": "date-time"}
        case _:
            return {"type": "string", "minLength": 1}


def _values(each: Filter, texts: Sequence[str]) -> tuple[Value, ...]:
    most = {Kind.STATE: None, Kind.TAG: MOST_TAGS}.get(each.kind, 1)
    if most is not None and len(texts) > most:
        right = "one value" if most == 1 else f"at most {most}"
        raise InvalidQueryError(each.name, f"expected {right}, got {len(texts)}")
    return tuple(sorted({_value(each, text) for text in texts}, key=str))  # in an order that is always the same


def _value(each: Filter, text: str) -> Value:
    if "\x00" in text:
        raise InvalidQueryError(each.name, f"expected a text without the character U+0000, got: {cut(text)!r}")
    try:
        return _READERS[each.kind](text)
    except ValueError as error:
        raise InvalidQueryError(each.name, str(error)) from None


def _known(text: str, known: Iterable[str]) -> str:
    if text in known:
        return text
    raise ValueError(f"expected one of {', '.join(known)}, got: {cut(text)!r}")


def _no_longer(text: str, longest: int) -> str:
    if 0 < len(text) <= longest:
        return text
    raise ValueError(f"expected 1 to {longest} characters, got {len(text)}")


def _not_empty(text: str) -> str:
    if text:
        return text
    raise ValueError("expected a text that is not empty")


def _id(text: str) -> str:
    try:
        return parse_id(text)
    except ValueError:
        raise ValueError(f"expected a UUID, got: {cut(text)!r}") from None


def _fingerprint(text: str) -> str:
    if re.fullmatch(f"[0-9a-f]{{{FINGERPRINT_LENGTH}}}", text):
        return text
    raise ValueError(
        f"expected {FINGERPRINT_LENGTH} of the characters 0-9 and a-f, as GET /failures shows them, got: {cut(text)!r}"
    )


def destination_id(text: str) -> int | None:
    """Return the id of a destination that *text* is; None: it is none, but may be a name."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID else None


def _destination(text: str) -> Value:
    id_ = destination_id(text)
    return _not_empty(text) if id_ is None else id_


_READERS: Final[Mapping[Kind, Callable[[str], Value]]] = {
    Kind.STATE: lambda text: int(_STATES[_known(text, _STATES)]),
    Kind.TEXT: _not_empty,
    Kind.KEY: partial(_no_longer, longest=_LONGEST_KEY),
    Kind.KEY_PREFIX: partial(_no_longer, longest=_LONGEST_KEY),
    Kind.TAG: partial(_no_longer, longest=_LONGEST_TAG),
    Kind.ID: _id,
    Kind.DESTINATION: _destination,
    Kind.GROUP: partial(_no_longer, longest=_LONGEST_GROUP),
    Kind.QUEUE: _not_empty,
    Kind.ERROR: _not_empty,
    Kind.FINGERPRINT: _fingerprint,
    Kind.REASON: partial(_known, known=REASONS),
    Kind.FROM: instants.parse,
    Kind.BEFORE: instants.parse,
}
"""What each kind of filter makes of a caller's words. Raises ``ValueError`` with what would be right."""


def _word(each: Filter, value: Value) -> str:
    match each.kind:
        case Kind.STATE:
            return State(int(value)).word
        case Kind.FROM | Kind.BEFORE:
            return instants.text(int(value))
        case _:
            return str(value)
