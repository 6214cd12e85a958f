"""Looks names up, as the system does, without letting those that nobody answers hold up the others.

``getaddrinfo`` cannot be cancelled: a lookup that its attempt has given up holds its thread until
the system gives up, which takes ten seconds and more. So each lookup of an attempt that still waits
gets a thread, as many as there are attempts, and what was given up has a share of its own. When
that is full, names wait that are not known to answer. See decision 20.
"""

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, Final, TypeAlias

GIVEN_UP_AT_MOST: Final = 128
"""Lookups that were given up and still run, from which on only names that have answered before are
looked up."""

GIVEN_UP_PER_DOMAIN: Final = 32
"""The same for the names of one domain: those that differ in their first label."""

_GIVEN_UP_OF_ALL: Final = 512
"""Lookups that were given up and still run, from which on no name is looked up."""

_KNOWN: Final = 10_000
"""Names that are remembered to have answered."""

_IDLE_THREADS: Final = 16

AddressInfo: TypeAlias = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]
"""As ``getaddrinfo`` gives it."""


def look_up(host: str, port: int, *, flags: int = 0) -> Sequence[AddressInfo]:
    """Return the addresses of *host*, in the order in which they are to be tried.

    Raises:
        OSError, UnicodeError: it has none, or nobody can say.
    """
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)


class Lookup:
    """One that is under way, or was. Made by ``Lookups``."""

    def __init__(self, name: str, port: int) -> None:
        self.name: Final = name
        self.port: Final = port
        self.domain: Final = _domain(name)
        self.waiting = 0
        """Attempts that wait for it."""
        self.is_given_up = False
        self.found: asyncio.Future[Sequence[AddressInfo]] = asyncio.get_running_loop().create_future()


class Lookups:
    """Looks names up on threads. Needs a running event loop; all of it runs there, but the lookups themselves.

    Whoever asks for a name that is being looked up gets what comes of that. Nothing is kept
    afterwards but whether a name has answered.

    Args:
        lookup: finds the addresses of a name, as ``look_up`` does.
    """

    def __init__(self, lookup: Callable[[str, int], Sequence[AddressInfo]]) -> None:
        self._lookup = lookup
        self._loop = asyncio.get_running_loop()
        self._running: dict[str, Lookup] = {}
        self._given_up: Counter[str] = Counter()
        self._answered: dict[str, None] = {}
        self._changed: asyncio.Future[None] = self._loop.create_future()
        self._jobs: SimpleQueue[Lookup | None] = SimpleQueue()
        self._idle = 0
        self._is_closed = False

    async def begin(self, name: str, port: int) -> Lookup:
        """Return the lookup of *name*, which is under way; waits while there is no room for it.

        Raises:
            RuntimeError: no thread can be started.
        """
        while True:
            lookup = self._running.get(name)
            if lookup is None and self._has_room(name):
                lookup = self._start(Lookup(name, port))
            if lookup is not None:
                return lookup
            await asyncio.shield(self._changed)

    async def answer(self, lookup: Lookup, port: int) -> Sequence[AddressInfo]:
        """Return what *lookup*, as ``begin`` returned it just now, finds, each address with *port*.

        Raises:
            OSError, UnicodeError: as of the lookup.
        """
        lookup.waiting += 1
        if lookup.is_given_up:
            self._take_back(lookup)
        try:
            found = await asyncio.shield(lookup.found)
        finally:
            lookup.waiting -= 1
            if not lookup.waiting and not lookup.found.done():
                lookup.is_given_up = True
                self._given_up[lookup.domain] += 1
                self._answered.pop(lookup.name, None)
        if port == lookup.port:
            return found
        return [(*info, (place[0], port, *place[2:])) for *info, place in found]  # type: ignore[misc]  # the same shape

    def close(self) -> None:
        """Let go of the threads. Waits for none: a process can end while one hangs."""
        self._is_closed = True
        for _ in range(self._idle):
            self._jobs.put(None)
        self._idle = 0

    def _has_room(self, name: str) -> bool:
        given_up = self._given_up.total()
        if name in self._answered:
            return given_up < _GIVEN_UP_OF_ALL
        return given_up < GIVEN_UP_AT_MOST and self._given_up[_domain(name)] < GIVEN_UP_PER_DOMAIN

    def _start(self, lookup: Lookup) -> Lookup:
        if self._idle:
            self._idle -= 1
        else:
            threading.Thread(target=self._work, name="tasker-dns", daemon=True).start()
        self._jobs.put(lookup)
        self._running[lookup.name] = lookup
        return lookup

    def _take_back(self, lookup: Lookup) -> None:
        lookup.is_given_up = False
        self._given_up[lookup.domain] -= 1
        if not self._given_up[lookup.domain]:
            del self._given_up[lookup.domain]

    def _work(self) -> None:
        """Look names up, on a thread of its own."""
        while (lookup := self._jobs.get()) is not None:
            found: Sequence[AddressInfo] = ()
            error: BaseException | None = None
            try:
                found = self._lookup(lookup.name, lookup.port)
            except BaseException as caught:  # noqa: BLE001 - it is raised where it is waited for
                error = caught
            try:
                self._loop.call_soon_threadsafe(self._ended, lookup, found, error)
            except RuntimeError:
                return  # the loop is closed, and nobody waits

    def _ended(self, lookup: Lookup, found: Sequence[AddressInfo], error: BaseException | None) -> None:
        del self._running[lookup.name]
        if lookup.is_given_up:
            self._take_back(lookup)
        if error is None:
            lookup.found.set_result(found)
            self._answered.pop(lookup.name, None)
            self._answered[lookup.name] = None
            if len(self._answered) > _KNOWN:
                del self._answered[next(iter(self._answered))]
        else:
            lookup.found.set_exception(error)
            lookup.found.exception()  # somebody may have waited, or nobody
            self._answered.pop(lookup.name, None)
        if self._is_closed or self._idle >= _IDLE_THREADS:
            self._jobs.put(None)
        else:
            self._idle += 1
        self._changed.set_result(None)
        self._changed = self._loop.create_future()


def _domain(name: str) -> str:
    """Return what the names of one server have in common, most likely: all but the first label, or all of two."""
    plain = name.removesuffix(".")
    return plain.partition(".")[2] if plain.count(".") > 1 else plain
