# Made of ../asynchronous/by_key.py by make client. Change that file.
"""One task: what can be done to it by its key, and what takes several requests."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, Unpack

from tasker.client.answers import Task
from tasker.client.calls import tasks
from tasker.client.errors import WaitTimedOut
from tasker.client.options import ChangeOptions, When
from tasker.client.synchronous.connection import Connection
from tasker.wire.explanations import Explanation
from tasker.wire.tasks import Created

_AT_ONCE: Final = 0.5
"""Seconds: an answer that comes sooner has not waited for the end of the task."""


class TaskByKey:
    """The task that holds a key: ``client.by_key(key)``.

    If no task holds it, ``get``, ``wait``, ``retry`` and ``duplicate`` mean the newest that had it; the others raise
    ``TaskNotFound``. Where a lost answer would leave open which task was meant, nothing is sent again:
    meanwhile the key may have gone to another task.
    """

    def __init__(self, connection: Connection, key: str) -> None:
        self._connection = connection
        self._where = tasks.by_key(key)
        self.key: Final = key

    def get(self) -> Task:
        """As ``client.get``."""
        return self._connection.call(tasks.get(self._where))

    def wait(self, timeout: timedelta | float | None = None) -> Task:
        """As ``client.wait``, for the end of the task that has the key now."""
        return wait_for(self._connection, tasks.by_id((self.get()).id), timeout)

    def update(
        self,
        fields: Mapping[str, Any] | None = None,
        *,
        type: str | None = None,
        if_match: str | None = None,
        **changes: Unpack[ChangeOptions],
    ) -> Task:
        """As ``client.update``. Not sent again after a lost answer."""
        return change(self._connection, self._where, fields, type, if_match, changes)

    def cancel(self) -> Task:
        """As ``client.cancel``. Not sent again after a lost answer."""
        return self._connection.call(tasks.cancel(self._where))

    def run(self) -> Task | Explanation:
        """As ``client.run``."""
        return self._connection.call(tasks.run(self._where))

    def retry(self) -> Task:
        """As ``client.retry``."""
        return self._connection.call(tasks.retry(self._where))

    def delete(self) -> None:
        """As ``client.delete``. Not sent again after a lost answer."""
        self._connection.call(tasks.delete(self._where))

    def duplicate(self, *, idempotency_key: str | None = None, **when: Unpack[When]) -> Created:
        """As ``client.duplicate``."""
        return self._connection.call(tasks.duplicate(self._where, {**when, "idempotency_key": idempotency_key}))


def wait_for(
    connection: Connection,
    where: tasks.Where,
    timeout: timedelta | float | None,
) -> Task:
    """Return a task once it has ended: see ``client.wait``."""
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
    end = None if seconds is None else time.monotonic() + seconds
    while True:
        asked_at = time.monotonic()
        left = tasks.LONGEST_WAIT if end is None else max(0.0, end - asked_at)
        task = connection.call(tasks.get(where, min(left, tasks.LONGEST_WAIT)))
        if task.has_ended:
            return task
        now = time.monotonic()
        if end is not None and now >= end:
            raise WaitTimedOut(f"the task {task.id} is {task.state}, and has not ended within {seconds:g} s")
        if now - asked_at < _AT_ONCE:
            time.sleep(_AT_ONCE)  # the server has no room for those who wait, or is stopping


def change(
    connection: Connection,
    where: tasks.Where,
    fields: Mapping[str, Any] | None,
    type_: str | None,
    if_match: str | None,
    changes: Mapping[str, Any],
) -> Task:
    """Change a task: see ``client.update``."""
    if type_ is None:
        type_ = (connection.call(tasks.get(where))).type
    return connection.call(tasks.change(where, type_, fields or {}, changes, if_match))
