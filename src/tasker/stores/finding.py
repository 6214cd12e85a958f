"""Finding tasks, as far as all stores do it alike: which indexes are walked, on what condition, and for how long.

A walk goes along one index, or along several that are merged, and says of each row whether it
passes the filters. It is made in pieces, each longer than the one before, until the page is full,
the walk has come to its end, or enough was looked at. The texts are those of the ``.sql`` files:
``walk_...`` go along an index, ``filter_...`` and ``reason_...`` are conditions.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final, Generic, NamedTuple, TypeVar, assert_never

from tasker.filters import Filter, Kind, Order, Query, Value
from tasker.interfaces.tasks import Counted, Page
from tasker.model.circuit import THRESHOLD
from tasker.model.instants import Instant
from tasker.model.operation import Batch, Match
from tasker.model.task import Pool, State, Task, TaskId
from tasker.timing.leisure import is_at_leisure

Id = TypeVar("Id")
"""What a row is found by: an integer or a UUID."""

MOST_LOOKED_AT: Final = 20_000
"""Rows that one page looks at, at most."""

LONGEST_LOOK: Final = timedelta(milliseconds=20)
"""After so long a page ends, wherever it has come to."""

_GROWTH: Final = 4
"""How much longer a piece is than the one before."""

AT_ONCE: Final = 1_000
"""Rows that a piece looks at, unless a page has more: between two, the database has time for what is due."""

AT_LEISURE: Final = 400
"""The same at leisure."""


_PAUSED_OR_NOT: Final = ("waiting", "retrying", "paused_all")
"""The reasons that stand while everything is paused; the others give way to ``paused_all``."""


class Direction(NamedTuple):
    """The words of a direction in SQL."""

    beyond: str
    """Compares with the position that the walk has come to."""
    within: str
    """Compares with the bound at which the walk ends: the later one is outside, the earlier one inside."""
    direction: str
    opposite: str


ASCENDING: Final = Direction(">", "<", "ASC", "DESC")
DESCENDING: Final = Direction("<", ">=", "DESC", "ASC")


class Places:
    """Values, and where they stand in the text of a statement."""

    def __init__(self, name: Callable[[int], str], kept_id: Callable[[TaskId], object]) -> None:
        """Make it, without values.

        Args:
            name: says how the place of a value is written, by its number from 1.
            kept_id: makes of an id what the store keeps.
        """
        self._name = name
        self.kept_id = kept_id
        self.values: list[object] = []

    def put(self, value: object) -> str:
        """Have *value* bound, and return its place."""
        self.values.append(value)
        return self._name(len(self.values))


class Walker:
    """Writes the statements of a query."""

    def __init__(self, texts: Mapping[str, str], places: Places, query: Query, free_pools: Collection[Pool]) -> None:
        self._texts = texts
        self._places = places
        self._query = query
        self._free_pools = free_pools
        self._way = DESCENDING if query.is_descending else ASCENDING
        self.fits = " AND ".join(self._conditions()) or "true"
        """The condition on a row of ``task``."""

    def statement(self, name: str, type_pools: Iterable[tuple[str, Pool]], *, by_arrival: bool = False) -> str | None:
        """Return the statement *name*, of ``find_page`` and ``count_found``; None: there is nothing to walk along.

        Args:
            by_arrival: whether the order of arrival is walked along in place of a range of keys, which
                is looked at on the way.
        """
        walks = [self._walk(text, **more) for text, more in self._indexes(list(type_pools), by_arrival)]
        if not walks:
            return None
        order = "order_by_arrival" if self._query.order is Order.CREATED else "order_by_time"
        return self._texts[name].format(
            walks=" UNION ALL ".join(walks),
            order=self._texts[order].format(**self._way._asdict()),
            **self._way._asdict(),
        )

    def _walk(self, text: str, **more: object) -> str:
        return self._texts[text].format(fits=self.fits, **self._way._asdict(), **more)

    def _indexes(self, type_pools: list[tuple[str, Pool]], by_arrival: bool) -> Iterable[tuple[str, dict[str, object]]]:
        """The walks, and what is filled into each."""
        states = self._query.states
        driving = self._query.driving
        if not states:
            return ()
        if driving is not None and not by_arrival:
            each, value = driving
            if each.kind is Kind.KEY_PREFIX:
                return (("walk_keys", {"keys": _keys(self._texts, self._places, value)}),)
            return ((f"walk_{each.name}", {"value": self._put(each, value)}),)
        match self._query.order:
            case Order.CREATED:
                return (("walk_arrival", {}),)
            case Order.ENDED:
                return (
                    (walk, {"state": int(state)}) for state in sorted(states) for walk in ("walk_ended", "walk_kept")
                )
            case Order.DUE:
                return self._lists(type_pools, states)
            case _:
                assert_never(self._query.order)

    def _lists(
        self, type_pools: list[tuple[str, Pool]], states: frozenset[State]
    ) -> Iterable[tuple[str, dict[str, object]]]:
        """Those of the order of lists."""
        types = self._query.types
        asked = [(type_, pool) for type_, pool in type_pools if types is None or type_ in types]
        if State.TODO in states:
            for pool in sorted({pool for _, pool in asked}):
                yield "walk_queue", {"pool": pool}
        others = sorted(stored for state in states - {State.TODO} for stored in state.stored)
        for type_ in sorted({type_ for type_, _ in asked}) if others else ():
            place = self._places.put(type_)
            for state in others:
                yield "walk_list", {"type": place, "state": int(state)}

    def _conditions(self) -> Iterable[str]:
        for each, values in self._query.given:
            match each.kind:
                case Kind.STATE:
                    stored = [int(state) for value in values for state in State(int(value)).stored]
                    yield f"task.state IN ({', '.join(map(str, stored))})"
                case Kind.REASON:
                    pools = ", ".join(map(str, [-1, *sorted(self._free_pools)]))  # never empty
                    reason = self._texts[f"reason_{values[0]}"]
                    with_rate, all_paused = self._texts["gates_with_rate"], self._texts["all_paused"]
                    filled = reason.format(
                        pools=pools,
                        threshold=THRESHOLD,
                        with_rate=with_rate,
                        full_queues=self._texts["full_queues"],
                        all_paused=all_paused,
                    )
                    yield f"({filled})" if values[0] in _PAUSED_OR_NOT else f"({filled}) AND NOT {all_paused}"
                case Kind.DESTINATION if isinstance(values[0], str):
                    yield self._condition("destination_named", each, values[0])
                case Kind.KEY_PREFIX:
                    yield _keys(self._texts, self._places, values[0])
                case kind:
                    for value in values:
                        yield self._condition(kind.value, each, value)

    def _condition(self, name: str, each: Filter, value: Value) -> str:
        return f"({self._texts[f'filter_{name}'].format(column=each.column, value=self._put(each, value))})"

    def _put(self, each: Filter, value: Value) -> str:
        return self._places.put(self._places.kept_id(TaskId(str(value))) if each.kind is Kind.ID else value)


class Bounds(NamedTuple):
    """Between what a walk goes."""

    start: Instant
    """It begins behind this moment, in its direction, or at it if it goes upwards."""
    until: Instant


def bounds_of(query: Query, *, before_all: Instant, after_all: Instant) -> Bounds:
    """Return between which moments a walk goes.

    Args:
        before_all: a moment before all that can be stored.
        after_all: one after all that can be.
    """
    first, end = query.bounds
    first, end = before_all if first is None else first, after_all if end is None else end
    return Bounds(end, first) if query.is_descending else Bounds(first, end)


class Pieces:
    """How long the pieces of a walk are."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        *,
        first: int | None = None,
        most: int | None = None,
        longest: timedelta | None = None,
    ) -> None:
        """Make them.

        Args:
            first: how many rows the first one looks at; None: as many as the others.
            most: how many all look at together, at most; None: as many as a page.
            longest: after so much time in pieces there is no further one; None: as for a page.
        """
        self._monotonic = monotonic
        self._began = 0.0
        self._took = 0.0
        """Seconds that the pieces took, without what was between them."""
        self._at_once = AT_LEISURE if is_at_leisure() else AT_ONCE
        self._next = self._at_once if first is None else first
        self._most = MOST_LOOKED_AT if most is None else most
        self._longest = (LONGEST_LOOK if longest is None else longest).total_seconds()
        self._looked_at = 0

    def next(self) -> int:
        """Return how many rows the next piece may look at; 0: no more are looked at."""
        left = self._most - self._looked_at
        if self._took > 0:
            left = min(left, int(self._looked_at * (self._longest / self._took - 1)))
        length = max(min(self._next, left), 0)
        self._next = min(self._next * _GROWTH, self._at_once)
        self._began = self._monotonic()
        return length

    def looked(self, count: int) -> None:
        """Say that a piece, the one that began with ``next``, has looked at *count* rows."""
        self._looked_at += count
        self._took += self._monotonic() - self._began


