"""What the audit log says: who has changed what, when."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from tasker.model import instants
from tasker.model.circuit import THRESHOLD, Circuit
from tasker.model.gate import Gate
from tasker.model.instants import Instant

LOCAL: Final = "local"
"""The id of whoever calls a server that asks for no key, or works on the database itself."""

_LONGEST_VALUE: Final = 1_000
"""Bytes of JSON that a value may have. Of a longer one it is only said that it has changed."""


class Actor(Struct, frozen=True):
    """Who has changed something."""

    id: str
    """That of an API key, without a space; ``LOCAL``, or that of ``TASKER``."""
    name: str

    @property
    def text(self) -> str:
        """Both in one text, as a task keeps its creator.

        >>> actor_of(Actor("k1", "billing team").text)
        Actor(id='k1', name='billing team')
        """
        return f"{self.id} {self.name}"


def actor_of(text: str) -> Actor:
    """Return the actor whose ``text`` this is."""
    id_, _, name = text.partition(" ")
    return Actor(id_, name)


TASKER: Final = Actor("tasker", "tasker")
"""The server itself, such as when it opens a circuit."""

HERE: Final = Actor(LOCAL, LOCAL)
"""Who works on the database itself."""


class Kind(StrEnum):
    """What has been changed."""

    TASK = "task"
    DESTINATION = "destination"
    OPERATION = "operation"
    KEY = "key"
    SCHEDULE = "schedule"
    SERVER = "server"
    """All that share a database; it has no id."""
    INBOX = "inbox"
    """A row of the inbox."""


class Action(StrEnum):
    """What was done to it: the word of the call, or what happened to a circuit."""

    RUN = "run"
    CHANGE = "change"
    CANCEL = "cancel"
    RETRY = "retry"
    DELETE = "delete"
    DUPLICATE = "duplicate"
    PAUSE = "pause"
    RESUME = "resume"
    PROBE = "probe"
    LIMIT = "limit"
    BEGIN = "begin"
    """Of an operation."""
    CREATE = "create"
    """Of an API key or a schedule."""
    BACKFILL = "backfill"
    """Of a schedule: runs for times that have passed."""
    REVOKE = "revoke"
    SIGN_IN = "sign_in"
    """With an API key, to the dashboard."""
    SIGN_OUT = "sign_out"
    DISABLE = "disable"
    """Keys are no longer asked for."""
    SET_CLOCK = "set_clock"
    """Of a server for tests: its clock was moved, stopped or let run."""
    CIRCUIT_OPENED = "circuit_opened"
    CIRCUIT_PROBED = "circuit_probed"
    """A probe has failed: it stays open."""
    CIRCUIT_CLOSED = "circuit_closed"


class Changed(Struct, frozen=True, omit_defaults=True):
    """What a member was, and what it is, each as JSON; both missing: it has changed, and what it is stays out of here.

    A secret is ``***``.
    """

    before: Raw | UnsetType = UNSET
    """Missing: there was none."""
    after: Raw | UnsetType = UNSET
    """Missing: there is none any more."""


Changes: TypeAlias = Mapping[str, Changed]
"""What has changed of something, by the names of its members, as requests say them."""


def changed(before: Any = UNSET, after: Any = UNSET) -> Changed:  # noqa: ANN401 - any JSON value
    """Return a change from one value to another; what is too long stays out.

    >>> msgspec.json.encode(changed(after=[1]))
    b'{"after":[1]}'
    """
    return Changed(_kept(before), _kept(after))


def _kept(value: Any) -> Raw | UnsetType:  # noqa: ANN401 - as above
    text = b"" if value is UNSET else msgspec.json.encode(value)
    return Raw(text) if 0 < len(text) <= _LONGEST_VALUE else UNSET


class Entry(Struct, frozen=True, kw_only=True):
    """A row of the audit log that is to be written with a change, in its transaction.

    How a new kind of change gets its row:

    * Its method of the store takes ``entry: Entry | None = None`` (None: nobody asks, as in an
      operation, which has a row of its own).
    * Where it has written something, and nowhere else, it ends with one line:
      ``self._auditor.write(entry)`` on SQLite, ``await self._auditor.write(connection, entry)`` on
      PostgreSQL, inside the transaction.
    * Its method of the service takes the ``Caller`` and hands over
      ``caller.entry(Action.RETRY, Kind.TASK, id_)``.

    What changes nothing leaves no row, and neither claims nor ends of attempts ask for one.
    """

    by: Actor
    action: Action
    kind: Kind
    subject: str = ""
    """The id of what has been changed; empty: it has none."""
    name: str | None = None
    """What people call it, if that is not found in the store by its id. Of a destination the store says it."""
    changes: Changes = {}
    """Only what may be shown to everybody: no secret, no body."""

    def saying(self, changes: Changes) -> "Entry":
        """Return the same with what the store knows of the change."""
        return msgspec.structs.replace(self, changes=changes)


class AuditRecord(Struct, frozen=True, kw_only=True):
    """A row of the audit log."""

    id: int
    """Above those before it on this node."""
    at: Instant
    """By the store's clock. Of an operation that is shown for one of its tasks: when it came to that."""
    by: Actor
    action: Action
    kind: Kind
    subject: str
    name: str | None = None
    changes: Changes = {}


class AuditQuery(Struct, frozen=True, kw_only=True):
    """Which rows of the audit log are looked for. None: any."""

    subject: str | None = None
    """Of this id. Of a task, also the operations that have changed it."""
    kind: Kind | None = None
    action: Action | None = None
    by: str | None = None
    """The id of who has changed it."""
    since: Instant | None = None
    """At this moment or later."""
    before: Instant | None = None
    """Earlier than this."""

    @property
    def is_passed_by_all(self) -> bool:
        """Whether there is nothing to be looked at but the subject and the time."""
        return self.kind is None and self.action is None and self.by is None

    def passes(self, record: AuditRecord) -> bool:
        """Whether *record*, of the right subject and time, is looked for."""
        return (
            self.kind in (None, record.kind)
            and self.action in (None, record.action)
            and self.by in (None, record.by.id)
        )


def limits_changed(before: Gate, after: Gate) -> Changes:
    """Return what of a gate's limits is another."""
    return {
        name: changed(getattr(before, name), getattr(after, name))
        for name in ("max_running", "max_per_second", "burst")
        if getattr(before, name) != getattr(after, name)
    }


def circuit_entry(gate_id: int, before: Circuit, after: Circuit) -> Entry | None:
    """Return what is to be written when the circuit of a gate becomes another by the end of an attempt; None: nothing.

    >>> circuit_entry(1, Circuit(failures=1), Circuit(failures=2)) is None
    True
    >>> circuit_entry(1, Circuit(failures=9), Circuit(failures=9).heard(False, now=0)).action.value
    'circuit_opened'
    """
    if after.failures < THRESHOLD:
        if before.failures < THRESHOLD:
            return None
        return Entry(by=TASKER, action=Action.CIRCUIT_CLOSED, kind=Kind.DESTINATION, subject=str(gate_id))
    if before.failures >= after.failures:
        return None
    return Entry(
        by=TASKER,
        action=Action.CIRCUIT_OPENED if before.failures < THRESHOLD else Action.CIRCUIT_PROBED,
        kind=Kind.DESTINATION,
        subject=str(gate_id),
        changes={"open_until": changed(after=instants.text(after.open_until))},
    )
