"""The keys in memory: what is valid when, and what ends with a key."""

import asyncio
from datetime import timedelta

import pytest

from databases import FOLLOW
from tasker.callers import OWNER, Caller, Role, Scope
from tasker.engine.key_ring import LOOK, KeyRing
from tasker.errors import StoreBusyError, StoreUnavailableError
from tasker.model.api_key import ApiKey, digest_of
from tasker.model.instants import SECOND
from tasker.stores.sqlite.store import SqliteStore
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio

MINUTE = 60 * SECOND


class CountingStore(SqliteStore):
    """Notes what is asked of it."""

    def __init__(self, clock):
        super().__init__(":memory:", clock=clock, follow=FOLLOW)
        self.marked = []
        self.is_busy = False
        self.ring = None

    async def mark_used(self, used):
        if self.is_busy:
            raise StoreBusyError
        self.marked.append(dict(used))
        await super().mark_used(used)

    def watch_keys(self, ring):
        self.ring = ring


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def store(clock):
    store = CountingStore(clock)
    await store.open()
    yield store
    await store.close()


def a_key(id_, role="admin", scopes=(), **members):
    return ApiKey(id=id_, name=id_, role=role, scopes=scopes, digest=digest_of(id_.encode()), **members)


def entry(ring, key):
    return ring.entries.get(digest_of(key.encode()))


async def looked(ring, clock):
    """Let the ring look once, as it does every half a second."""
    looking = asyncio.ensure_future(ring.run_once())
    while not looking.done():
        await asyncio.sleep(0)
        await clock.advance(LOOK.total_seconds() / 10)
    return looking.result()


async def test_before_it_has_asked_the_store_nobody_is_let_in(store):
    ring = KeyRing(store, ["first-key"])
    assert ring.asks
    assert dict(ring.entries) == {}


async def test_without_keys_none_is_asked_for(store):
    ring = KeyRing(store)
    await ring.refresh()
    assert not ring.asks
    assert ring.is_valid(OWNER)


async def test_a_file_asks_for_keys_on_its_own_node(store):
    with_file, without = KeyRing(store, ["first-key read grafana"]), KeyRing(store)
    for ring in (with_file, without):
        await ring.refresh()
    assert (with_file.asks, with_file.store_asks, without.asks) == (True, False, False)
    caller = entry(with_file, "first-key").caller
    assert (caller.name, caller.scopes) == ("grafana", Role.READ.scopes)


async def test_the_id_of_a_key_in_a_file_is_the_same_on_every_node_and_tells_nothing_of_it(store, clock):
    lines = ["first-key read", "second-key"]
    rings = [KeyRing(store, lines), KeyRing(store, lines[::-1])]
    other = CountingStore(clock)
    await other.open()
    rings.append(KeyRing(other, lines))
    for ring in rings:
        await ring.refresh()
    ids = [[entry(ring, f"{nth}-key").caller.id for nth in ("first", "second")] for ring in rings]
    assert ids[0] == ids[1] != ids[2]
    assert all(id_.startswith("file-") and "key" not in id_ for pair in ids for id_ in pair)
    await other.close()


async def test_keys_of_the_store_are_valid_from_the_next_look_on_and_others_go_on(store, clock):
    ring = KeyRing(store, ["file-key write"])
    await ring.refresh()
    of_file = entry(ring, "file-key")
    await store.create_key(a_key("one"))
    await store.create_key(a_key("two", None, ("metrics", "queues:read:later")))
    assert entry(ring, "one") is None
    assert await looked(ring, clock) < timedelta(seconds=1) - LOOK
    assert entry(ring, "one").caller.scopes == Role.ADMIN.scopes
    assert entry(ring, "two").caller.scopes == {Scope.OPEN, Scope.METRICS}, "what it does not know it does not allow"
    assert entry(ring, "file-key") is of_file
    one = entry(ring, "one")
    await store.revoke_key("two", spares_last_admin=True)
    await looked(ring, clock)
    assert (entry(ring, "one"), entry(ring, "two")) == (one, None)


async def test_when_another_node_says_so_it_looks_at_once(store):
    ring = KeyRing(store)
    await ring.refresh()
    ring.watch()
    await store.create_key(a_key("one"))
    store.ring()
    await ring.run_once()  # the clock stands still
    assert ring.asks