class PageWalk(Generic[Id]):
    """How far the walk of a page has come: the stores ask for one piece after the other."""

    def __init__(self, start: tuple[Instant, Id], limit: int, monotonic: Callable[[], float]) -> None:
        self.position = start
        self.found: list[tuple[Instant, Id]] = []
        """The positions of what passes the filters."""
        self._limit = limit
        # One row more: it tells whether there is a next page.
        self._pieces = Pieces(monotonic, first=min(limit + 1, MOST_LOOKED_AT))
        self._length = 0
        self._is_at_end = False

    @property
    def left(self) -> int:
        """How many tasks the page has room for."""
        return self._limit - len(self.found)

    def next(self) -> int:
        """Return how many rows the next piece looks at; 0: the page is complete."""
        self._length = 0 if self._is_at_end or not self.left else self._pieces.next()
        return self._length

    def take(self, rows: Iterable[tuple[Id, Instant, int]]) -> None:
        """Hear what ``find_page`` has found in a piece."""
        looked_at = 0
        for id_, at, looked in rows:
            if looked:
                looked_at, self.position = looked, (at, id_)
            else:
                self.found.append((at, id_))
        self._pieces.looked(looked_at)
        if looked_at < self._length and (self.left or self.found[-1] == self.position):
            self._is_at_end = True
        if not self.left:
            self.position = self.found[-1]

    def page(self, tasks: Sequence[Task]) -> Page:
        """Return the page, which has *tasks* of what was found: all, or as many of the first as one page holds."""
        if len(tasks) < len(self.found):
            return Page(tasks, _text(self.found[len(tasks) - 1]))
        return Page(tasks, None if self._is_at_end else _text(self.position))

    def batch(self, ids: Sequence[TaskId]) -> Batch:
        """Return what was found as a batch of an operation: *ids* are those of the positions."""
        matches = [Match(id_, _text(position)) for id_, position in zip(ids, self.found, strict=True)]
        return Batch(matches, None if self._is_at_end else _text(self.position))


