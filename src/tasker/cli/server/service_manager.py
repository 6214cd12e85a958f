"""Tells the service manager how the server is: ``sd_notify`` of systemd, which others speak, too.

Source: sd_notify(3), sd_watchdog_enabled(3).
"""

import os
import socket
from collections.abc import Callable, MutableMapping
from datetime import timedelta
from typing import Final

import structlog

from tasker.timing.alarm import sleep
from tasker.timing.clock import Clock

_SOCKET: Final = "NOTIFY_SOCKET"
_WATCHDOG: Final = "WATCHDOG_USEC"
_WATCHDOG_PID: Final = "WATCHDOG_PID"

_FEEDS: Final = 3
"""How often the watchdog is fed within its time."""

_SPARE: Final = timedelta(seconds=15)
"""How long a stop may take beyond the grace period: for what has to be cancelled, written and closed."""

_SEND_SECONDS: Final = 1.0
"""How long the service manager may take to receive a message."""

_log = structlog.get_logger()


class ServiceManager:
    """Whoever started this process, if it wants to know how the server is; else nobody, and nothing is said."""

    def __init__(self, address: str | None = None, watchdog: timedelta | None = None) -> None:
        """Make it.

        Args:
            address: the path of its socket, or ``@`` and an abstract name; None: nobody wants to know.
            watchdog: if it hears nothing for so long, it ends the process; None: it never does.
        """
        self.watchdog = None if address is None else watchdog
        self._address = address
        self._socket: socket.socket | None = None
        self._is_stopping = False
        if address is not None:
            # Kept open: later there may be no descriptor left.
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.settimeout(_SEND_SECONDS)

    @classmethod
    def of(cls, environment: MutableMapping[str, str]) -> "ServiceManager":
        """Return who is named in *environment*, and take that out: processes that this one starts are not the server.

        What cannot be used is logged, and counts as not there.
        """
        address, watchdog, pid = (environment.pop(name, "") for name in (_SOCKET, _WATCHDOG, _WATCHDOG_PID))
        if not address:
            return cls()
        if address[0] not in "/@":
            _log.warning(
                f"the service manager is not told how the server is: {_SOCKET} is neither a path nor @ and a name"
            )
            return cls()
        if not watchdog or (pid and pid != str(os.getpid())):
            return cls(address)
        if not (watchdog.isascii() and watchdog.isdigit() and int(watchdog)):
            _log.warning(f"the watchdog is not fed: {_WATCHDOG} is not a number of microseconds")
            return cls(address)
        return cls(address, timedelta(microseconds=int(watchdog)))

    def waiting(self) -> None:
        """Say that the server is starting."""
        self._tell("STATUS=Starting: it waits until it has its database")

    def ready(self, url: str) -> None:
        """Say that the server has started."""
        self._tell("READY=1", f"STATUS=Listening on {url}")

    def stopping(self, grace: timedelta) -> None:
        """Say that the server stops, and that it may take as long as it does with this grace period."""
        self._is_stopping = True
        longest = (grace + _SPARE) // timedelta(microseconds=1)
        status = f"STATUS=Stopping: running attempts have {grace.total_seconds():g} s"
        self._tell("STOPPING=1", f"EXTEND_TIMEOUT_USEC={longest}", status)

    async def feed(self, silent: Callable[[float], str | None], clock: Clock) -> None:
        """Feed the watchdog while the jobs of the server get on, until this is cancelled. Returns if there is none.

        A job that has been silent for the watchdog's time is no longer vouched for. While the server
        stops, it is: how long that may take, the service manager knows.

        Args:
            silent: returns a job that has been silent for longer than so many seconds, if there is one.
            clock: says when to feed it.
        """
        if self.watchdog is None:
            return
        longest = self.watchdog.total_seconds()
        said: str | None = None
        while True:
            job = None if self._is_stopping else silent(longest)
            if job is None:
                self._tell("WATCHDOG=1")
            elif job != said:
                _log.error("a job hangs: the watchdog is not fed any more", job=job, silent_seconds=longest)
            said = job
            await sleep(clock, longest / _FEEDS)

    def _tell(self, *lines: str) -> None:
        if self._socket is None or self._address is None:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            self._socket.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            _log.warning("cannot tell the service manager how the server is", reason=error.strerror or str(error))
