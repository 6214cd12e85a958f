"""The mark of a database in a file: see ``stores/mark.py``."""

from tasker.stores.mark import Mark, State
from tasker.stores.sqlite.connection import Queries


def read_mark(queries: Queries) -> Mark | None:
    """Return the mark; None: there is none."""
    row = queries.first("mark")
    return None if row is None else Mark(state=State(row[0]), at=row[1], other=row[2])


def write_mark(queries: Queries, mark: Mark | None) -> None:
    """Replace the mark: a part of the transaction of what it tells of. None: there is none any more."""
    queries.all("drop_mark")
    if mark is not None:
        queries.all("put_mark", state=mark.state.value, at=mark.at, other=mark.other)
