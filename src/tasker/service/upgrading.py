"""What nodes of the version before could not read, or would undo: refused while one may share the store.

See ``docs/decisions``: there is a table with the reasons.
"""

from typing import Final

from msgspec import UNSET

from tasker.building import Asked
from tasker.errors import UpgradeUnfinishedError
from tasker.interfaces.store import Store
from tasker.model.task import PULLED

NEWER_MEMBERS: Final = (
    *("tags", "keep", "key", "group", "body_base64", "completion"),
    *("local_time", "time_zone"),
)
"""Members of a new task that they know nothing of."""


def refuse_if_upgrading(store: Store, what: str) -> None:
    """Return if *what*, a noun, can be written: all nodes can read it.

    Raises:
        UpgradeUnfinishedError: perhaps not all can.
    """
    if store.is_upgrading:
        raise UpgradeUnfinishedError(what)


def refuse_newer_members(store: Store, asked: Asked) -> None:
    """Return if a new task can be stored as it is asked for.

    Raises:
        UpgradeUnfinishedError: perhaps not all nodes can read it.
    """
    if store.is_upgrading:
        if asked.type.pool == PULLED:
            raise UpgradeUnfinishedError(asked.type.name)
        for given in (asked.fields, asked.request):
            for member in NEWER_MEMBERS:
                if getattr(given, member, UNSET) is not UNSET:
                    raise UpgradeUnfinishedError(f"{asked.type.name}.{member}")
