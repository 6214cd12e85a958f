"""Which events a reader is told: the filters of ``filters.py`` that need no store.

Each is a line in ``_VALUES``, which says what of an event it compares.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Generic, TypeAlias, TypeVar

from msgspec import Struct

from tasker.filters import FILTERS, Filter, Kind, query_of
from tasker.model.event import Event
from tasker.model.task import State

T = TypeVar("T")

Texts: TypeAlias = Sequence[str | None]

_VALUES: Final[Mapping[str, Callable[[Event], Texts]]] = {
    "schedule": lambda event: (event.schedule,),
    "tag": lambda event: event.tags,
    "key_prefix": lambda event: (event.key,),
    "destination": lambda event: (event.destination, event.group),
    "type": lambda event: (event.type,),
    "state": lambda event: (event.state,),
}
"""What of an event each filter compares. The first that is given finds the readers of an event: those
that fit fewer events come first."""

EVENT_FILTERS: Final[Sequence[Filter]] = tuple(each for each in FILTERS if each.name in _VALUES)
"""The filters of events, in the order in which the documentation names them."""


class Interest(Struct, frozen=True):
    """Which events a reader wants: those that pass all filters. What an event does not have passes none."""

    given: tuple[tuple[Filter, tuple[str, ...]], ...] = ()
    """The filters that are given, with their values."""

    def passes(self, event: Event) -> bool:
        """Return whether *event* is wanted."""
        for each, values in self.given:
            found = _VALUES[each.name](event)
            if each.kind is Kind.TAG:
                if not all(value in found for value in values):
                    return False
            elif each.kind is Kind.KEY_PREFIX:
                if found[0] is None or not found[0].startswith(values[0]):
                    return False
            elif not any(value in found for value in values):
                return False
        return True

    def having(self, which: Filter, values: tuple[str, ...]) -> "Interest":
        """Return the same with other values of a filter that is given."""
        return Interest(tuple((each, values if each is which else were) for each, were in self.given))

    @property
    def driving(self) -> tuple[str, tuple[str, ...]] | None:
        """The filter by which it is found, and its values, any of which an event has; None: no filter is given."""
        given = {each.name: (each, values) for each, values in self.given}
        for name in _VALUES:
            if name in given:
                each, values = given[name]
                return name, values[:1] if each.kind is Kind.TAG else values
        return None

    @property
    def is_exact(self) -> bool:
        """Whether every event passes by which it is found: nothing more is to be compared."""
        if len(self.given) > 1:
            return False
        return all(each.kind is not Kind.TAG or len(values) == 1 for each, values in self.given)


def interest_of(given: Mapping[str, Sequence[str]]) -> Interest:
    """Return what a caller's words stand for. A destination is a name here, not an id.

    Args:
        given: filters by name, each with one value or more; names that are none of events are
            passed over.

    Raises:
        InvalidQueryError: a value cannot be used.
    """
    query = query_of({name: values for name, values in given.items() if name in _VALUES})
    return Interest(
        tuple(
            (each, tuple(State(int(value)).word if each.kind is Kind.STATE else str(value) for value in values))
            for each, values in query.given
        )
    )


class Index(Generic[T]):
    """Finds who may want an event, without asking everybody."""

    def __init__(self) -> None:
        self._all: list[T] = []
        self._by: dict[str, dict[str, list[T]]] = {}
        self._lengths: Counter[int] = Counter()
        """Of the prefixes of keys."""

    def add(self, interest: Interest, one: T) -> None:
        """Have *one* found by what it is interested in."""
        if interest.driving is None:
            self._all.append(one)
            return
        name, values = interest.driving
        for value in values:
            self._by.setdefault(name, {}).setdefault(value, []).append(one)
            if name == "key_prefix":
                self._lengths[len(value)] += 1

    def remove(self, interest: Interest, one: T) -> None:
        """Have *one*, which was added so, found no more."""
        if interest.driving is None:
            self._all.remove(one)
            return
        name, values = interest.driving
        for value in values:
            found = self._by[name]
            found[value].remove(one)
            if not found[value]:
                del found[value]
            if not found:
                del self._by[name]
            if name == "key_prefix":
                self._lengths[len(value)] -= 1
                self._lengths += Counter()  # without those that are 0

    def find(self, event: Event) -> Iterator[T]:
        """Yield those who may want *event*, each once."""
        yield from self._all
        for name, found in self._by.items():
            values = self._prefixes(event.key) if name == "key_prefix" else _VALUES[name](event)
            for value in values if len(values) == 1 else dict.fromkeys(values):
                if value in found:
                    yield from found[value]

    def _prefixes(self, key: str | None) -> Texts:
        return () if key is None else [key[:length] for length in self._lengths if length <= len(key)]