class CountWalk(Generic[Id]):
    """How far counting has come."""

    def __init__(self, start: tuple[Instant, Id], monotonic: Callable[[], float]) -> None:
        self.position = start
        self._pieces = Pieces(monotonic)
        self._length = 0
        self._count = 0
        self._is_at_end = False

    def next(self) -> int:
        """Return how many rows the next piece looks at; 0: no more are counted."""
        self._length = 0 if self._is_at_end else self._pieces.next()
        return self._length

    def take(self, row: tuple[int, int, Id, Instant] | None) -> None:
        """Hear what ``count_found`` says of a piece."""
        looked_at = 0
        if row is not None:
            looked_at, passed, id_, at = row
            self._count += passed
            self.position = (at, id_)
            self._pieces.looked(looked_at)
        self._is_at_end = looked_at < self._length

    @property
    def counted(self) -> Counted:
        """What came of it."""
        return Counted(self._count, self._is_at_end)


def key_range(texts: Mapping[str, str], places: Places, query: Query) -> str | None:
    """Return a statement that counts the keys in the range that drives, up to one more than a page looks at.

    None: no range of keys drives.
    """
    driving = query.driving
    if driving is None or driving[0].kind is not Kind.KEY_PREFIX:
        return None
    return texts["count_keys"].format(keys=_keys(texts, places, driving[1]), up_to=MOST_LOOKED_AT + 1)


def is_wide(keys: int) -> bool:
    """Whether so many keys are in a range that sorting them by arrival would take long."""
    return keys > MOST_LOOKED_AT


def _text(position: tuple[Instant, object]) -> str:
    at, id_ = position
    return f"{at}.{id_}"


def _keys(texts: Mapping[str, str], places: Places, prefix: Value) -> str:
    """The condition that a key begins with *prefix*: a range of code points."""
    text = str(prefix)
    begins = texts["filter_keys_from"].format(value=places.put(text))
    beyond = _beyond(text)
    if beyond is None:
        return begins
    return f"{begins} AND {texts['filter_keys_before'].format(value=places.put(beyond))}"


def _beyond(prefix: str) -> str | None:
    """Return the first text, by code points, after all that begin with *prefix*; None: there is none."""
    while prefix:
        code = ord(prefix[-1]) + 1
        if code == 0xD800:  # what follows are surrogates, which are no characters
            code = 0xE000
        if code <= 0x10FFFF:
            return prefix[:-1] + chr(code)
        prefix = prefix[:-1]
    return None
