"""What was told of alerts, and what is wrong."""

from collections.abc import Sequence

from tasker.interfaces.alerts import AlertBook
from tasker.model.alerts import CIRCUIT_AFTER, TROUBLES_TOLD, Trouble
from tasker.model.instants import Instant, after
from tasker.stores.alerts import failing_circuit, told_of, told_text
from tasker.stores.sqlite.connection import Queries


class Alerter:
    """Reads and writes the book of alerts. The one process that holds the file is the one that sends."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    def book(self) -> AlertBook:
        """Return what was told."""
        row = self._queries.first("alert_book")
        return AlertBook({}, 0) if row is None else AlertBook(told_of(row[1]), row[0])

    def keep(self, book: AlertBook) -> AlertBook | None:
        """Remember what was told; None: it has been written since."""
        if self.book().revision != book.revision:
            return None
        self._queries.all("keep_alerts", revision=book.revision + 1, told=told_text(book.told))
        return AlertBook(book.told, book.revision + 1)

    def circuits(self, now: Instant) -> Sequence[Trouble]:
        """Return the destinations that have been failing for long."""
        rows = self._queries.all("failing_circuits", before=after(now, -CIRCUIT_AFTER), limit=TROUBLES_TOLD)
        return [failing_circuit(*row) for row in rows]
