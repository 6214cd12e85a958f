"""Looks whether the database is whole, and keeps what tasker relies on: see ``Maintenance.check``."""

from collections.abc import Iterator
from pathlib import Path

import apsw

from tasker.errors import DatabaseError, SchemaOutdatedError
from tasker.stores import queries
from tasker.stores.invariants import DAMAGED, INVARIANTS
from tasker.stores.maintenance import Checked, Finding, Tell
from tasker.stores.sqlite import copies, schema
from tasker.stores.sqlite.backup import open_to_read
from tasker.stores.sqlite.connection import Queries, store_error


def check(database: Path, tell: Tell) -> Checked:
    """Check the database at a resolved path: see ``Maintenance.check``."""
    connection = open_to_read(database)
    try:
        known = schema.known()
        version = connection.pragma("user_version")
        if version < known:
            raise SchemaOutdatedError(str(database), found=version, known=known)
        copies.pin(connection)
        damage = copies.damage_of(connection, tell)
        if damage is not None:  # what it says of its rows is worth nothing
            problem = DAMAGED.problem.format(detail=damage)
            return Checked(tasks=0, findings=[Finding(code="damaged", count=0, problem=problem, remedy=DAMAGED.remedy)])
        asked = Queries(connection, queries.load("tasker.stores.sqlite", "maintenance.sql"))
        return Checked(tasks=asked.number("tasks") or 0, findings=list(_broken(asked, tell)))
    except apsw.Error as error:
        raise DatabaseError(str(database), store_error(error).reason) from error
    finally:
        connection.close()


def _broken(asked: Queries, tell: Tell) -> Iterator[Finding]:
    for number, (name, invariant) in enumerate(INVARIANTS.items()):
        tell("looking", number, len(INVARIANTS))
        count, example = asked.first(name) or (0, None)
        if count:
            yield invariant.broken(name, count, example)
