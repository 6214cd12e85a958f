"""Stopping everything, on all nodes."""

from typing import Protocol

from tasker.model.audit import Entry
from tasker.model.instants import Instant


class PauseStore(Protocol):
    """Keeps whether everything is paused: then no task is claimed, on any node. See ``Store`` for what holds here too.

    Everything else goes on: what runs ends, tasks are created, changed and expire, and what a node
    that is gone was running is taken back. A claim that began before ``pause_all`` returned may
    still take tasks. The time of a pause counts as ``late_held`` of the tasks that were due in it,
    and for circuits as if it had not passed: see ``give_up``.
    """

    @property
    def paused_at(self) -> Instant | None:
        """Since when everything is paused, as this node has last seen it: with each claim. None: it is not."""

    async def pause_all(self, entry: Entry | None = None) -> None:
        """Pause everything until it is resumed, over restarts. Twice is as good as once.

        Not while ``is_upgrading``: nodes of the version before would go on.
        """

    async def resume_all(self, entry: Entry | None = None) -> None:
        """Go on. If nothing is paused, nothing changes."""
