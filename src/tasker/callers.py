"""Who calls, and what they may do."""

from enum import Enum
from typing import Final

from msgspec import Struct


class Scope(Enum):
    """What a call needs and a caller has. Today every key has all of them."""

    OPEN = "open"
    """Whether the server is alive and ready. Everybody may ask."""
    METRICS = "metrics"
    """What the server counts and measures, and the nodes that share its store."""
    TASKS_READ = "tasks:read"
    """Look at tasks and destinations, and at the description of the calls."""
    TASKS_WRITE = "tasks:write"
    """Create, change, run, cancel, retry and delete tasks."""
    SECRETS_READ = "secrets:read"
    """See the headers and the passwords of a single task. Lists never show them."""
    OPERATE = "operate"
    """Pause, resume and limit destinations."""
    ADMIN = "admin"
    """Say who may call. No call needs it yet."""


class Caller(Struct, frozen=True):
    """Somebody who may call."""

    scopes: frozenset[Scope]
    id: str = "local"
    """Which key it has shown; ``local``: none is asked for."""
    name: str = "local"
    """What the key is called."""

    def may(self, scope: Scope) -> bool:
        """Return whether the caller has *scope*."""
        return scope in self.scopes


ANYBODY: Final = Caller(frozenset({Scope.OPEN}))
"""A caller who has shown nothing."""

OWNER: Final = Caller(frozenset(Scope))
"""A caller who may do everything: with a key, or on a server that asks for none."""
