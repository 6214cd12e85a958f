"""What a change of a task looks like, and what is said about one that looks otherwise."""

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from tasker.api.new_task import BodyDecoder
from tasker.changing import Patch
from tasker.errors import InvalidTaskError
from tasker.task_types.registry import Registry
from tasker.wire.fields import request_type


class PatchDecoder(BodyDecoder):
    """Decodes changes: objects with exactly one member, named for the type of the task in one of its spellings."""

    def __init__(self, registry: Registry) -> None:
        spelled = {
            spelling: task_type.name
            for task_type in registry.types
            for spelling in (task_type.name, *task_type.spellings)
        }
        self._types = tuple(spelled.values())
        members: list[tuple[str, Any, Any]] = [
            (f"member_{place}", dict[str, Raw] | UnsetType, UNSET) for place in range(len(spelled))
        ]
        rename = {name: spelling for (name, *_), spelling in zip(members, spelled, strict=True)}
        super().__init__(
            msgspec.defstruct("TaskChange", members, rename=rename, forbid_unknown_fields=True, frozen=True),
            sorted(set(self._types)),
        )
        self._form = f'{{"{self._names[0]}": {{"delay": "1d"}}}}'
        self._given_inside = {
            field.encode_name
            for task_type in registry.types
            for field in msgspec.structs.fields(request_type(task_type.name, task_type.fields))
        } - spelled.keys()

    def decode(self, body: bytes) -> Patch:
        """Return the change that *body* asks for.

        Raises:
            InvalidTaskError: *body* is no change.
        """
        try:
            members = msgspec.structs.astuple(self.decode_body(body))
        except InvalidTaskError as error:
            if error.field in self._given_inside:
                raise InvalidTaskError(
                    "", f"expected the change inside an object, named for the type of the task, such as {self._form}"
                ) from None
            raise
        named = [place for place, member in enumerate(members) if member is not UNSET]
        if len(named) != 1:
            raise InvalidTaskError(
                "",
                f"expected an object with one member, named for the type of the task: {' or '.join(self._names)}; "
                f"got {len(named)}; one is {self._form}",
            )
        return Patch(self._types[named[0]], members[named[0]])
