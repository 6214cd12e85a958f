"""Writes the database anew, without gaps: see ``Maintenance.vacuum``."""

from contextlib import closing
from pathlib import Path

import apsw

from tasker.errors import DatabaseError, MaintenanceError, NotADatabaseError
from tasker.stores.maintenance import Tell, Vacuumed
from tasker.stores.sqlite import copies, schema
from tasker.stores.sqlite.connection import connect, store_error
from tasker.stores.sqlite.copies import Part, said
from tasker.stores.sqlite.restore import close_log, held


def vacuum(database: Path, tell: Tell) -> Vacuumed:
    """Write the database at a resolved path anew: see ``Maintenance.vacuum``.

    It is written into another file, which takes its place at one moment. SQLite's own VACUUM writes all into
    the log, and needs twice the room.
    """
    with held(database, makes=False):
        try:
            with closing(connect(database)) as connection:
                schema.check_identity(connection, database)
        except apsw.NotADBError:
            raise NotADatabaseError(str(database)) from None
        except apsw.Error as error:
            raise DatabaseError(str(database), store_error(error).reason) from error
        if close_log(database):
            raise DatabaseError(str(database), "its file is damaged: restore a backup")
        before = database.stat().st_size
        with Part(Path(f"{database}.vacuuming")) as part:
            with said(part.path):
                counts = _rewrite(database, part, tell)
                with closing(connect(part.path)) as connection:
                    copies.expect_log(connection)
            part.sync()
            problem = copies.read_back(part, counts, tell)
            if problem is not None:
                raise MaintenanceError(f"what was written is not whole ({problem}), and was removed; see to the disk")
            part.take_owner_of(database)
            part.exchange(database)
            part.path.unlink()
        return Vacuumed(before=before, after=database.stat().st_size)


def _rewrite(database: Path, part: Part, tell: Tell) -> dict[str, int]:
    with closing(copies.read_only(database, is_still=True)) as connection:
        counts = dict(copies.counts_of(connection))
        with copies.telling(connection, tell, "writing"):
            connection.execute("VACUUM INTO ?", (str(part.path),))
        return counts
