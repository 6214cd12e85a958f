"""What events say of a task that stands in its payload."""

from collections.abc import Callable, Iterable

import msgspec
from msgspec import UNSET

from tasker.interfaces.task_type import TaskType
from tasker.model.event import UNKNOWN, Traits
from tasker.wire.fields import TaskFields


class TraitsReader:
    """Reads them with the task types of this node. A task of another type has none."""

    def __init__(self, types: Iterable[TaskType]) -> None:
        self._types: dict[str, tuple[TaskType, Callable[[bytes], TaskFields]]] = {
            each.name: (each, msgspec.json.Decoder(each.fields).decode) for each in types
        }

    def of_fields(self, type_name: str, fields: TaskFields) -> Traits:
        """Return what the fields of a task say, as its task type reads them."""
        known = self._types.get(type_name)
        if known is None:
            return UNKNOWN
        try:
            destination = known[0].destination(fields).name
        except Exception:  # noqa: BLE001 - whatever a task type raises concerns its own tasks alone
            return UNKNOWN
        tags = () if fields.tags is UNSET else tuple(dict.fromkeys(fields.tags))
        return Traits(tags, destination, None if fields.group is UNSET else fields.group)

    def of_payload(self, type_name: str, payload: bytes) -> Traits:
        """Return the same of a payload."""
        known = self._types.get(type_name)
        if known is None:
            return UNKNOWN
        try:
            return self.of_fields(type_name, known[1](payload))
        except Exception:  # noqa: BLE001 - the struct of a package may run code of its own
            return UNKNOWN
