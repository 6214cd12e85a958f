"""What may be wrong with a PostgreSQL database, and on the way to it: pure rules over what was seen."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

from tasker.model.diagnosis import Finding, Level, Problem, fine
from tasker.model.number_words import count, many
from tasker.model.store_meter import Upkeep
from tasker.model.time_words import length_in_words
from tasker.stores import examining

LONG_TRANSACTION: Final = 600.0
"""Seconds after which a transaction is too old."""

LONG_WAIT: Final = 5.0
"""Seconds after which a statement has waited too long for a lock: tasker's own are given up then."""

MANY_DEAD_ROWS: Final = 100_000
"""Dead rows of the table ``task`` that make claims slow."""

UNREACHABLE: Final = Problem(
    "database", "unreachable", Level.FAULT, "no server starts; those that run take no tasks and start none"
)
TABLES_OUTDATED: Final = Problem("database", "tables_outdated", Level.FAULT, "no server of this version starts")
RISKY_SETTING: Final = Problem("durability", "risky_setting", Level.WARNING, "a 201 promises too much")
TOO_FEW_CONNECTIONS: Final = Problem(
    "connections",
    "too_few_connections",
    Level.FAULT,
    "a server that starts is not ready, and fails at some of its work",
)
NO_ROOM_FOR_ANOTHER: Final = Problem(
    "connections", "no_room_for_another", Level.WARNING, "those that run are well; another one would not be ready"
)
POOLER_HIDDEN: Final = Problem(
    "pooler",
    "pooler_needs_no_listen",
    Level.FAULT,
    "statements fail that were prepared on another connection, and servers do not wake each other",
)
NO_LISTEN_FOR_NOTHING: Final = Problem(
    "pooler",
    "no_listen_for_nothing",
    Level.WARNING,
    "servers do not wake each other: a task that another one has created can start up to a second late",
)
BLOCKED: Final = Problem(
    "locks", "blocked", Level.WARNING, "what waits is given up after 5 s: writes are refused with 503"
)
OLD_TRANSACTION: Final = Problem(
    "upkeep", "old_transaction", Level.WARNING, "rows that died since cannot be removed, and claims become slow"
)
DEAD_ROWS: Final = Problem("upkeep", "many_dead_rows", Level.WARNING, "claims are slow, and tasks start late")

PROBLEMS: Final = (
    *examining.PROBLEMS,
    UNREACHABLE,
    TABLES_OUTDATED,
    RISKY_SETTING,
    TOO_FEW_CONNECTIONS,
    NO_ROOM_FOR_ANOTHER,
    POOLER_HIDDEN,
    NO_LISTEN_FOR_NOTHING,
    BLOCKED,
    OLD_TRANSACTION,
    DEAD_ROWS,
)
"""All that may be wrong, those that are found elsewhere included."""


class Sessions(Struct, frozen=True, kw_only=True):
    """How many sessions PostgreSQL has, and may have. -1: there is no such limit."""

    most: int
    """``max_connections``."""
    kept: int
    """Of these, those that this user does not get."""
    used: int
    of_role: int
    used_by_role: int
    of_database: int
    used_in_database: int

    @property
    def free(self) -> int:
        """How many this user may still open."""
        limits = (
            (self.most - self.kept, self.used),
            (self.of_role, self.used_by_role),
            (self.of_database, self.used_in_database),
        )
        return max(min(most - used for most, used in limits if most >= 0), 0)


class Blocked(Struct, frozen=True, kw_only=True):
    """Statements that wait for locks."""

    count: int
    longest: float
    """Seconds."""
    by: int
    """The process of PostgreSQL that the longest waits for."""


class Seen(Struct, frozen=True, kw_only=True):
    """What was seen of a database that could be reached."""

    risks: Sequence[tuple[str, str]]
    """See ``schema.risks``."""
    sessions: Sessions
    needed: int
    """Connections that a server takes."""
    nodes: int | None
    """Servers that are there now; None: that could not be read."""
    pooler: Literal["session", "transaction"] | None
    """What stands between, by what it gives a connection for."""
    no_listen: bool
    """As the settings have it."""
    blocked: Blocked | None
    oldest: tuple[int, float] | None
    """The process with the oldest transaction, and for how many seconds it goes on; None: there is none."""
    upkeep: Upkeep


def judge(seen: Seen) -> Sequence[Finding]:
    """Return what is wrong, check after check, or that all is well."""
    return [
        *_or_fine(_durability(seen), "durability", "what is committed survives a crash"),
        *_or_fine(_connections(seen), "connections", _room(seen)),
        *_or_fine(_pooler(seen), "pooler", _between(seen)),
        *_or_fine(_locks(seen), "locks", "nothing has waited for a lock for long"),
        *_or_fine(_upkeep(seen), "upkeep", _state_of_rows(seen)),
    ]


