"""What this machine may lack to make a connection: descriptors, ports, memory, threads.

No target is to blame for that.
"""

import asyncio
import errno
import re
import resource
import socket
from collections.abc import Sequence
from contextlib import closing
from typing import Any, Final

import structlog

_log = structlog.get_logger()

DESCRIPTORS: Final = "file descriptors"
_PORTS: Final = "local ports"
_MEMORY: Final = "memory"
_THREADS: Final = "threads"

REMEMBERED_SECONDS: Final = 5.0
"""How long a shortage is told of after it was last met."""

_LOGGED_AGAIN_SECONDS: Final = 60.0

_LACKS: Final = {
    errno.EMFILE: DESCRIPTORS,
    errno.ENFILE: DESCRIPTORS,
    errno.ENOMEM: _MEMORY,
    errno.ENOBUFS: _MEMORY,
    errno.EADDRNOTAVAIL: _PORTS,
}
_NUMBER: Final = re.compile(r"\[Errno ([0-9]+)\]")
"""Where an error that stands for several, one for each address, has their numbers."""

_MANY: Final = 1 << 20


def lack(error: BaseException, addresses: Sequence[tuple[Any, ...]] = ()) -> str | None:
    """Return what the machine lacks if *error*, which the system gave, comes of that, else None.

    Args:
        addresses: where a connection was to be made, as ``getaddrinfo`` gives it.
    """
    if isinstance(error, socket.gaierror):  # it says neither why it could ask nobody, nor that it could not
        return _MEMORY if error.errno == socket.EAI_MEMORY else _lack_of_descriptors()
    if isinstance(error, MemoryError):
        return _MEMORY
    if isinstance(error, RuntimeError):
        return _THREADS if "start new thread" in str(error) else None
    if not isinstance(error, OSError):
        return None
    numbers = [error.errno] if error.errno is not None else [int(number) for number in _NUMBER.findall(str(error))]
    found = next((_LACKS[number] for number in numbers if number in _LACKS), None)
    if found is _PORTS and not any(_has_a_way(*info) for info in addresses):
        return None
    return found


def connections_that_fit(descriptors: int | None = None) -> int:
    """Return how many connections to targets there may be at once, idle ones included.

    More calls than that have to wait. Half of the descriptors, at least 2: the other half remains
    for the API, the store and the lookups of names.

    Args:
        descriptors: how many the process may have; None: as many as the system says now.
    """
    return max((_descriptors_allowed() if descriptors is None else descriptors) // 2, 2)


class Shortage:
    """Remembers for a while that something was lacking, and logs it now and then. Needs a running event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lack = ""
        self._met_at: float | None = None
        self._logged_at: float | None = None

    @property
    def reason(self) -> str | None:
        """What was lacking in the latest seconds, in a few words; None: nothing."""
        if self._met_at is None or self._loop.time() - self._met_at >= REMEMBERED_SECONDS:
            return None
        return f"out of {self._lack}"

    def met(self, lack: str) -> None:
        """Remember that *lack* was lacking now."""
        self._lack, self._met_at = lack, self._loop.time()
        if self._logged_at is None or self._met_at - self._logged_at >= _LOGGED_AGAIN_SECONDS:
            self._logged_at = self._met_at
            _log.warning("webhooks wait: no connection can be made from here", reason=self.reason)


def _descriptors_allowed() -> int:
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MANY if allowed == resource.RLIM_INFINITY else min(allowed, _MANY)


def _lack_of_descriptors() -> str | None:
    try:
        socket.socket().close()
    except OSError as error:
        return lack(error)
    return None


def _has_a_way(family: int, _kind: int, _protocol: int, _name: str, place: tuple[Any, ...]) -> bool:
    """Whether this machine has an address to call *place* from: without one, no port is free to do so either.

    Sends nothing.
    """
    try:
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as asking:
            asking.connect(place)
    except OSError:
        return False
    return True
