"""Connections that are kept between requests: few enough, and young enough to follow a name that moves."""

import asyncio
from collections.abc import Iterator
from typing import Final

from tasker.egress.connection import Connection
from tasker.egress.connector import Origin

KEPT_ALIVE_SECONDS: Final = 15.0
"""How long a connection is kept that nothing is sent on."""

LONGEST_LIFE_SECONDS: Final = 60.0
"""After so long a connection takes no further request: the name of its target is looked up
again."""


class IdleConnections:
    """Keeps connections open, the one that was used last for the next request. Needs a running event loop.

    Iterates over them, the one that has been idle longest first.
    """

    def __init__(self, most: int, *, most_of_one: int) -> None:
        """Make it.

        Args:
            most: how many are kept. One more closes the one that has been idle longest.
            most_of_one: how many of them may lead to one origin.
        """
        self._loop = asyncio.get_running_loop()
        self._most = most
        self._most_of_one = most_of_one
        self._by_origin: dict[Origin, list[Connection]] = {}
        self._origins: dict[Connection, Origin] = {}
        self._sweep: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """How many there are."""
        return len(self._origins)

    def __iter__(self) -> Iterator[Connection]:
        """See the class."""
        return iter(self._origins)

    def take(self, origin: Origin) -> Connection | None:
        """Return one that leads to *origin* and can be used; it is no longer kept. None: there is none."""
        idle = self._by_origin.get(origin)
        while idle:
            connection = idle[-1]
            self._remove(connection)
            if connection.is_usable() and not self._is_old(connection):
                return connection
            connection.close()
        return None

    def keep(self, origin: Origin, connection: Connection) -> None:
        """Keep *connection*, whose exchange has just ended, unless it is too old. Others may be closed for it."""
        if connection.idle_since - connection.made_at >= LONGEST_LIFE_SECONDS:
            connection.close()
            return
        idle = self._by_origin.setdefault(origin, [])
        idle.append(connection)
        self._origins[connection] = origin
        if len(idle) > self._most_of_one:
            self._close(idle[0])
        if len(self) > self._most:
            self._close(next(iter(self)))
        if self._sweep is None:
            self._sweep = self._loop.call_later(KEPT_ALIVE_SECONDS, self._close_old)

    def close_half(self) -> list[Connection]:
        """Close half of them, those that have been idle longest, at least one if there is any; return them."""
        closed = list(self)[: -(-len(self) // 2)]
        for connection in closed:
            self._close(connection)
        return closed

    def close_all(self) -> None:
        """Close them."""
        for connection in list(self):
            self._close(connection)

    def _close_old(self) -> None:
        self._sweep = None
        before = self._loop.time() - KEPT_ALIVE_SECONDS
        for connection in list(self):
            if not connection.is_idle or connection.idle_since <= before or self._is_old(connection):
                self._close(connection)
        if len(self) > 0:
            self._sweep = self._loop.call_later(KEPT_ALIVE_SECONDS / 3, self._close_old)

    def _is_old(self, connection: Connection) -> bool:
        return self._loop.time() - connection.made_at >= LONGEST_LIFE_SECONDS

    def _close(self, connection: Connection) -> None:
        self._remove(connection)
        connection.close()

    def _remove(self, connection: Connection) -> None:
        origin = self._origins.pop(connection)
        idle = self._by_origin[origin]
        idle.remove(connection) if idle[-1] is not connection else idle.pop()
        if not idle:
            del self._by_origin[origin]
