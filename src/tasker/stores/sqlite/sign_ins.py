"""Sign-ins of the dashboard."""

from collections.abc import Callable

from tasker.interfaces.queue import PRUNE_LIMIT
from tasker.model.audit import Entry
from tasker.model.instants import Instant
from tasker.model.sign_in import SignIn
from tasker.stores.sqlite.auditor import Auditor
from tasker.stores.sqlite.connection import Queries


class SignIns:
    """Writes who is signed in."""

    def __init__(self, queries: Queries, auditor: Auditor, now: Callable[[], Instant]) -> None:
        self._queries = queries
        self._auditor = auditor
        self._now = now

    def begin(self, sign_in: SignIn, entry: Entry | None) -> None:
        """Store a sign-in: see ``Store.sign_in``."""
        self._queries.all("sign_in", digest=sign_in.digest, key_id=sign_in.key_id, ends_at=sign_in.ends_at)
        self._auditor.write(entry)

    def end(self, digest: bytes, entry: Entry | None) -> None:
        """End a sign-in: see ``Store.sign_out``."""
        if self._queries.all("sign_out", digest=digest):
            self._auditor.write(entry)

    def prune(self) -> int:
        """Delete a batch of those that have ended: see ``Store.prune_sign_ins``."""
        return len(self._queries.all("prune_sign_ins", now=self._now(), limit=PRUNE_LIMIT))
