"""Schedules: keeps them, and makes their runs."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import msgspec

from tasker.errors import RevisionPassedError
from tasker.interfaces.schedules import Advanced, Rescheduled
from tasker.model.audit import Entry
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.instants import Instant
from tasker.model.schedule import Advance, Schedule
from tasker.model.task import Task, TaskId
from tasker.stores.postgres.auditor import Auditor
from tasker.stores.postgres.connection import Connection, Link
from tasker.stores.postgres.inserter import Inserter
from tasker.stores.postgres.kept_answers import KeptAnswers
from tasker.stores.rows import schedule_values

_VALUES: Final = ("name", "revision", "type", "plan", "is_paused", "put_by")


class Schedules:
    """Writes schedules, and with them the runs that they make, on one link.

    Whoever writes a schedule has locked its row first: nobody else makes its regular runs meanwhile.
    """

    def __init__(
        self,
        link: Link,
        queries: Mapping[str, str],
        inserter: Inserter,
        kept_answers: KeptAnswers,
        auditor: Auditor,
    ) -> None:
        """Make it.

        Args:
            inserter: stores the runs, on the same link.
        """
        self._link = link
        self._sql = queries
        self._inserter = inserter
        self._kept_answers = kept_answers
        self._auditor = auditor

    async def put(
        self, schedule: Schedule, run: Task | None, seen: Schedule | None, reach: timedelta, entry: Entry | None
    ) -> Rescheduled:
        """Store a schedule and its next run: see ``Store.put_schedule``.

        Raises:
            RevisionPassedError: nothing was written.
        """
        runs = [] if run is None else [run]

        async def put(connection: Connection) -> Rescheduled:
            await self._inserter.make_what_is_named(connection, runs)  # before the row is locked
            async with self._inserter.transaction(connection):
                kept = schedule_values(schedule)
                values = [*(kept[name] for name in _VALUES), schedule.next_at, schedule.look_at]
                if seen is None:
                    written = await connection.fetchval(self._sql["create_schedule"], *values)
                else:
                    fence = (seen.revision, seen.next_at)
                    written = await connection.fetchval(self._sql["change_schedule"], *values, *fence)
                if written is None:
                    raise RevisionPassedError(schedule.name, "schedule")
                template = msgspec.json.encode(schedule.template)
                await connection.execute(self._sql["keep_template"], schedule.name, template)
                removed = [] if seen is None else await self._remove(connection, schedule.name, reach)
                missing = await self._without_those_there(connection, runs)
                if len(missing) < len(runs):
                    await connection.execute(self._sql["look_at_schedules"], [schedule.name], [schedule.next_at])
                await self._inserter.insert(connection, missing)
                await self._auditor.write(connection, entry)
            return Rescheduled(removed, missing[0] if missing else None)

        return await self._link.run(put)

    async def delete(self, seen: Schedule, reach: timedelta, entry: Entry | None) -> Sequence[TaskId]:
        """Delete a schedule: see ``Store.delete_schedule``.

        Raises:
            RevisionPassedError: nothing was written.
        """

        async def delete(connection: Connection) -> Sequence[TaskId]:
            async with connection.transaction():
                gone = await connection.fetchval(self._sql["delete_schedule"], seen.name, seen.revision, seen.next_at)
                if gone is None:
                    raise RevisionPassedError(seen.name, "schedule")
                await connection.execute(self._sql["delete_template"], seen.name)
                removed = await self._remove(connection, seen.name, reach)
                await self._auditor.write(connection, entry)
            return removed

        return await self._link.run(delete)

    async def add(
        self,
        seen: Schedule,
        runs: Sequence[Task],
        repeatable: Repeatable[Sequence[Task]] | None,
        entry: Entry | None,
    ) -> KeptAnswer | Sequence[Task]:
        """Store runs that somebody asked for: see ``Store.add_runs``.

        Raises:
            RevisionPassedError: nothing was written.
        """

        async def add(connection: Connection) -> KeptAnswer | Sequence[Task]:
            async def make() -> tuple[Sequence[Task], Instant]:
                if await connection.fetchval(self._sql["schedule_revision"], seen.name) != seen.revision:
                    raise RevisionPassedError(seen.name, "schedule")
                await self._inserter.insert(connection, runs)
                await self._auditor.write(connection, entry)
                return runs, 0

            await self._inserter.make_what_is_named(connection, runs)
            async with self._inserter.transaction(connection):
                return await self._kept_answers.once(connection, repeatable, make)

        return await self._link.run(add)

    async def advance(self, advances: Sequence[Advance]) -> Advanced:
        """Have schedules go on: see ``Store.advance_schedules``."""

        async def advance(connection: Connection) -> Advanced:
            await self._inserter.make_what_is_named(connection, [run for each in advances for run in each.runs])
            async with self._inserter.transaction(connection):
                seen = [each.seen for each in advances]
                rows = await connection.fetch(
                    self._sql["lock_schedules"],
                    [each.name for each in seen],
                    [each.revision for each in seen],
                    [each.next_at for each in seen],
                )
                locked = {row["name"] for row in rows}
                going = [each for each in advances if each.seen.name in locked]
                runs = [run for each in going for run in each.runs]
                missing = await self._without_those_there(connection, runs)
                await self._inserter.insert(connection, missing)
                made = {run.id for run in missing}
                await connection.execute(
                    self._sql["advance_schedules"],
                    [each.seen.name for each in going],
                    [each.next_at for each in going],
                    [each.look_at for each in going],
                    [bool(each.runs) and each.runs[-1].id not in made for each in going],
                )
            return Advanced(len(going), missing)

        return await self._link.run(advance)

    async def _remove(self, connection: Connection, name: str, reach: timedelta) -> Sequence[TaskId]:
        rows = await connection.fetch(self._sql["remove_queued_runs"], name, reach)
        return [TaskId(str(row["id"])) for row in rows]

    async def _without_those_there(self, connection: Connection, runs: Sequence[Task]) -> Sequence[Task]:
        """Return those of *runs* for whose times there are none."""
        if not runs:
            return runs
        rows = await connection.fetch(
            self._sql["runs_for"], [run.schedule for run in runs], [run.scheduled_for for run in runs]
        )
        there: set[tuple[str, Instant]] = {(row["schedule"], row["scheduled_for"]) for row in rows}
        return [run for run in runs if (run.schedule, run.scheduled_for) not in there]
