"""What can be done to a database in a file without serving it: see ``stores/maintenance.py``."""

import os
from pathlib import Path
from typing import Final

from typing_extensions import override

from tasker.model.instants import Instant
from tasker.stores.maintenance import Backup, Checked, Due, Maintenance, Restored, Tell, Vacuumed
from tasker.stores.sqlite.backup import back_up
from tasker.stores.sqlite.check import check
from tasker.stores.sqlite.restore import note_restored, restore
from tasker.stores.sqlite.vacuum import vacuum
from tasker.timing.clock import Clock


class SqliteMaintenance(Maintenance):
    """See ``Maintenance``."""

    def __init__(self, location: str, clock: Clock) -> None:
        self._database: Final = Path(os.path.realpath(location))
        self._clock = clock

    @override
    def back_up(self, path: Path, *, keep: int | None, tell: Tell) -> Backup:
        return back_up(self._database, path, keep=keep, now=self._clock.now, tell=tell)

    @override
    def restore(self, copy: Path, *, paused: bool, with_ids: bool, tell: Tell) -> Restored:
        return restore(self._database, copy, paused=paused, with_ids=with_ids, now=self._clock.now, tell=tell)

    @override
    def note_restored(self, copied_at: Instant | None, *, paused: bool, with_ids: bool) -> Due:
        return note_restored(self._database, copied_at, paused=paused, with_ids=with_ids, now=self._clock.now)

    @override
    def check(self, tell: Tell) -> Checked:
        return check(self._database, tell)

    @override
    def vacuum(self, tell: Tell) -> Vacuumed:
        return vacuum(self._database, tell)
