"""What is to be done again and again."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Unpack

from tasker.client.answers import Schedule
from tasker.client.asynchronous.connection import AsyncConnection
from tasker.client.calls import schedules
from tasker.client.options import Moment, NewWebhook, PlanOptions
from tasker.wire.schedules import PreviewView, RunsMade, ScheduleSummary


class AsyncSchedules:
    """What is to be done again and again: ``client.schedules``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(
        self,
        name: str,
        task: str | NewWebhook | Mapping[str, Any],
        *,
        if_match: str | None = None,
        **plan: Unpack[PlanOptions],
    ) -> Schedule:
        """Create a schedule, or change it: what is not said has its default.

        ``client.schedules.put("report", "https://example.org/report", cron="0 9 * * MON-FRI", time_zone="UTC")``

        With *if_match*, it is not sent again after a lost answer.

        Args:
            name: its name.
            task: what each run is: a URL, or as an item of ``client.schedule_many``, without a time and a name.
                Its ``expires_at`` is a length of time after that of the run.
            if_match: the ``etag`` of the schedule as you have read it: if it was written since, nothing is changed.
            cron: minute, hour, day of month, month and day of week; or ``@hourly``, ``@daily`` and so on.
            every: in place of *cron*: real time between two runs.
            time_zone: whose clocks *cron* means. Needed with it; ``UTC`` is one.
            starts_at: no run is earlier.
            ends_at: no run is at this moment or later.
            jitter: each run is put off by a time of its own, shorter than this.
            overlap: what becomes of a run while another one goes on: ``"skip"``, ``"queue"`` or ``"allow"``.
            missed: what becomes of the times at which no server was up: ``"once"``, ``"all"`` or ``"none"``.
            missed_within: how long before a server was up again such a time may lie to have a run.
            max_runs: once so many regular runs have started, no more are made.
            paused: whether no runs are made. None: it stays as it is.
            tags: labels that each run has, beside those of its task.

        Raises:
            InvalidRequest: it cannot be a schedule: ``field`` says where.
            RevisionPassed: it was written since *if_match*.
            NaiveTimeError: a datetime has no time zone.
        """
        return await self._connection.call(schedules.put(name, task, plan, if_match))

    async def preview(
        self, task: str | NewWebhook | Mapping[str, Any] | None = None, **plan: Unpack[PlanOptions]
    ) -> PreviewView:
        """Say when a schedule would run: its next 10 times. Nothing is stored.

        Args:
            task: as in ``put``: it is checked. None: the plan alone is.
            plan: as in ``put``.

        Raises:
            InvalidRequest, NaiveTimeError: as ``put``.
        """
        return await self._connection.call(schedules.preview(task, plan))

    async def find(self, *, limit: int | None = None) -> AsyncIterator[ScheduleSummary]:
        """Return all schedules by name, page by page as they are iterated.

        Args:
            limit: at most so many; None: all.
        """
        async for each in self._connection.pages(schedules.find, limit):
            yield each

    async def get(self, name: str) -> Schedule:
        """Return a schedule: its next times, and its latest runs.

        Raises:
            ScheduleNotFound: there is none with this name.
        """
        return await self._connection.call(schedules.get(name))

    async def delete(self, name: str, *, if_match: str | None = None) -> None:
        """Delete a schedule, and its run that stands in the queue.

        With *if_match*, it is not sent again after a lost answer.

        Args:
            name: its name.
            if_match: as in ``put``.

        Raises:
            ScheduleNotFound: there is none with this name.
            RevisionPassed: it was written since *if_match*.
        """
        await self._connection.call(schedules.delete(name, if_match))

    async def pause(self, name: str) -> Schedule:
        """Make no runs of a schedule, and remove the one that stands in the queue.

        Raises:
            ScheduleNotFound: there is none with this name.
        """
        return await self._connection.call(schedules.pause(name))

    async def resume(self, name: str) -> Schedule:
        """Make runs of a schedule again, from its first time after now on.

        Raises:
            ScheduleNotFound: there is none with this name.
        """
        return await self._connection.call(schedules.resume(name))

    async def run(self, name: str, *, idempotency_key: str | None = None) -> RunsMade:
        """Make a run of a schedule now, beside its regular ones. Sent again after a lost answer only with a key.

        Args:
            name: its name.
            idempotency_key: names the request: whatever comes again with it gets the first answer.

        Raises:
            ScheduleNotFound: there is none with this name.
        """
        return await self._connection.call(schedules.run(name, idempotency_key))

    async def backfill(self, name: str, *, from_: Moment, to: Moment, idempotency_key: str | None = None) -> RunsMade:
        """Make the runs of a schedule for times that have passed, at most 1,000. Sent again as ``run`` is.

        Args:
            name: its name.
            from_: the first time may be this one.
            to: all times are before this one, which has passed.
            idempotency_key: as in ``run``.

        Raises:
            ScheduleNotFound: there is none with this name.
            InvalidRequest: there are too many such times, or *to* is yet to come.
            NaiveTimeError: a datetime has no time zone.
        """
        return await self._connection.call(schedules.backfill(name, from_, to, idempotency_key))
