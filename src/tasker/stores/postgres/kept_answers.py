"""The answers to requests with an idempotency key, written with what those make."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TypeAlias

from tasker.errors import IdempotencyInFlightError, StoreFullError, StoreUnavailableError, TaskExistsError
from tasker.interfaces.queue import PRUNE_LIMIT
from tasker.model import instants
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.task import Task
from tasker.stores.postgres.connection import Connection, Link
from tasker.stores.postgres.inserter import Inserter

Create: TypeAlias = tuple[Sequence[Task], Repeatable]
"""What a caller wants stored."""

Came: TypeAlias = KeptAnswer | TaskExistsError | IdempotencyInFlightError | None
"""What it came to; None: it is stored."""


class KeptAnswers:
    """Makes what requests ask for unless their answers are kept.

    It has a link of its own, so that a plain create never waits for it. The link connects when it
    is needed first.
    """

    def __init__(self, link: Link, queries: Mapping[str, str]) -> None:
        self._link = link
        self._sql = queries
        self._inserter = Inserter(link, queries)

    async def create_batch(self, batch: Sequence[Create]) -> Sequence[Came]:
        """Store what several callers want stored, in one transaction: see ``Store.create_once``.

        If the connection breaks, once more: what was written then is found by its answer.
        """
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
            if came is None:  # for any later one it is kept
                first = firsts[repeatable.id][1]
                found[repeatable.id] = KeptAnswer(first.fingerprint, first.answer)
        return results

    async def kept(self, connection: Connection, ids: Sequence[bytes]) -> dict[bytes, KeptAnswer]:
        """Return the answers that are kept for some of *ids*."""
        rows = await connection.fetch(self._sql["kept_answers"], ids)
        return {row["id"]: KeptAnswer(row["fingerprint"], row["answer"]) for row in rows}

    async def keep(self, connection: Connection, creates: Sequence[Create]) -> None:
        """Keep the answers to requests, as a part of the transaction that stores their tasks."""
        latest = [max((task.execution_at for task in tasks), default=0) for tasks, _ in creates]
        requests = [repeatable for _, repeatable in creates]
        await connection.execute(
            self._sql["keep_answers"],
            [request.id for request in requests],
            [request.fingerprint for request in requests],
            [request.answer for request in requests],
            [min(at + request.retention, instants.LAST) for at, request in zip(latest, requests, strict=True)],
            [timedelta(microseconds=request.retention) for request in requests],
        )

    async def prune(self, connection: Connection) -> int:
        """Delete a batch of what is not to be kept any longer. Return how many went."""
        count: int = await connection.fetchval(self._sql["prune_kept_answers"], PRUNE_LIMIT)
        return count

    async def _create_repeatedly(self, wanted: Mapping[bytes, Create]) -> dict[bytes, Came]:
        try:
            return await self._create(wanted)
        except StoreFullError:
            raise
        except StoreUnavailableError:
            return await self._create(wanted)

    async def _create(self, wanted: Mapping[bytes, Create]) -> dict[bytes, Came]:
        async def create(connection: Connection) -> dict[bytes, Came]:
            ids = sorted(wanted)
            async with self._inserter.transaction(connection):
                turns = await connection.fetch(self._sql["take_turns"], [_number(each) for each in ids])
                ours = [each for each, (is_ours,) in zip(ids, turns, strict=True) if is_ours]
                found: dict[bytes, Came] = {each: IdempotencyInFlightError() for each in ids}
                # A statement of its own: it sees what was committed before the turn was ours.
                kept = await self.kept(connection, ours)
                found |= kept
                absent = [wanted[each] for each in ours if each not in kept]
                if absent:
                    tasks = [task for tasks, _ in absent for task in tasks]
                    stored = await self._inserter.insert(connection, tasks)
                    for task in tasks:
                        if task.id not in stored:
                            raise TaskExistsError(task.id)
                    await self.keep(connection, absent)
                    found |= {repeatable.id: None for _, repeatable in absent}
            return found

        return await self._link.run(create)


def _number(repeatable_id: bytes) -> int:
    return int.from_bytes(repeatable_id[:8], "big", signed=True)
