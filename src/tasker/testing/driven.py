"""What a test does with a server: call it, move its clock, and look at what is planned."""

import json as json_
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import UNSET

from tasker.client import words
from tasker.client.answers import Task
from tasker.client.asynchronous.client import AsyncClient
from tasker.client.options import Filters
from tasker.client.synchronous.client import Client
from tasker.model import lengths

Length = timedelta | float | str
"""A length of time: a ``timedelta``, seconds, or text such as ``"90s"``, ``"30m"``, ``"12h"`` or ``"3d"``."""

NO_KEY: Final = "no-key-is-asked-for"
"""What a client shows a server that asks for no key: else it would take one from the environment."""

_SHOWN: Final = 10
"""Tasks that a failed assertion shows."""


class ServerClock:
    """The clock of a server that was started with ``--dev-clock``, or is in the process of the test."""

    def __init__(self, client: Client, walk: "Callable[[Length], None] | None" = None) -> None:
        """Make it.

        Args:
            client: calls the server. What lies in the way of a long walk is its timeout.
            walk: lets so much time pass, in place of the server by itself.
        """
        self._client = client
        self._walk = walk

    @property
    def now(self) -> datetime:
        """The time by it, in UTC."""
        return datetime.fromisoformat(self._client.request("GET", "/dev/clock")["now"])

    @property
    def is_frozen(self) -> bool:
        """Whether it stands still until it is moved."""
        return bool(self._client.request("GET", "/dev/clock")["frozen"])

    def advance(self, length: Length) -> None:
        """Let *length* pass. Whatever comes due meanwhile has happened when this returns, each thing at its time.

        So have retries, callbacks and the runs of schedules. Not waited for is what a worker has claimed
        before, and work that a receiver has accepted (202) and not completed.

        Raises:
            InvalidRequest: *length* is none.
        """
        if self._walk is None:
            self.advance_alone(length)
        else:
            self._walk(length)

    def advance_alone(self, length: Length) -> None:
        """Let *length* pass on the server, whatever else takes part in it here: see ``advance``."""
        self._move({"advance": words.length(length)})

    def set(self, moment: datetime | str) -> None:
        """Go to *moment* at once, on or back, as after an outage: what was due in between is due now, and late.

        Args:
            moment: an aware datetime, or RFC 3339 with an offset.

        Raises:
            NaiveTimeError: the datetime has no time zone.
            InvalidRequest: it cannot be used.
        """
        self._move({"set": words.moment("moment", moment)})

    def freeze(self) -> None:
        """Stand still from now on."""
        self._move({"freeze": True})

    def run(self) -> None:
        """Run on from where it stands, as fast as any clock."""
        self._move({"freeze": False})

    def _move(self, asked: dict[str, object]) -> None:
        self._client.request("POST", "/dev/clock", json=asked)


class Driven(ABC):
    """A server in the hands of a test."""

    @property
    @abstractmethod
    def client(self) -> Client:
        """A client of this server. It is closed with it."""

    @property
    @abstractmethod
    def clock(self) -> ServerClock:
        """Its clock."""

    @abstractmethod
    def async_client(self) -> AsyncClient:
        """Return a client for ``async`` code. Use it as a context manager, or close it."""

    def run_due(self) -> None:
        """Have everything happen that is due by now, and return when it has. The clock does not move."""
        self.clock.advance(0)

    def scheduled(self, url: str | None = None, *, json: Any = UNSET, **filters: Any) -> list[Task]:  # noqa: ANN401 - JSON, and as Filters has them
        """Return the tasks that are todo, earliest due first.

        Args:
            url: that they call.
            json: that they are given.
            filters: as for ``Client.find``, such as ``key``, ``key_prefix``, ``type``, ``tag`` or ``queue``.
        """
        asked: Filters = {**filters, "state": "todo"}  # type: ignore[typeddict-item]  # the client says what it takes
        tasks = [task for task in self.client.find(**asked) if _fits(task, url, json)]
        return sorted(tasks, key=_due)

    def assert_scheduled(
        self,
        url: str | None = None,
        *,
        json: Any = UNSET,  # noqa: ANN401 - JSON
        within: Length | None = None,
        count: int | None = None,
        **filters: Any,  # noqa: ANN401 - as Filters has them
    ) -> Task:
        """Return the task that is todo, and fits; of several the earliest due.

        ``tasker_memory.assert_scheduled(key="order-17", within="10m")``

        Args:
            url: that it calls.
            json: that it is given.
            within: it is due at most so long from now.
            count: so many fit, 1 or more; None: at least one.
            filters: as for ``Client.find``, such as ``key``, ``key_prefix``, ``type``, ``tag`` or ``queue``.

        Raises:
            AssertionError: none fits, or not *count*. It says what is scheduled.
        """
        __tracebackhide__ = True
        now = self.clock.now
        found = self.scheduled(url, json=json, **filters)
        if within is not None:
            found = [task for task in found if _due(task) <= now + _timedelta(within)]
        if not found or count not in (None, len(found)):
            wanted = _wanted(url, json, within, filters)
            asked = "a task that is" if count is None else f"{count} tasks that are" if count > 1 else "1 task that is"
            raise AssertionError(f"expected {asked} todo{wanted}, found {len(found)}; {self._all(now)}")
        return found[0]

    def assert_not_scheduled(self, url: str | None = None, *, json: Any = UNSET, **filters: Any) -> None:  # noqa: ANN401 - as above
        """Return if no task is todo that fits.

        Args:
            url, json, filters: as in ``assert_scheduled``.

        Raises:
            AssertionError: one is.
        """
        __tracebackhide__ = True
        if self.scheduled(url, json=json, **filters):
            wanted = _wanted(url, json, None, filters)
            raise AssertionError(f"expected no task that is todo{wanted}; {self._all(self.clock.now)}")

    def _all(self, now: datetime) -> str:
        """Return a text of what is scheduled."""
        tasks = self.scheduled()
        if not tasks:
            return "nothing is todo"
        lines = [f"\n  {_shown(task, now)}" for task in tasks[:_SHOWN]]
        more = [] if len(tasks) <= _SHOWN else [f"\n  and {len(tasks) - _SHOWN} more"]
        return "todo are:" + "".join([*lines, *more])


def _fits(task: Task, url: str | None, json: Any) -> bool:  # noqa: ANN401 - JSON
    return (url is None or task.fields.get("url") == url) and (json is UNSET or task.fields.get("json", UNSET) == json)


def _due(task: Task) -> datetime:
    return datetime.fromisoformat(task.execution_time)


def _timedelta(length: Length) -> timedelta:
    return length if isinstance(length, timedelta) else lengths.parse(length)


def _wanted(url: str | None, json: Any, within: Length | None, filters: dict[str, Any]) -> str:  # noqa: ANN401 - JSON
    said = {"url": url, **filters}
    parts = [f"{name}={value!r}" for name, value in said.items() if value is not None]
    if json is not UNSET:
        parts.append(f"json={json_.dumps(json)}")
    if within is not None:
        parts.append(f"due within {within}")
    return "".join(f", {part}" for part in parts)


def _shown(task: Task, now: datetime) -> str:
    names: Iterator[tuple[str, object]] = (
        (name, task.fields.get(name)) for name in ("url", "queue", "json", "args", "tags") if name in task.fields
    )
    said: Sequence[str] = [f"{name}={value!r}" for name, value in names]
    key = [f"key={task.key!r}"] if task.key else []
    return f"{task.type} due in {_due(task) - now} " + " ".join([*key, *said])
