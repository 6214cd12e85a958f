"""The workers that a server runs for its app: processes of their own, which it starts again when they end."""

import asyncio
import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

import structlog

from tasker.callers import Caller, Scope
from tasker.client.settings import URL, VARIABLES, WORKER_KEY
from tasker.config import Settings
from tasker.engine.key_ring import KeyRing
from tasker.model.api_key import SECRET_BYTES, digest_of, written
from tasker.timing.clock import Clock

FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 30.0
"""Seconds until a worker that has ended is started again: at first, and at most. They double."""

SETTLED: Final = 60.0
"""Seconds after which a worker counts as well: the next wait is the first one again."""

_LAST_WORDS: Final = 7.0
"""Seconds that a worker has beyond the grace period, to give back what is left."""

_ID: Final = "appworkr"

_log = structlog.get_logger()


class AppWorkers:
    """Keeps workers running, until it is told to stop them.

    They call this node with a key that it has made for this run alone: it may claim tasks and no more,
    is handed over in their environment, and stands in no store. When this process ends, however it
    does, they stop as well: their standard input ends.
    """

    def __init__(self, settings: Settings, ring: KeyRing, clock: Clock, url: str) -> None:
        """Make it, without a worker.

        Args:
            settings: with an ``app``.
            url: where this node listens.
        """
        self._settings = settings
        self._clock = clock
        self._url = _reachable(url)
        self._key = written(_ID, secrets.token_bytes(SECRET_BYTES))
        scopes = frozenset({Scope.OPEN, Scope.QUEUES_WORK})
        ring.admit(self._key, Caller(scopes, "app-workers", "app workers", digest_of(self._key.encode())))
        self._jobs: list[asyncio.Task[None]] = []
        self._running: set[asyncio.subprocess.Process] = set()
        self._is_stopping = False

    def start(self) -> None:
        """Start the workers, and keep them running."""
        self._jobs = [asyncio.create_task(self._keep()) for _ in range(self._settings.app_workers)]

    async def stop(self, grace: timedelta) -> None:
        """Have the workers claim nothing more, and return once they have ended: after *grace* and a little at most."""
        self._is_stopping = True
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        ending = [asyncio.create_task(process.wait()) for process in self._running]
        if ending:
            _, late = await asyncio.wait(ending, timeout=grace.total_seconds() + _LAST_WORDS)
            if late:
                _log.warning("workers of the app do not end, killing them", workers=len(late))
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await asyncio.gather(*ending)
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)

    async def _keep(self) -> None:
        """Run one worker after another."""
        wait = FIRST_WAIT
        while not self._is_stopping:
            since = self._clock.monotonic()
            how = await self._run()
            if self._is_stopping:
                return
            if self._clock.monotonic() - since >= SETTLED:
                wait = FIRST_WAIT
            _log.warning("a worker of the app has ended, starting another", ended=how, after_seconds=wait)
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    async def _run(self) -> str:
        """Run a worker, and return how it has ended."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command(),
                stdin=asyncio.subprocess.PIPE,
                env=environment(os.environ, url=self._url, key=self._key),
                start_new_session=True,  # Ctrl-C is for the server, which has its workers let calls end
            )
        except OSError as error:
            return f"it cannot be started: {error.strerror}"
        self._running.add(process)
        if self._is_stopping:
            process.terminate()
        _log.info("started a worker of the app", app=self._settings.app, worker_pid=process.pid)
        try:
            code = await process.wait()
        finally:
            self._running.discard(process)
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name

    def _command(self) -> list[str]:
        settings = self._settings
        assert settings.app is not None  # noqa: S101 - as the docstring of the class says
        level = "DEBUG" if settings.log_level == "TRACE" else settings.log_level
        return [
            *(sys.executable, "-m", "tasker", "worker", "--app", settings.app, "--url", self._url, "--stop-on-eof"),
            *("--grace-period", f"{settings.grace_period.total_seconds():g}"),
            *("--log-level", level, "--log-format", settings.log_format),
        ]


def environment(own: Mapping[str, str], *, url: str, key: str) -> dict[str, str]:
    """Return the environment of a worker: that of the server without its settings, and with the key.

    The settings hold secrets. What clients read stays, since functions may be clients.
    """
    kept = {name: value for name, value in own.items() if not name.startswith("TASKER_") or name in VARIABLES}
    return {URL: url, **kept, WORKER_KEY: key}


def _reachable(url: str) -> str:
    """Return where this machine reaches what listens at *url*.

    >>> _reachable("http://0.0.0.0:8080"), _reachable("http://[::]:80"), _reachable("http://10.1.2.3:80")
    ('http://127.0.0.1:8080', 'http://[::1]:80', 'http://10.1.2.3:80')
    """
    parts = urlsplit(url)
    address: IPv4Address | IPv6Address = ip_address(parts.hostname or "")
    if not address.is_unspecified:
        return url
    return f"http://{'127.0.0.1' if address.version == 4 else '[::1]'}:{parts.port}"
