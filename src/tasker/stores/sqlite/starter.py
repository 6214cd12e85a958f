"""Starting runs of schedules with the claim that takes them."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from tasker.model.attempt import Attempt
from tasker.model.task import Admission, RunKind
from tasker.stores.admitting import Asking, AtOnce, admission_of
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.gates import as_json
from tasker.stores.sqlite.rows import READING


class Starter:
    """Has runs start in the transaction of their claim, as far as ``AtOnce`` says."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    def start(self, claimed: Sequence[tuple[int, Attempt]]) -> Sequence[Attempt]:
        """Return the attempts that were *claimed*, with their seqs, the earliest due first: those that start say so."""
        asking = [seq for seq, attempt in claimed if attempt.asks_to_start]
        if not asking:  # nearly always
            return [attempt for _, attempt in claimed]
        schedules, at_once = READING.schedule, AtOnce[int]()
        for row in self._queries.all("asking_at_once", seqs=as_json(asking)):
            seq, kind, scheduled_for, before, due_at, missed, was_down, goes_on = row[schedules.width :]
            asked = Asking(RunKind(kind), scheduled_for, admission_of(before), due_at, missed)
            at_once.ask(seq, asked, schedules.read(row), goes_on=bool(goes_on), was_down=bool(was_down))
        started = at_once.started
        if started:
            self._queries.all("start_runs", seqs=as_json([*started]), missed=None)
            self._queries.all("count_started", started=msgspec.json.encode(at_once.counted).decode())
        return [replace(each, admission=Admission.STARTED) if seq in started else each for seq, each in claimed]