def _or_fine(found: Iterator[Finding], check: str, well: str) -> Sequence[Finding]:
    return [*found] or [fine(check, well)]


def _durability(seen: Seen) -> Iterator[Finding]:
    for setting, words in seen.risks:
        what, _, follows = words.rpartition(": ")
        value = "'*'" if setting == "synchronous_standby_names" else "on"
        change = f"ALTER SYSTEM SET {setting} = {value}"
        yield RISKY_SETTING.found(what, follows=follows, mend=f'psql -c "{change}" -c "SELECT pg_reload_conf()"')


def _connections(seen: Seen) -> Iterator[Finding]:
    needed = seen.needed + 1  # one more for a moment at its start
    if seen.sessions.free >= needed:
        return
    free = f"{seen.sessions.free} {'is' if seen.sessions.free == 1 else 'are'} free"
    what = f"a server takes {needed}, and {free}: {_limits(seen.sessions)}"
    mend = "raise max_connections, or the CONNECTION LIMIT of the role or the database, or end other sessions"
    yield (NO_ROOM_FOR_ANOTHER if seen.nodes else TOO_FEW_CONNECTIONS).found(what, mend=mend)


def _limits(sessions: Sessions) -> str:
    said = [f"max_connections is {sessions.most}, {sessions.kept} kept for others, {sessions.used} used"]
    if sessions.of_role >= 0:
        said.append(f"the role may have {sessions.of_role}, {sessions.used_by_role} used")
    if sessions.of_database >= 0:
        said.append(f"the database {sessions.of_database}, {sessions.used_in_database} used")
    return "; ".join(said)


def _room(seen: Seen) -> str:
    running = "" if seen.nodes is None else f"; {many(seen.nodes, 'server')} there"
    return f"{seen.sessions.free} free, and a server takes {seen.needed + 1}{running}"


def _pooler(seen: Seen) -> Iterator[Finding]:
    if seen.pooler == "transaction" and not seen.no_listen:
        yield POOLER_HIDDEN.found(
            "a pooler gives each transaction another connection, and --no-listen is not set",
            mend="start the servers with --no-listen, or set pool_mode = session",
        )
    if seen.pooler is None and seen.no_listen:
        yield NO_LISTEN_FOR_NOTHING.found(
            "--no-listen is set, and no pooler stands between", mend="start the servers without --no-listen"
        )


def _between(seen: Seen) -> str:
    if seen.pooler is None:
        return "none stands between"
    return f"one gives each {seen.pooler} a connection: its pool has to have {seen.needed + 1} for each server"


def _locks(seen: Seen) -> Iterator[Finding]:
    if seen.blocked is not None and seen.blocked.longest >= LONG_WAIT:
        waiting = many(seen.blocked.count, "statement")
        yield BLOCKED.found(
            f"{waiting} {'waits' if seen.blocked.count == 1 else 'wait'} for a lock, the longest for "
            f"{length_in_words(round(seen.blocked.longest))}, which process {seen.blocked.by} of PostgreSQL holds",
            mend=_end(seen.blocked.by),
        )


def _upkeep(seen: Seen) -> Iterator[Finding]:
    if seen.oldest is not None and seen.oldest[1] >= LONG_TRANSACTION:
        process, seconds = seen.oldest
        yield OLD_TRANSACTION.found(
            f"a transaction of process {process} of PostgreSQL has gone on for {length_in_words(round(seconds))}",
            mend=_end(process),
        )
    dead = seen.upkeep.dead_rows
    if dead is not None and dead >= MANY_DEAD_ROWS:
        yield DEAD_ROWS.found(f"the table task has {count(dead)} dead rows", mend='psql -c "VACUUM task"')


def _state_of_rows(seen: Seen) -> str:
    dead = seen.upkeep.dead_rows
    rows = "no dead rows are known" if dead is None else many(dead, "dead row")
    return f"{rows} in the table task, and no transaction that goes on for long"


def _end(process: int) -> str:
    return f'psql -c "SELECT pg_terminate_backend({process})"'


WAYS: Final[Mapping[str, str]] = {
    "it is read-only": "name the primary in --database-url",
    "it takes no more connections": "raise max_connections, or end other sessions",
    "it does not let this user in": "check the user and the password in DATABASE_URL, and pg_hba.conf",
    "there is no database of this name": "createdb, or name another in --database-url",
    "it is starting or stopping": "wait for it",
    "it does not answer": "check the host, the port and the firewall between",
    "no connection to it": "check the host, the port, sslmode and the firewall between",
}
"""What to do where PostgreSQL cannot be reached, by the words for why."""
