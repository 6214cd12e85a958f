"""The span of time that a call is asked for, and its steps: ``from``, ``to`` and ``step``."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from tasker.api.calls import Parameter
from tasker.errors import InvalidQueryError
from tasker.model import instants, lengths
from tasker.model.instants import SECOND, Instant, microseconds
from tasker.model.steps import MOST_STEPS, Steps, readable_length

SPAN: Final = timedelta(hours=24)
"""How long it is if nobody says."""

STEP: Final = Parameter(
    name="step",
    description="How long a step is: seconds, or a number with a unit, such as 1m, 1h or 1d. "
    "Steps begin at multiples of it in UTC. Without it, one with up to 60 steps.",
    schema={"type": "string", "examples": ["1h"]},
)

_SECONDS: Final = re.compile(r"[0-9]{1,10}", re.ASCII)


class Span(NamedTuple):
    """From a moment on, to the one before another."""

    first: Instant
    until: Instant


def moment(name: str, without: str) -> Parameter:
    """Return the declaration of a moment.

    Args:
        without: what it is if it is not given.
    """
    return Parameter(
        name=name,
        description=f"RFC 3339 with an offset. Without it: {without}.",
        schema={"type": "string", "format": "date-time"},
    )


def span_ahead(query: Mapping[str, str], now: Instant) -> Span:
    """Return the span that *query* asks for: without anything, from *now* to 24 h later.

    Raises:
        InvalidQueryError: ``from`` or ``to`` cannot be used.
    """
    first = _moment(query, "from", now)
    return _checked(query, Span(first, _moment(query, "to", instants.after(first, SPAN))))


def span_back(query: Mapping[str, str], now: Instant) -> Span:
    """Return the span that *query* asks for: without anything, from 24 h ago up to and with *now*.

    Raises:
        InvalidQueryError: ``from`` or ``to`` cannot be used.
    """
    until = _moment(query, "to", now + 1)
    return _checked(query, Span(_moment(query, "from", max(until - microseconds(SPAN), 0)), until))


def steps_of(query: Mapping[str, str], span: Span, *, least: int = SECOND, why: str = "") -> Steps:
    """Return the steps of *span* that *query* asks for; without ``step``, such that it has up to 60.

    Args:
        least: of what, in microseconds, the step is to be a multiple.
        why: why that is so, for the message.

    Raises:
        InvalidQueryError: ``step`` cannot be used, or there would be too many.
    """
    readable = readable_length(span.until - span.first, least=least)
    length = _step(query["step"], least, why) if "step" in query else readable
    steps = Steps.over(span.first, span.until, length)
    if steps.count > MOST_STEPS:
        raise InvalidQueryError(
            "step",
            f"expected at most {MOST_STEPS} steps from from to to, got {steps.count}; a step of {_text(readable)} fits",
        )
    return steps


def _moment(query: Mapping[str, str], name: str, otherwise: Instant) -> Instant:
    if name not in query:
        return otherwise
    try:
        read = instants.parse(query[name])
    except ValueError as error:
        raise InvalidQueryError(name, str(error)) from None
    if read < 0:
        raise InvalidQueryError(name, f"expected a time of the year 1970 or later, got: {query[name]!r}")
    return read


def _checked(query: Mapping[str, str], span: Span) -> Span:
    if span.first < span.until:
        return span
    name, other = ("to", "from") if "to" in query else ("from", "to")
    right = "a later time than from" if name == "to" else "an earlier time than to"
    limit = span.first if name == "to" else span.until
    origin = "" if other in query else ", if it is not given,"
    raise InvalidQueryError(name, f"expected {right}, which{origin} is {instants.text(limit)}, got: {query[name]!r}")


def _step(text: str, least: int, why: str) -> int:
    try:
        length = microseconds(lengths.parse(int(text) if _SECONDS.fullmatch(text) else text))
    except ValueError as error:
        raise InvalidQueryError("step", str(error)) from None
    if length and length % least == 0:
        return length
    right = "1s or more" if least == SECOND else f"{_text(least)} or a multiple of it{why}"
    raise InvalidQueryError("step", f"expected {right}, got: {text!r}")


def _text(length: int) -> str:
    """Return a length of whole seconds as it is written."""
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if length % (seconds * SECOND) == 0:
            return f"{length // (seconds * SECOND)}{unit}"
    return f"{length // SECOND}s"
