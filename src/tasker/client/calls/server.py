"""What the server says of itself, of what has happened, and of what is to come."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from tasker.client import words
from tasker.client.calls import pages
from tasker.client.core import Page, Request, as_is, path, shape
from tasker.client.options import Length, Moment
from tasker.wire.audit import AuditPageView, ChangeView
from tasker.wire.server import Health, NodeView, PauseView, Stats
from tasker.wire.statistics import DueView, FailuresView, StatsHistory

T = TypeVar("T")

_UNREADY: Final = frozenset({503})
_read_health: Final = shape(Health)
_read_pause: Final = shape(PauseView)
_read_stats: Final = shape(Stats)
_read_nodes: Final = shape(list[NodeView])
_read_due: Final = shape(DueView)
_read_history: Final = shape(StatsHistory)
_read_failures: Final = shape(FailuresView)


def health() -> Request[Health]:
    """Is the server alive?"""
    return Request(method="GET", path="/healthz", read=_read_health, is_repeatable=True)


def ready() -> Request[Health]:
    """Should the server be sent work now?"""
    return Request(method="GET", path="/readyz", read=_read_health, is_repeatable=True, accepted=_UNREADY)


def pause() -> Request[PauseView]:
    """Stop everything."""
    return Request(method="POST", path="/pause", read=_read_pause, is_repeatable=True)


def resume() -> Request[PauseView]:
    """Let tasks start again."""
    return Request(method="POST", path="/resume", read=_read_pause, is_repeatable=True)


def stats() -> Request[Stats]:
    """Lateness, counts and worker slots."""
    return Request(method="GET", path="/stats", read=_read_stats, is_repeatable=True)


def nodes() -> Request[list[NodeView]]:
    """The servers that share the database."""
    return Request(method="GET", path="/nodes", read=_read_nodes, is_repeatable=True)


def openapi() -> Request[Any]:
    """The description of all calls."""
    return Request(method="GET", path="/openapi.json", read=as_is, is_repeatable=True)


def stats_due(from_: Moment | None, to: Moment | None, step: Length | None) -> Request[DueView]:
    """How many tasks are due when."""
    return Request(method="GET", path=_span(("stats", "due"), from_, to, step), read=_read_due, is_repeatable=True)


def stats_history(from_: Moment | None, to: Moment | None, step: Length | None) -> Request[StatsHistory]:
    """What was created, what came of attempts, and how late they began."""
    where = _span(("stats", "history"), from_, to, step)
    return Request(method="GET", path=where, read=_read_history, is_repeatable=True)


def failures(from_: Moment | None, to: Moment | None) -> Request[FailuresView]:
    """What failed, and how often."""
    return Request(method="GET", path=_span(("failures",), from_, to, None), read=_read_failures, is_repeatable=True)


def audit(filters: Mapping[str, Any], *, limit: int, cursor: str | None) -> Request[Page[ChangeView]]:
    """List who has changed what: a page of it."""
    return pages.page(
        "audit", AuditPageView, lambda found: (found.audit, found.next), limit=limit, cursor=cursor, filters=filters
    )


def _span(parts: tuple[str, ...], from_: Moment | None, to: Moment | None, step: Length | None) -> str:
    first = None if from_ is None else words.moment("from_", from_)
    given = {"from": first, "to": to, "step": None if step is None else words.length(step)}
    return path(*parts, query=words.query(given))
