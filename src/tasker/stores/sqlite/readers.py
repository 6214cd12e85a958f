"""Hands questions from the event loop to readers."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import apsw

from tasker.stores.sqlite.condition import Condition
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.reader import Reader
from tasker.timing.giving_way import give_way

T = TypeVar("T")

READERS: Final = 2

_NICE: Final = 10
"""A claim does not wait for what somebody looks at. Not the lowest priority: the writer may wait for one of them, while
that has the interpreter.
"""


class ReaderThreads:
    """Threads that answer questions, each on a connection of its own."""

    def __init__(self, connect: Callable[[], Queries], condition: Condition) -> None:
        """Make them.

        Args:
            connect: makes a connection for a thread.
            condition: told of errors.
        """
        self._connect = connect
        self._condition = condition
        self._connections: list[apsw.Connection] = []
        self._of_thread = threading.local()
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="tasker-reader", initializer=self._open)

    async def ask(self, question: Callable[[Reader], T]) -> T:
        """Return the answer to *question*."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, question)

    async def close(self) -> None:
        """Answer what was asked, then let go of the connections."""
        await asyncio.to_thread(self._threads.shutdown)
        for connection in self._connections:
            connection.close()

    def _open(self) -> None:
        give_way(_NICE)
        queries = self._connect()
        self._connections.append(queries.connection)
        self._of_thread.reader = Reader(queries)

    def _answer(self, question: Callable[[Reader], T]) -> T:
        return _answer(self._of_thread.reader, question, self._condition)


class InlineReader:
    """The same without a thread: each question is answered at once, on the event loop. For a store in memory."""

    def __init__(self, queries: Queries, condition: Condition) -> None:
        self._reader = Reader(queries)
        self._condition = condition

    async def ask(self, question: Callable[[Reader], T]) -> T:
        """Return the answer to *question*."""
        return _answer(self._reader, question, self._condition)

    async def close(self) -> None:
        """The connection is the writer's."""


def _answer(reader: Reader, question: Callable[[Reader], T], condition: Condition) -> T:
    try:
        return question(reader)
    except apsw.Error as error:
        raise condition.error(error) from error
