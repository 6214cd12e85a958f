"""The end of an upgrade: when no node of an earlier version shares the database any more."""

import structlog

from tasker.errors import StoreError
from tasker.stores.postgres import schema
from tasker.stores.postgres.connection import Link

_log = structlog.get_logger()


class Upgrade:
    """Knows whether nodes of an earlier version may share the database, and keeps them out once none does."""

    def __init__(self, link: Link, *, migrates: bool) -> None:
        """Take it that they may.

        Args:
            migrates: whether to change the tables; else somebody else has to.
        """
        self._link = link
        self._migrates = migrates
        self.is_finished = False
        """Whether none does, and none can any more. Stays so."""
        self._warned = False

    async def look(self) -> None:
        """Finish the upgrade if it can be. Never raises: it is looked at again."""
        if self.is_finished:
            return
        try:
            self.is_finished = await self._link.run(
                lambda connection: schema.finish(connection, migrates=self._migrates)
            )
        except StoreError as error:
            if not self._warned:
                _log.warning("the upgrade cannot be finished now, trying again", reason=str(error))
            self._warned = True
