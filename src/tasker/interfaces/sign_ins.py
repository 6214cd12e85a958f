"""Sign-ins of the dashboard."""

from typing import Protocol

from tasker.model.audit import Entry
from tasker.model.sign_in import SignIn


class SignInStore(Protocol):
    """Keeps who is signed in, for all nodes. See ``Store`` for what holds for every method."""

    async def sign_in(self, sign_in: SignIn, *, entry: Entry | None = None) -> None:
        """Store a sign-in: it is good on every node until it ends, until ``sign_out``, or until its key is revoked."""

    async def signed_in(self, digest: bytes) -> str | None:
        """Return the id of the key that somebody is signed in with; None: nobody is, or not any more.

        One row is read, by its key. Whether the key is still valid is not asked.
        """

    async def sign_out(self, digest: bytes, *, entry: Entry | None = None) -> None:
        """End a sign-in. If there is none, nothing is written, and no row of the audit log either."""

    async def prune_sign_ins(self) -> int:
        """Delete a batch of those that have ended. Return how many went."""
