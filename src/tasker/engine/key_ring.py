"""The API keys that are valid now, in memory, so that a call waits for no store."""

import asyncio
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Final

from msgspec import Struct

from tasker.callers import GRANTED, OWNER, Caller, Role, Scope, queue_of, read_key_line
from tasker.errors import StoreError
from tasker.interfaces.store import Store
from tasker.model.api_key import ApiKey, KeyState, digest_of
from tasker.model.instants import SECOND, Instant
from tasker.timing.alarm import sleep

LOOK: Final = timedelta(seconds=0.5)
"""How often the store is asked whether others may call than before, if nobody says so earlier."""

APART: Final = timedelta(seconds=0.05)
"""Between two looks, at least."""

_MINUTE: Final = 60 * SECOND
_SCOPES: Final = {scope.value: scope for scope in GRANTED}


class Entry(Struct, eq=False):
    """A key of the ring, and what this node knows of its use."""

    caller: Caller
    expires_at: Instant | None = None
    is_used: bool = False
    """Whether it was shown since the last look. Whoever lets a caller in sets it."""
    used_at: Instant = 0
    """The latest minute in which it was, as far as that is written."""
    calls_until: float = float("-inf")
    """By when, on the monotonic clock, its calls so far would have been made at the rate that is
    allowed."""
    ends: set[Callable[[], None]] = set()
    """What is called when it is valid no longer."""


class KeyRing:
    """Knows whose a key is: by its digest, in a look at a dict.

    It has the keys of this node's file, and those of the store while keys are asked for. A change
    on this node counts once ``refresh`` has returned; one on another node is heard of at once, or
    found by a look after half a second. Before the first ``refresh`` nobody has a key.
    """

    def __init__(self, store: Store, lines: Sequence[str] = ()) -> None:
        """Make a ring without keys.

        Args:
            lines: the keys of this node's file, as ``read_key_line`` reads them.
        """
        self._store = store
        self._lines = lines
        self._version: int | None = None
        self._turn = asyncio.Lock()
        self._by_id: dict[str, Entry] = {}
        self._of_store: dict[str, Entry] = {}
        self._owner = Entry(OWNER)
        self._of_process: dict[bytes, Entry] = {}
        self._rung = asyncio.Event()
        self.entries: Mapping[bytes, Entry] = {}
        """The keys, by their digests. Expired ones stay, so that their callers are told."""
        self.asks = True
        """Whether callers need a key."""
        self.store_asks = False
        """Whether they do on every node."""
        self.database = ""
        """8 hex digits that tell the database from others, and nothing else of it."""

    def admit(self, key: str, caller: Caller) -> None:
        """Let *caller* in by *key*, on this node alone, until the process ends. The key is not stored anywhere.

        It does not make others need one.
        """
        entry = Entry(caller)
        self._of_process[digest_of(key.encode())] = entry
        self._keep({**self.entries, digest_of(key.encode()): entry})

    async def refresh(self) -> None:
        """Take over what the store says, if that has changed since the last time.

        Raises:
            StoreUnavailableError: the store cannot be asked now; what it said last counts on.
        """
        async with self._turn:
            state = await self._store.key_state(seen=self._version)
            if state is not None:
                self._take(state)

    async def run_once(self) -> timedelta:
        """Wait a little, or until another node says that something has changed, and look. Return when to come again.

        If the store cannot be asked now, the next look may find it: others tell the log.
        """
        await sleep(self._store.clock, (LOOK - APART).total_seconds(), rung=self._rung)
        self._rung.clear()
        with suppress(StoreError):
            await self.refresh()
        self.end_expired()
        return APART

    async def note_uses(self) -> timedelta:
        """Do ``write_uses``, if that can be. Return when to come again.

        Apart from the looks: what else is written may hold it up, and they must not wait for that.
        """
        with suppress(StoreError):
            await self.write_uses()
        return LOOK

    async def write_uses(self) -> None:
        """Write in which minute keys were used last.

        Raises:
            StoreError: it cannot be written now; the next time, perhaps.
        """
        minute = self._store.clock.now() // _MINUTE * _MINUTE
        shown = [entry for entry in self._of_store.values() if entry.is_used]
        for entry in shown:
            entry.is_used = False
        used = [entry for entry in shown if entry.used_at < minute]
        if not used:
            return
        try:
            await self._store.mark_used({entry.caller.id: minute for entry in used})
        except StoreError:
            for entry in used:
                entry.is_used = True
            raise
        for entry in used:
            entry.used_at = minute

    def watch(self) -> None:
        """Hear of changes that other nodes make. Called once, when the store is open."""
        self._store.watch_keys(self._rung.set)

    @contextmanager
    def while_valid(self, caller: Caller, end: Callable[[], None]) -> Iterator[None]:
        """Call *end*, once, if the key of *caller* is revoked or expires while this block lasts.

        Of a caller who has shown none, because none was asked for: when keys are asked for. For
        whatever outlasts a call: who waits for its answer, a stream, a session. If the key is not
        valid already, *end* is called at once.
        """
        entry = self._owner if caller is OWNER else self._by_id.get(caller.id)
        if entry is None or not self.is_valid(caller):
            end()
            yield
            return
        entry.ends.add(end)
        try:
            yield
        finally:
            entry.ends.discard(end)

    def entry_of(self, key_id: str) -> Entry | None:
        """Return the key with an id, though it may have expired; None: there is none, or not any more."""
        return self._by_id.get(key_id)

    def is_valid(self, caller: Caller) -> bool:
        """Return whether *caller* may still call."""
        if caller is OWNER:
            return not self.asks
        entry = self._by_id.get(caller.id)
        return entry is not None and not self.has_expired(entry)

    def has_expired(self, entry: Entry) -> bool:
        """Return whether the time of a key is over."""
        return entry.expires_at is not None and self._store.clock.now() >= entry.expires_at

    def monotonic(self) -> float:
        """Seconds of the clock that never steps back."""
        return self._store.clock.monotonic()

    def _take(self, state: KeyState) -> None:
        entries = _entries_of(self._lines, state.salt)
        # A node that runs never opens up: that they are not asked for any more counts from its next
        # start on.
        self.store_asks = self.store_asks or state.asks
        stored = state.keys if self.store_asks else ()
        self._of_store = {key.id: self._of_store.get(key.id) or _entry_of(key) for key in stored}
        entries |= {key.digest: self._of_store[key.id] for key in stored}
        entries |= self._of_process
        before = self._by_id
        self._keep({digest: before.get(entry.caller.id, entry) for digest, entry in entries.items()})
        self._version = state.version
        self.database = hmac.digest(state.salt, b"database", "sha256").hex()[:8]
        self.asks = self.store_asks or bool(self._lines)
        for id_, entry in before.items():
            if id_ not in self._by_id:
                _end(entry)
        if self.asks:
            _end(self._owner)

    def _keep(self, entries: Mapping[bytes, Entry]) -> None:
        self.entries = entries
        self._by_id = {entry.caller.id: entry for entry in entries.values()}

    def end_expired(self) -> None:
        """Tell those who outlast a call that their keys have expired."""
        for entry in self._of_store.values():
            if entry.ends and self.has_expired(entry):
                _end(entry)


