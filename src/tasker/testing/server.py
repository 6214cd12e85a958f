"""A real server on a free port, for tests."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from urllib.request import Request, urlopen

from typing_extensions import override

from tasker.client.asynchronous.client import AsyncClient
from tasker.client.synchronous.client import Client
from tasker.testing.driven import NO_KEY, Driven, ServerClock

_READY: Final = re.compile(r"Listening on (http://\S+)")
_OURS: Final = ("DATABASE_URL", "LISTEN_IP", "LISTEN_PORT", "LOG_LEVEL", "RUST_LOG")


_LONG: Final = timedelta(minutes=10)
"""How long a walk of the clock may take."""


class TaskerServer(Driven):
    """Runs the command ``tasker`` on one database. Use it as a context manager: it is killed at the end.

    It takes no settings from the environment or a ``tasker.toml`` of whoever runs the test.
    """

    def __init__(self, folder: Path, *options: str, key: str | None = None) -> None:
        """Make a server that is not running yet.

        Args:
            folder: where its database ``tasks.db`` and its log ``server.log`` are kept.
            options: further options of the command.
            key: what its clients show; None: nothing of use.
        """
        self.database = folder / "tasks.db"
        self.log = folder / "server.log"
        self.url = ""
        """Where it listens; a new port at every start."""
        self._folder = folder
        self._options = options
        self._key = key or NO_KEY
        self.process: subprocess.Popen[str] | None = None
        self._clients = ExitStack()
        self._client: Client | None = None
        self._clock: ServerClock | None = None

    def start(self) -> "TaskerServer":
        """Start it, and return once it accepts connections.

        Raises:
            RuntimeError: it ended instead; the message has the end of its log.
        """
        command = [sys.executable, "-m", "tasker", "--database-url", f"sqlite:{self.database}", "--listen-port", "0"]
        environment = {
            name: value for name, value in os.environ.items() if name not in _OURS and not name.startswith("TASKER_")
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [*command, *self._options],
                cwd=self._folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None  # noqa: S101 - a pipe
        ready = _READY.fullmatch(self.process.stdout.readline().strip())
        if ready is None:
            code = self.process.wait()
            raise RuntimeError(f"the server ended with {code}: {self.log.read_text()[-1000:]}")
        self.url = ready[1]
        self._clients.close()
        self._client = self._clock = None
        return self

    def stop(self, *, timeout_seconds: float = 40) -> int:
        """Tell it to stop, wait for that, and return its exit status."""
        assert self.process is not None, "it was not started"  # noqa: S101 - misuse by a test
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_seconds)

    def kill(self) -> None:
        """End it at once, as ``kill -9`` does. No effect if it is not running."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    @property
    @override
    def client(self) -> Client:
        """A client of this server. It is closed when the server is left, or started anew."""
        if self._client is None:
            self._client = self._clients.enter_context(Client(self.url, self._key))
        return self._client

    @property
    @override
    def clock(self) -> ServerClock:
        """Its clock, if ``--dev-clock`` is among its options."""
        if self._clock is None:
            self._clock = ServerClock(self._clients.enter_context(Client(self.url, self._key, timeout=_LONG)))
        return self._clock

    @override
    def async_client(self) -> AsyncClient:
        return AsyncClient(self.url, self._key)

    def call(self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Make a call and return the answer's JSON, None if it has none.

        Raises:
            urllib.error.HTTPError: the answer is an error.
        """
        data = None if body is None else json.dumps(body).encode()
        sent = {"content-type": "application/json", **(headers or {})}
        request = Request(self.url + path, data, sent, method=method)  # noqa: S310 - our own server
        with urlopen(request, timeout=30) as response:  # noqa: S310 - as above
            text = response.read()
        return json.loads(text) if text else None

    def __enter__(self) -> "TaskerServer":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._clients.close()
        self.kill()
