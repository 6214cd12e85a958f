"""Asks a running server what it knows best itself."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any, Final, TypeVar

from msgspec import Struct

from tasker.client.calls import server
from tasker.client.core import Answer, Request
from tasker.client.errors import ApiError, CallFailed, UnexpectedAnswer
from tasker.client.synchronous.connection import Connection
from tasker.wire.server import Health, NodeView, Stats

T = TypeVar("T")

PATIENCE_SECONDS: Final = 5.0
"""How long an answer may take."""

_MAY_NOT: Final = (401, 403)

_SAMPLE: Final = re.compile(
    r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?[\d.]+(?:e[+-]?\d+)?|[+-]Inf|NaN)$", re.MULTILINE | re.ASCII
)
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"', re.ASCII)
"""Source: https://prometheus.io/docs/instrumenting/exposition_formats/."""


class Figures:
    """The metrics of a server."""

    def __init__(self, text: str) -> None:
        """Read them.

        Args:
            text: as ``GET /metrics`` gives them.
        """
        self._values: dict[str, dict[str, float]] = {}
        for name, labels, value in _SAMPLE.findall(text):
            said = " ".join(word for label, word in _LABEL.findall(labels) if label != "store")
            self._values.setdefault(name, {})[said] = float(value)

    def one(self, name: str) -> float | None:
        """Return the value of a metric without labels; None: it is not told."""
        return self._values.get(name, {}).get("")

    def by_label(self, name: str) -> Mapping[str, float]:
        """Return the values of a metric by its label; none, if it is not told."""
        return self._values.get(name, {})


class ServerAnswers(Struct, frozen=True, kw_only=True):
    """What a server says of itself."""

    url: str | None
    """Where it was asked; None: nobody knows where."""
    is_named: bool = False
    """Whether somebody has named it, so that it ought to be there."""
    silence: str | None = None
    """Why it does not answer, as a clause; None: it does, or nobody was asked."""
    is_stranger: bool = False
    """Whether something else answers there."""
    health: Health | None = None
    """What ``GET /readyz`` says; None: it does not answer."""
    needs_key: bool = False
    """Whether it wants a key that may read the rest, and has none."""
    stats: Stats | None = None
    nodes: Sequence[NodeView] | None = None
    figures: Figures | None = None

    @property
    def is_there(self) -> bool:
        """Whether a server answers."""
        return self.health is not None


def ask(url: str | None, key: str | None, *, is_named: bool) -> ServerAnswers:
    """Ask the server at *url*; without one, nobody. Never takes long.

    Args:
        key: None: that of the variables of clients, or none.
        is_named: see ``ServerAnswers``.

    Raises:
        SettingError: the URL or the key cannot be used.
    """
    if url is None:
        return ServerAnswers(url=None)
    with closing(Connection(url, key, timeout=PATIENCE_SECONDS, retries=0, transport=None)) as connection:
        shown = connection.url
        try:
            health = connection.call(server.ready())
        except (UnexpectedAnswer, ApiError) as error:
            return ServerAnswers(url=shown, is_named=is_named, silence=str(error), is_stranger=True)
        except CallFailed as error:
            return ServerAnswers(url=shown, is_named=is_named, silence=str(error).removeprefix("GET /readyz: "))
        more: dict[str, Any] = {}
        refused = False
        for name, request in _MORE.items():
            try:
                more[name] = connection.call(request())
            except ApiError as error:
                refused = refused or error.status in _MAY_NOT
            except CallFailed:
                pass
        return ServerAnswers(url=shown, is_named=is_named, health=health, needs_key=refused, **more)


def _figures() -> Request[Figures]:
    def read(answer: Answer) -> Figures:
        return Figures(answer.content.decode())

    return Request(method="GET", path="/metrics", read=read, is_repeatable=True)


_MORE: Final[Mapping[str, Callable[[], Request[Any]]]] = {
    "stats": server.stats,
    "nodes": server.nodes,
    "figures": _figures,
}