def _end(entry: Entry) -> None:
    ends, entry.ends = entry.ends, set()
    for end in ends:
        end()


def _entry_of(key: ApiKey) -> Entry:
    scopes = Role(key.role).scopes if key.role is not None else frozenset(_known(key.scopes))
    queues = frozenset(queue for scope in key.scopes if (queue := queue_of(scope)) is not None)
    is_for_all = key.role is not None or Scope.QUEUES_WORK.value in key.scopes
    caller = Caller(scopes, key.id, key.name, key.digest, queues=None if is_for_all else queues)
    return Entry(caller, key.expires_at, used_at=key.used_at or 0)


def _known(scopes: Sequence[str]) -> Iterator[Scope]:
    """Return what a key may do here: a scope of a later version is none of it."""
    yield Scope.OPEN
    for scope in scopes:
        if scope in _SCOPES:
            yield _SCOPES[scope]
        elif queue_of(scope) is not None:
            yield Scope.QUEUES_WORK


def _entries_of(lines: Sequence[str], salt: bytes) -> dict[bytes, Entry]:
    """Return the keys of a file, by digest. Their ids tell nothing of them to whoever does not have the salt."""
    entries = {}
    for line in lines:
        said = read_key_line(line)
        digest = digest_of(said.key.encode())
        id_ = "file-" + hmac.digest(salt, said.key.encode(), "sha256").hex()[:12]
        entries[digest] = Entry(Caller(said.role.scopes, id_, said.name or "file", digest))
    return entries