async def test_what_a_caller_has_under_way_ends_with_the_key(store, clock):
    ring = KeyRing(store, ["file-key"])
    for id_ in ("one", "two"):
        await store.create_key(a_key(id_))
    await ring.refresh()
    ended = []
    callers = {id_: entry(ring, id_).caller for id_ in ("one", "two", "file-key")}
    with (
        ring.while_valid(callers["one"], lambda: ended.append("one")),
        ring.while_valid(callers["one"], lambda: ended.append("one, too")),
        ring.while_valid(callers["two"], lambda: ended.append("two")),
        ring.while_valid(callers["file-key"], lambda: ended.append("file")),
    ):
        with ring.while_valid(callers["two"], lambda: ended.append("over before")):
            pass
        await store.revoke_key("one", spares_last_admin=True)
        await looked(ring, clock)
        assert sorted(ended) == ["one", "one, too"]
        assert not ring.is_valid(callers["one"])
        await looked(ring, clock)
    assert len(ended) == 2
    with ring.while_valid(callers["one"], lambda: ended.append("at once")):
        assert ended[-1] == "at once"


async def test_what_a_caller_has_under_way_ends_when_the_key_expires(store, clock):
    ring = KeyRing(store)
    await store.create_key(a_key("one", expires_at=clock.now() + 10 * SECOND))
    await ring.refresh()
    ended = []
    with ring.while_valid(entry(ring, "one").caller, lambda: ended.append(clock.now())):
        await clock.advance(9)
        await looked(ring, clock)
        assert ended == []
        await clock.advance(1)
        await looked(ring, clock)
        assert len(ended) == 1
    assert ring.has_expired(entry(ring, "one")), "it stays, so that its callers are told"


async def test_what_goes_on_without_a_key_ends_when_keys_are_asked_for(store, clock):
    ring = KeyRing(store)
    await ring.refresh()
    ended = []
    with ring.while_valid(OWNER, lambda: ended.append("over")):
        await looked(ring, clock)
        assert ended == []
        await store.create_key(a_key("one"))
        await looked(ring, clock)
        assert ended == ["over"]
    assert not ring.is_valid(OWNER)


async def test_a_node_that_runs_never_opens_up(store, clock):
    ring = KeyRing(store)
    await store.create_key(a_key("one"))
    await ring.refresh()
    await store.stop_asking()
    await looked(ring, clock)
    assert ring.asks
    assert entry(ring, "one") is not None
    later = KeyRing(store)
    await later.refresh()
    assert not later.asks


async def test_while_the_store_cannot_be_asked_what_it_said_last_counts_on(store, clock, monkeypatch):
    ring = KeyRing(store)
    await store.create_key(a_key("one"))
    await ring.refresh()

    async def refuse(*_, **__):
        raise StoreUnavailableError("it is away")

    with monkeypatch.context() as away:
        away.setattr(store, "key_state", refuse)
        await looked(ring, clock)
        assert entry(ring, "one") is not None
    await store.create_key(a_key("two"))
    await looked(ring, clock)
    assert entry(ring, "two") is not None


async def test_the_use_of_a_key_is_written_once_a_minute(store, clock):
    ring = KeyRing(store, ["file-key"])
    await store.create_key(a_key("one"))
    await store.create_key(a_key("two"))
    await ring.refresh()
    await clock.advance((-clock.now() % MINUTE) / SECOND)
    minute = clock.now()
    assert await ring.note_uses() <= timedelta(seconds=1)
    assert store.marked == []
    for _ in range(5):
        entry(ring, "one").is_used = entry(ring, "file-key").is_used = True
        await ring.note_uses()
    assert store.marked == [{"one": minute}]
    await clock.advance(60)
    await ring.note_uses()
    assert len(store.marked) == 1, "it was not used since"
    store.is_busy = True
    entry(ring, "two").is_used = True
    with pytest.raises(StoreBusyError):
        await ring.write_uses()
    store.is_busy = False
    await ring.write_uses()
    assert store.marked[1:] == [{"two": minute + MINUTE}]
    assert [key.used_at for key in (await store.key_state()).keys] == [minute, minute + MINUTE]


async def test_a_key_of_the_process_is_valid_here_whatever_the_store_says_and_makes_nobody_need_one(store, clock):
    ring, other = KeyRing(store), KeyRing(store)
    caller = Caller(frozenset({Scope.QUEUES_WORK}), "app-workers", "app workers")
    ring.admit("key-of-this-run", caller)
    await ring.refresh()
    await other.refresh()
    assert (entry(ring, "key-of-this-run").caller, ring.asks) == (caller, False)
    assert entry(other, "key-of-this-run") is None
    await store.create_key(a_key("one"))
    await looked(ring, clock)
    assert entry(ring, "key-of-this-run").caller == caller
    assert ring.is_valid(caller) is True
    ended = []
    with ring.while_valid(caller, lambda: ended.append(1)):
        await looked(ring, clock)
    assert ended == []
