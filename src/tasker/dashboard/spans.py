"""How much time pages show: the spans that a visitor chooses from."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from tasker.dashboard.visits import Visit
from tasker.errors import InvalidQueryError
from tasker.model import instants
from tasker.model.instants import Instant
from tasker.model.steps import Steps, readable_length


class Span(NamedTuple):
    """A length of time, as addresses and people say it."""

    word: str
    said: str
    length: timedelta


SPANS: Final = (
    Span("15m", "15 min", timedelta(minutes=15)),
    Span("1h", "1 hour", timedelta(hours=1)),
    Span("6h", "6 hours", timedelta(hours=6)),
    Span("24h", "24 hours", timedelta(days=1)),
    Span("7d", "7 days", timedelta(days=7)),
    Span("30d", "30 days", timedelta(days=30)),
)
"""All of them, the shortest first."""

BACK: Final = tuple(span for span in SPANS if span.word not in ("15m", "6h"))
"""Those over which a page looks back."""


def span_of(visit: Visit, among: Sequence[Span], usual: str) -> Span:
    """Return the span that the address of a page names; *usual*: the word of the one that counts if it names none.

    Raises:
        InvalidQueryError: it names none of them.
    """
    asked = visit.asked("span") or usual
    for span in among:
        if span.word == asked:
            return span
    raise InvalidQueryError("span", f"expected one of {', '.join(span.word for span in among)}")


def choices(among: Sequence[Span]) -> Mapping[str, str]:
    """Return what a page offers: words, and how people say them."""
    return {span.word: span.said for span in among}


def steps_back(visit: Visit, first: Instant, until: Instant) -> Steps:
    """Return the steps in which what was counted from *first* on, before *until*, is kept and can be read."""
    return Steps.over(first, until, readable_length(until - first, least=visit.service.statistics.finest(first)))


def begin_of(span: Span, now: Instant) -> Instant:
    """Return where a span begins that ends now; not before 1970."""
    return max(instants.after(now, -span.length), 0)
