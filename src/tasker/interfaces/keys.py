"""API keys, and whether they are asked for."""

from collections.abc import Callable, Mapping
from typing import Protocol

from tasker.model.api_key import ApiKey, KeyState
from tasker.model.audit import Entry
from tasker.model.instants import Instant


class KeyBook(Protocol):
    """Keeps API keys: their hashes alone. See ``Store`` for what holds for every method."""

    async def key_state(self, *, seen: int | None = None) -> KeyState | None:
        """Return who may call; None if that is still the version *seen*."""

    async def create_key(self, key: ApiKey, *, entry: Entry | None = None) -> ApiKey:
        """Store a new key, and return it as it stands then. From then on keys are asked for, on every node.

        Raises:
            NoAdminKeyError: see ``KeyState.check_new``. Nothing was written.
        """

    async def revoke_key(self, key_id: str, *, spares_last_admin: bool, entry: Entry | None = None) -> None:
        """Delete a key for good, and with it the sign-ins that were made with it.

        Args:
            spares_last_admin: whether to refuse it for the last key with the scope ``admin``.
            entry: gets the name of the key.

        Raises:
            ApiKeyNotFoundError: there is none with this id.
            LastAdminKeyError: see ``KeyState.check_revoked``. Nothing was written.
        """

    async def stop_asking(self, *, entry: Entry | None = None) -> int:
        """Ask for no keys any more, until another is made. Return how many are kept: they are not valid meanwhile."""


class KeyStore(KeyBook, Protocol):
    """The same for a node, which knows who calls."""

    async def mark_used(self, used: Mapping[str, Instant]) -> None:
        """Write when keys were used, by their ids. What was used later already, or is revoked, stays so."""

    def watch_keys(self, ring: Callable[[], None]) -> None:
        """Call *ring* on the event loop when another node has changed who may call. Called once, after ``open``.

        A ring may get lost.
        """
