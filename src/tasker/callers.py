"""Who calls, and what they may do."""

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final

from msgspec import Struct
from msgspec.structs import force_setattr

from tasker.model import names
from tasker.model.audit import LOCAL, Action, Actor, Changes, Entry, Kind


class Scope(Enum):
    """What a call needs and a caller has."""

    OPEN = "open"
    """Ask whether the server is alive and ready, or tell with its token how an attempt ended. Everybody may."""
    METRICS = "metrics"
    """What the server counts and measures, and the nodes that share its store."""
    TASKS_READ = "tasks:read"
    """Look at tasks, schedules, operations and destinations, and at the description of the calls."""
    TASKS_WRITE = "tasks:write"
    """Create, change, run, cancel, retry and delete tasks; put, pause, resume and delete schedules."""
    QUEUES_WORK = "queues:work"
    """Claim tasks of queues. ``queues:work:NAME``: those of one queue."""
    SECRETS_READ = "secrets:read"
    """See the secrets of a task: ``secret``, the values of headers, the passwords in URLs."""
    OPERATE = "operate"
    """Pause, resume and limit destinations, and begin operations on many tasks."""
    ADMIN = "admin"
    """Say who may call, and see who has changed what."""

    __hash__ = object.__hash__  # by what they are told apart; that of Enum takes a call in Python at every look


class Role(Enum):
    """A name for a set of scopes, so that nobody has to list them."""

    METRICS = "metrics"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    @property
    def scopes(self) -> frozenset[Scope]:
        """What the role may do. ``admin`` may do everything."""
        return frozenset(scope for scope in Scope if self in ROLES_WITH[scope])


ROLES_WITH: Final[Mapping[Scope, Sequence[Role]]] = {
    Scope.OPEN: tuple(Role),
    Scope.METRICS: tuple(Role),
    Scope.TASKS_READ: (Role.READ, Role.WRITE, Role.ADMIN),
    Scope.TASKS_WRITE: (Role.WRITE, Role.ADMIN),
    Scope.QUEUES_WORK: (Role.WRITE, Role.ADMIN),
    Scope.SECRETS_READ: (Role.ADMIN,),
    Scope.OPERATE: (Role.WRITE, Role.ADMIN),
    Scope.ADMIN: (Role.ADMIN,),
}
"""The roles that each scope is in."""

GRANTED: Final = tuple(scope for scope in Scope if scope is not Scope.OPEN)
"""The scopes that a key may have; everybody has the other one."""


SCOPE_WORDS: Final = tuple(scope.value for scope in GRANTED)
"""The same as they are written; there are those of single queues, too: see ``queue_of``."""

_ONE_QUEUE: Final = re.compile(rf"{Scope.QUEUES_WORK.value}:((?:type:)?{names.PATTERN})", re.ASCII)


def queue_of(scope: str) -> str | None:
    """Return the queue that a scope of a single one names; None: it is no such scope.

    >>> queue_of("queues:work:reports"), queue_of("queues:work")
    ('reports', None)
    """
    match = _ONE_QUEUE.fullmatch(scope)
    return None if match is None else match[1]


KEY_NAME_LENGTH: Final = 100
"""Characters that the name of a key has at most."""


class Caller(Struct, frozen=True):
    """Somebody who may call."""

    scopes: frozenset[Scope]
    id: str = LOCAL
    """Which key it has shown; ``LOCAL``: none is asked for. Tells nothing of the key itself, and has no space."""
    name: str = LOCAL
    """What the key is called."""
    identity: bytes = b""
    """What tells its idempotency keys from those of others; the same on every node."""
    queues: frozenset[str] | None = None
    """The queues whose tasks it may claim, if it may claim any; None: all."""
    creator: str | None = None
    """What the tasks that it creates keep of who that was, which follows from the rest; None: no key is asked for."""

    def __post_init__(self) -> None:
        """Make ``creator`` once: every create reads it."""
        force_setattr(self, "creator", None if self.id == LOCAL else Actor(self.id, self.name).text)

    def may(self, scope: Scope) -> bool:
        """Return whether the caller has *scope*."""
        return scope in self.scopes

    def may_work_on(self, queue: str) -> bool:
        """Return whether the caller may claim tasks of a queue."""
        return Scope.QUEUES_WORK in self.scopes and (self.queues is None or queue in self.queues)

    def entry(
        self, action: Action, kind: Kind, subject: str = "", *, name: str | None = None, changes: Changes | None = None
    ) -> Entry:
        """Return the row of the audit log for something that the caller changes: see ``Entry``."""
        by = Actor(self.id, self.name)
        return Entry(by=by, action=action, kind=kind, subject=subject, name=name, changes=changes or {})


ANYBODY: Final = Caller(frozenset({Scope.OPEN}))
"""A caller who has shown nothing."""

OWNER: Final = Caller(frozenset(Scope))
"""The caller on a server that asks for no key: it may do everything."""


class KeyLine(Struct, frozen=True):
    """What a line of a key file says."""

    key: str
    role: Role
    name: str
    """Empty: it has none."""

    def __repr__(self) -> str:
        """Show no key."""
        return f"KeyLine({self.role.value!r}, {self.name!r})"


def read_key_line(line: str) -> KeyLine:
    """Return what ``KEY``, ``KEY ROLE`` or ``KEY ROLE NAME`` says. Without a role it is ``admin``.

    >>> read_key_line("pQ7v2mX9kT4wZr8yB1nC read grafana")
    KeyLine('read', 'grafana')

    Raises:
        ValueError: it has no such role. The message shows nothing of the line: it may be a key with
            spaces.
    """
    key, *rest = line.split(maxsplit=2)
    try:
        role = Role(rest[0]) if rest else Role.ADMIN
    except ValueError:
        raise ValueError(f"expected a role after the key, one of {_ROLES}") from None
    return KeyLine(key, role, " ".join(rest[1].split()) if len(rest) == 2 else "")


_ROLES: Final = ", ".join(role.value for role in Role)
