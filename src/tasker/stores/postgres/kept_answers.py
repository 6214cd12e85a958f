"""The answers to requests with an idempotency key, written with what those make."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TypeAlias, TypeVar

from msgspec import Struct

from tasker.errors import IdempotencyInFlightError, StoreFullError, StoreUnavailableError, TaskExistsError
from tasker.interfaces.queue import PRUNE_LIMIT
from tasker.model import instants
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.instants import Instant
from tasker.model.task import Task
from tasker.stores.postgres.connection import Connection, Link
from tasker.stores.postgres.inserter import Inserter

T = TypeVar("T")

Create: TypeAlias = tuple[Task, Repeatable[Task]]
"""What a caller wants stored."""

Came: TypeAlias = KeptAnswer | Task | TaskExistsError | IdempotencyInFlightError
"""What it came to."""


class _Keep(Struct, frozen=True):
    """An answer to keep."""

    id: bytes
    fingerprint: bytes
    answer: bytes
    latest: Instant
    """The latest execution time of what was made."""
    retention: int


class KeptAnswers:
    """Makes what requests ask for unless their answers are kept.

    Creates have another link than plain ones, so that those never wait for them.
    """

    def __init__(self, link: Link, queries: Mapping[str, str]) -> None:
        self._link = link
        self._sql = queries
        self._inserter = Inserter(link, queries)

    async def once(
        self,
        connection: Connection,
        repeatable: Repeatable[T] | None,
        make: Callable[[], Awaitable[tuple[T, Instant]]],
    ) -> KeptAnswer | T:
        """Return what *make* makes, and keep the answer to its request, unless one is kept: then return that.

        A part of a transaction on *connection*, at the level READ COMMITTED. If its commit is
        ambiguous, it can be run again: what was written then is found by its answer.

        Args:
            connection: is in that transaction.
            repeatable: the request; None: it has no idempotency key, so nothing is kept.
            make: returns what it makes, and the latest execution time of it; 0 if it has none.

        Raises:
            IdempotencyInFlightError: another transaction is at work for this key. Nothing was made.
        """
        if repeatable is None:
            return (await make())[0]
        if not await self._take_turns(connection, [repeatable.id]):
            raise IdempotencyInFlightError
        kept = await self._kept(connection, [repeatable.id])
        if kept:
            return kept[repeatable.id]
        made, latest = await make()
        await self._keep(connection, [_to_keep(repeatable, made, latest)])
        return made

    async def create_batch(self, batch: Sequence[Create]) -> Sequence[Came]:
        """Store what several callers want stored, in one transaction: see ``Store.create_once``."""
        firsts: dict[bytes, Create] = {}
        for create in batch:
            firsts.setdefault(create[1].id, create)
        try:
            found = await self._create_repeatedly(firsts)
        except TaskExistsError:
            found = {}
            for each, wanted in firsts.items():
                try:
                    found |= await self._create_repeatedly({each: wanted})
                except TaskExistsError as error:
                    found[each] = error
        results: list[Came] = []
        for _, repeatable in batch:
            came = found[repeatable.id]
            results.append(came)
            if isinstance(came, Task):  # for any later one its answer is kept
                first = firsts[repeatable.id][1]
                found[repeatable.id] = KeptAnswer(first.fingerprint, first.answer(came))
        return results

    async def prune(self, connection: Connection) -> int:
        """Delete a batch of what is not to be kept any longer. Return how many went."""
        count: int = await connection.fetchval(self._sql["prune_kept_answers"], PRUNE_LIMIT)
        return count

    async def _create_repeatedly(self, wanted: Mapping[bytes, Create]) -> dict[bytes, Came]:
        """Do as ``_create``. If the connection breaks, once more: it may have been done."""
        try:
            return await self._create(wanted)
        except StoreFullError:
            raise
        except StoreUnavailableError:
            found = await self._create(wanted)
            for each, (task, repeatable) in wanted.items():
                came = found[each]
                # The answer has the id of the task, so nobody else's is the same.
                if isinstance(came, KeptAnswer) and came.answer == repeatable.answer(task):
                    found[each] = task
            return found

    async def _create(self, wanted: Mapping[bytes, Create]) -> dict[bytes, Came]:
        async def create(connection: Connection) -> dict[bytes, Came]:
            async with self._inserter.transaction(connection):
                ours = await self._take_turns(connection, sorted(wanted))
                kept = await self._kept(connection, ours)
                absent = [wanted[each] for each in ours if each not in kept]
                if absent:
                    stored = await self._inserter.insert(connection, [task for task, _ in absent])
                    for task, _ in absent:
                        if task.id not in stored:
                            raise TaskExistsError(task.id)
                        stored.discard(task.id)
                    await self._keep(
                        connection, [_to_keep(repeatable, task, task.execution_at) for task, repeatable in absent]
                    )
            found: dict[bytes, Came] = {each: IdempotencyInFlightError() for each in wanted}
            return found | kept | {repeatable.id: task for task, repeatable in absent}

        return await self._link.run(create)

    async def _take_turns(self, connection: Connection, ids: Sequence[bytes]) -> Sequence[bytes]:
        """Return those of *ids* that no other transaction is at work with: from now on this one is, until its end."""
        turns = await connection.fetch(self._sql["take_turns"], [_number(each) for each in ids])
        return [each for each, (is_ours,) in zip(ids, turns, strict=True) if is_ours]

    async def _kept(self, connection: Connection, ids: Sequence[bytes]) -> dict[bytes, KeptAnswer]:
        """Return the answers that are kept for some of *ids*.

        A statement that begins after ``_take_turns`` sees what was committed before.
        """
        rows = await connection.fetch(self._sql["kept_answers"], ids)
        return {row["id"]: KeptAnswer(row["fingerprint"], row["answer"]) for row in rows}

    async def _keep(self, connection: Connection, answers: Sequence[_Keep]) -> None:
        await connection.execute(
            self._sql["keep_answers"],
            [each.id for each in answers],
            [each.fingerprint for each in answers],
            [each.answer for each in answers],
            [min(each.latest + each.retention, instants.LAST) for each in answers],
            [timedelta(microseconds=each.retention) for each in answers],
        )


def _to_keep(repeatable: Repeatable[T], made: T, latest: Instant) -> _Keep:
    return _Keep(repeatable.id, repeatable.fingerprint, repeatable.answer(made), latest, repeatable.retention)


def _number(repeatable_id: bytes) -> int:
    return int.from_bytes(repeatable_id[:8], "big", signed=True)
