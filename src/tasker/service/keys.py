"""What callers can do with API keys."""

import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress

from msgspec import UNSET, UnsetType

from tasker.callers import KEY_NAME_LENGTH, SCOPE_WORDS, Caller, queue_of
from tasker.engine.key_ring import KeyRing
from tasker.errors import InvalidQueryError, InvalidRequestError, StoreError, UnauthorizedError
from tasker.interfaces.keys import KeyBook
from tasker.interfaces.store import Store
from tasker.model import api_key, instants
from tasker.model.api_key import ApiKey
from tasker.model.audit import Action, Actor, Entry, Kind, changed
from tasker.model.instants import Instant
from tasker.service.upgrading import refuse_if_upgrading


class KeyService:
    """Makes, lists and revokes API keys. For what all methods raise, see ``Service``."""

    def __init__(self, store: Store, ring: KeyRing) -> None:
        self._store = store
        self.ring = ring

    async def create(
        self,
        caller: Caller,
        name: str,
        role: str | UnsetType,
        scopes: Sequence[str] | UnsetType,
        expires_at: str | UnsetType,
    ) -> tuple[ApiKey, str]:
        """Make a key, and return it, and the key itself: it is kept nowhere.

        From then on keys are asked for: on this node once this returns, or half a second later if the
        store cannot be read just then; on others within a second.

        Raises:
            InvalidRequestError: it is not one of a role and scopes, or a member cannot be used.
            NoAdminKeyError: see ``Store.create_key``.
            UpgradeUnfinishedError: nodes of the version before may be running.
        """
        refuse_if_upgrading(self._store, "POST /keys")
        made, text = new_key(name, role, scopes, expires_at, self._store.clock.now())
        stored = await self._store.create_key(made, entry=creation(Actor(caller.id, caller.name), made))
        with suppress(StoreError):  # else the key would be lost; the next look finds it
            await self.ring.refresh()
        return stored, text

    async def page(self, *, cursor: str | None, limit: int) -> tuple[Sequence[ApiKey], str | None]:
        """Return up to *limit* keys, in the order in which they were made, and the cursor of the next page.

        Raises:
            InvalidQueryError: the cursor is none.
        """
        keys = await keys_of(self._store)
        if cursor is not None:
            after = _position(cursor)
            keys = [key for key in keys if (key.created_at, key.id) > after]
        last = keys[limit - 1] if len(keys) > limit else None
        return keys[:limit], None if last is None else f"{last.created_at}.{last.id}"

    async def revoke(self, caller: Caller, key_id: str) -> None:
        """Delete a key for good, and end whatever its callers have under way.

        On this node once this returns, on others within a second.

        Raises:
            ApiKeyNotFoundError: none has this id.
            LastAdminKeyError: see ``Store.revoke_key``.
        """
        entry = caller.entry(Action.REVOKE, Kind.KEY, key_id)
        await self._store.revoke_key(key_id, spares_last_admin=True, entry=entry)
        await self.ring.refresh()

    def while_valid(self, caller: Caller, end: Callable[[], None]) -> AbstractContextManager[None]:
        """Call *end*, once, if the key of *caller* is revoked or expires while this block lasts.

        For what outlasts a call, such as a stream: see ``KeyRing.while_valid``.
        """
        return self.ring.while_valid(caller, end)

    def check(self, caller: Caller) -> None:
        """Return if *caller*, who was let in a while ago, may still call.

        Raises:
            UnauthorizedError: its key was revoked or has expired since, or keys are asked for since.
        """
        if not self.ring.is_valid(caller):
            raise UnauthorizedError("was revoked or has expired since the call began")


def new_key(
    name: str, role: str | UnsetType, scopes: Sequence[str] | UnsetType, expires_at: str | UnsetType, now: Instant
) -> tuple[ApiKey, str]:
    """Return a new key, not stored yet, and the key itself.

    Raises:
        InvalidRequestError: it is not one of a role and scopes, or a member cannot be used.
    """
    if isinstance(role, str) == (scopes is not UNSET):
        raise InvalidRequestError("", f"expected role or scopes, got {'both' if isinstance(role, str) else 'neither'}")
    if not name.isprintable() or not name.strip() or len(name) > KEY_NAME_LENGTH:
        raise InvalidRequestError("name", f"expected 1 to {KEY_NAME_LENGTH} printable characters")
    until = None
    if isinstance(expires_at, str):
        try:
            until = instants.parse(expires_at)
        except ValueError as error:
            raise InvalidRequestError("expires_at", str(error)) from None
        if until <= now:
            raise InvalidRequestError(
                "expires_at", f"expected a time in the future, got: {expires_at!r}; here it is {instants.text(now)}"
            )
    key_id = "".join(secrets.choice(api_key.ID_CHARACTERS) for _ in range(api_key.ID_LENGTH))
    text = api_key.written(key_id, secrets.token_bytes(api_key.SECRET_BYTES))
    listed = () if isinstance(scopes, UnsetType) else tuple(dict.fromkeys(scopes))
    for place, scope in enumerate(listed):
        if scope not in SCOPE_WORDS and queue_of(scope) is None:  # it may be a secret in the wrong place
            raise InvalidRequestError(
                f"scopes[{place}]",
                f"expected one of {', '.join(SCOPE_WORDS)}, or queues:work: and a queue; got something else",
            )
    made = ApiKey(
        id=key_id,
        name=name,
        role=role if isinstance(role, str) else None,
        scopes=listed,
        digest=api_key.digest_of(text.encode()),
        expires_at=until,
    )
    return made, text


def creation(by: Actor, key: ApiKey) -> Entry:
    """Return what the audit log says of a new key."""
    said: dict[str, object] = {"role": key.role} if key.role is not None else {"scopes": key.scopes}
    if key.expires_at is not None:
        said["expires_at"] = instants.text(key.expires_at)
    changes = {member: changed(after=value) for member, value in said.items()}
    return Entry(by=by, action=Action.CREATE, kind=Kind.KEY, subject=key.id, name=key.name, changes=changes)


async def keys_of(store: KeyBook) -> Sequence[ApiKey]:
    """Return all keys that are stored, in the order in which they were made."""
    state = await store.key_state()
    assert state is not None  # noqa: S101 - only what was seen already is left out
    return state.keys


def _position(cursor: str) -> tuple[Instant, str]:
    at, _, key_id = cursor.partition(".")
    if not (at.isascii() and at.isdigit() and len(at) <= 18 and key_id):
        raise InvalidQueryError("cursor", "expected the cursor of a page before, as its next gives it")
    return int(at), key_id
