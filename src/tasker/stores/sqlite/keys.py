"""API keys, and whether they are asked for."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from tasker.errors import ApiKeyNotFoundError
from tasker.model.api_key import ApiKey, KeyState, in_order
from tasker.model.audit import Entry
from tasker.model.instants import Instant
from tasker.stores.sqlite.auditor import Auditor
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.rows import READING


class Keys:
    """Writes who may call."""

    def __init__(self, queries: Queries, auditor: Auditor, now: Callable[[], Instant]) -> None:
        self._queries = queries
        self._auditor = auditor
        self._now = now
        self.version: int | None = queries.number("access_version")
        """The version of who may call, which nobody else changes; a new one before it is committed. None:
        a change was undone perhaps, and the next transaction looks it up."""

    def begin(self) -> None:
        """A transaction begins."""
        if self.version is None:
            self.version = self._queries.number("access_version")

    def forget(self) -> None:
        """What was written is undone."""
        self.version = None

    def create(self, key: ApiKey, entry: Entry | None) -> ApiKey:
        """Store a new key: see ``Store.create_key``."""
        now = self._now()
        read_key_state(self._queries).check_new(key, now)
        self._queries.all(
            "create_api_key",
            id=key.id,
            name=key.name,
            role=key.role,
            scopes=" ".join(key.scopes),
            digest=key.digest,
            created_at=now,
            expires_at=key.expires_at,
        )
        self._change(asks=1)
        self._auditor.write(entry)
        return replace(key, created_at=now)

    def revoke(self, key_id: str, entry: Entry | None, *, spares_last_admin: bool) -> None:
        """Delete a key: see ``Store.revoke_key``."""
        if spares_last_admin:
            read_key_state(self._queries).check_revoked(key_id, self._now())
        revoked = self._queries.first("revoke_api_key", id=key_id)
        if revoked is None:
            raise ApiKeyNotFoundError(key_id)
        self._queries.all("end_sign_ins", key_id=key_id)
        self._change(asks=None)
        self._auditor.write(None if entry is None else replace(entry, name=revoked[0]))

    def stop_asking(self, entry: Entry | None) -> int:
        """Ask for no keys any more: see ``Store.stop_asking``."""
        self._change(asks=0)
        self._auditor.write(entry)
        return len(self._queries.all("api_keys"))

    def _change(self, *, asks: int | None) -> None:
        self.version = self._queries.number("change_access", asks=asks)

    def mark_used(self, used: Mapping[str, Instant]) -> None:
        """Write when keys were used: see ``Store.mark_used``."""
        for key_id, used_at in used.items():
            self._queries.all("mark_api_key_used", id=key_id, used_at=used_at)


def read_key_state(queries: Queries) -> KeyState:
    """Return who may call. In a transaction: it is read in two steps."""
    ((version, asks, salt),) = queries.all("access")
    keys = [READING.api_key.read(row) for row in queries.all("api_keys")]
    return KeyState(version=version, asks=bool(asks), salt=salt, keys=in_order(keys))
