"""The names of members that mean one thing, whatever the task type."""

from typing import Final

from tasker.wire.fields import RequestFields, TaskFields
from tasker.wire.tasks import TaskView

_KEPT_FREE: Final = (
    "completion",
    *("queue", "priority", "args", "attempt", "token", "lease_until"),
)
"""Nothing is called so yet."""

RESERVED: Final = frozenset(
    {
        *(name for shape in (RequestFields, TaskFields, TaskView) for name in shape.__struct_encode_fields__),
        "result",
        *_KEPT_FREE,
    }
)
"""What the task type of a package may not define: the members that requests and answers have for
every type, and those that are kept free."""


def reserved_in(fields: type[TaskFields]) -> list[str]:
    """Return the reserved names that the members of *fields* have, apart from those that it has from ``TaskFields``."""
    own = {
        name
        for each in fields.__mro__
        if each not in TaskFields.__mro__
        for name in getattr(each, "__annotations__", {})
    }
    names = zip(fields.__struct_fields__, fields.__struct_encode_fields__, strict=True)
    return sorted(encoded for name, encoded in names if name in own and encoded in RESERVED)
