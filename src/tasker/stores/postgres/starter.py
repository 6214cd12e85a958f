"""Starting runs of schedules with the claim that takes them."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from tasker.model.attempt import Attempt
from tasker.model.task import Admission, TaskId
from tasker.stores.admitting import AtOnce, asking_of
from tasker.stores.postgres.connection import Connection
from tasker.stores.rows import Reading


class Starter:
    """Has runs start right after the statement that claims them, as far as ``AtOnce`` says.

    It waits for no lock, and holds none between statements. That nobody else starts runs of the same
    schedule meanwhile is certain by the schedule's turn; otherwise they are left to ``Store.admit``.
    """

    def __init__(self, queries: Mapping[str, str], reading: Reading) -> None:
        self._sql = queries
        self._reading = reading

    async def start(self, connection: Connection, claimed: Sequence[Attempt]) -> Sequence[Attempt]:
        """Return the attempts that one call has *claimed*, the earliest due first: those that start say so."""
        asking = [attempt for attempt in claimed if attempt.asks_to_start]
        if not asking:  # nearly always
            return claimed
        schedules, at_once = self._reading.schedule, AtOnce[TaskId]()
        turns: dict[str, int] = {}
        for row in await connection.fetch(self._sql["asking_at_once"], [attempt.task_id for attempt in asking]):
            schedule = schedules.read(row)
            turns[schedule.name] = row["turn"]
            asked = asking_of(row)
            at_once.ask(TaskId(str(row["id"])), asked, schedule, goes_on=row["goes_on"], was_down=row["was_down"])
        if not at_once.started:
            return claimed
        names = [*at_once.counted]
        rows = await connection.fetch(
            self._sql["start_at_once"],
            names,
            [turns[name] for name in names],
            [*at_once.started],
            [each.schedule for each in at_once.started.values()],
            [each.counted for each in at_once.started.values()],
            asking[0].fence,
        )
        started = {TaskId(str(row["id"])) for row in rows}
        return [replace(each, admission=Admission.STARTED) if each.task_id in started else each for each in claimed]
