"""API keys: what is kept of them, and whether they are asked for."""

import asyncio
import hashlib

import pytest
from msgspec.structs import replace
from steps import SECOND

from tasker.errors import ApiKeyNotFoundError, LastAdminKeyError, NoAdminKeyError
from tasker.model.api_key import ApiKey
from tasker.model.audit import Action, Actor, AuditQuery, Entry, Kind
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

MINUTE = 60 * SECOND


def a_key(id_, role="admin", scopes=(), **members):
    digest = hashlib.sha256(id_.encode()).digest()
    return ApiKey(id=id_, name=f"the {id_}", role=role, scopes=scopes, digest=digest, **members)


async def test_nobody_is_asked_for_a_key_until_the_first_one_is_made(store, clock):
    before = await store.key_state()
    made = await store.create_key(a_key("one"))
    after = await store.key_state()

    assert (before.asks, list(before.keys)) == (False, [])
    assert (after.asks, list(after.keys)) == (True, [made])
    assert made == replace(a_key("one"), created_at=clock.now())
    assert (after.salt, len(after.salt)) == (before.salt, 16)


async def test_a_key_is_kept_with_all_that_is_said_of_it_in_the_order_in_which_keys_were_made(store, clock):
    made = [await store.create_key(a_key("zed"))]
    await clock.advance(1)
    scopes = ("tasks:read", "metrics")
    made.append(await store.create_key(a_key("all", None, scopes, expires_at=clock.now() + SECOND)))

    assert list((await store.key_state()).keys) == made
    assert made[1].scopes == scopes


async def test_the_state_has_another_version_after_every_change_and_after_nothing_else(store, clock):
    async def version():
        return (await store.key_state()).version

    versions = [await version()]
    for change in (
        store.create_key(a_key("one")),
        store.create_key(a_key("two")),
        store.revoke_key("two", spares_last_admin=True),
        store.stop_asking(),
    ):
        await change
        versions.append(await version())
        assert await store.key_state(seen=versions[-1]) is None
        assert (await store.key_state(seen=versions[-2])).version == versions[-1]
    assert len(set(versions)) == 5
    await store.mark_used({"one": clock.now()})
    with pytest.raises(ApiKeyNotFoundError):
        await store.revoke_key("two", spares_last_admin=True)
    assert await version() == versions[-1]


async def test_a_change_is_seen_though_another_write_beside_it_is_refused(store, clock):
    task = a_task(due_at=clock.now())
    await store.create([task])
    seen = (await store.key_state()).version
    await asyncio.gather(store.create([task]), store.create_key(a_key("one")), return_exceptions=True)
    state = await store.key_state(seen=seen)
    assert [key.id for key in state.keys] == ["one"]
    assert await store.key_state(seen=state.version) is None


async def test_neither_revoking_nor_expiry_turns_it_off_and_another_key_turns_it_on_again(store, clock):
    await store.create_key(a_key("one", expires_at=clock.now() + SECOND))
    await clock.advance(2)
    assert (await store.key_state()).asks
    await store.revoke_key("one", spares_last_admin=False)
    assert (await store.key_state()).asks
    await store.create_key(a_key("two"))
    assert await store.stop_asking() == 1
    stopped = await store.key_state()
    assert (stopped.asks, [key.id for key in stopped.keys]) == (False, ["two"])
    await store.create_key(a_key("three", "read"))
    assert (await store.key_state()).asks


@pytest.mark.parametrize(("role", "scopes"), [("write", ()), (None, ("tasks:read", "secrets:read", "operate"))])
async def test_the_first_key_must_be_one_that_may_make_others(store, role, scopes):
    with pytest.raises(NoAdminKeyError):
        await store.create_key(a_key("one", role, scopes))
    state = await store.key_state()
    assert (state.asks, list(state.keys)) == (False, [])
    await store.create_key(a_key("two", None, ("admin",)))
    await store.create_key(a_key("one", role, scopes))


async def test_a_key_that_has_expired_does_not_count_as_one_that_may_make_others(store, clock):
    await store.create_key(a_key("old", expires_at=clock.now() + SECOND))
    await store.stop_asking()
    await clock.advance(1)
    with pytest.raises(NoAdminKeyError):
        await store.create_key(a_key("new", "read"))
    await store.create_key(a_key("admin"))
    with pytest.raises(LastAdminKeyError):
        await store.revoke_key("admin", spares_last_admin=True)


async def test_the_last_key_that_may_make_others_is_spared_if_that_is_asked_for(store):
    await store.create_key(a_key("one"))
    await store.create_key(a_key("reader", "read"))
    await store.create_key(a_key("two", None, ("admin",)))
    await store.revoke_key("one", spares_last_admin=True)
    with pytest.raises(LastAdminKeyError):
        await store.revoke_key("two", spares_last_admin=True)
    await store.revoke_key("reader", spares_last_admin=True)
    assert [key.id for key in (await store.key_state()).keys] == ["two"]
    await store.revoke_key("two", spares_last_admin=False)
    assert list((await store.key_state()).keys) == []


async def test_a_key_that_there_is_not_cannot_be_revoked(store):
    await store.create_key(a_key("one"))
    for id_ in ("two", "", "'; --"):
        with pytest.raises(ApiKeyNotFoundError):
            await store.revoke_key(id_, spares_last_admin=True)


async def test_the_latest_use_of_a_key_is_kept(store, clock):
    for id_ in ("one", "two"):
        await store.create_key(a_key(id_))

    async def used():
        return {key.id: key.used_at for key in (await store.key_state()).keys}

    minute = clock.now() // MINUTE * MINUTE
    assert await used() == {"one": None, "two": None}
    await store.mark_used({"one": minute, "gone": minute})
    assert await used() == {"one": minute, "two": None}
    await store.mark_used({"one": minute - MINUTE, "two": minute})
    await store.mark_used({})
    assert await used() == {"one": minute, "two": minute}


async def test_keys_outlive_the_node(store, clock, after_death):
    made = await store.create_key(a_key("one"))
    salt = (await store.key_state()).salt
    store = await after_death(store)
    state = await store.key_state()
    assert (state.asks, list(state.keys), state.salt) == (True, [made], salt)


async def test_each_change_leaves_its_row_in_the_audit_log_and_a_refused_one_none(store):
    def entry(action):
        return Entry(by=Actor("k0", "owner"), action=action, kind=Kind.KEY, subject="one")

    await store.create_key(a_key("one"), entry=entry(Action.CREATE))
    with pytest.raises(LastAdminKeyError):
        await store.revoke_key("one", spares_last_admin=True, entry=entry(Action.REVOKE))
    await store.revoke_key("one", spares_last_admin=False, entry=entry(Action.REVOKE))
    await store.stop_asking(entry=entry(Action.DISABLE))
    with pytest.raises(NoAdminKeyError):
        await store.create_key(a_key("two", "read"), entry=entry(Action.CREATE))
    rows = (await store.audit(AuditQuery(), after=None, limit=10)).records
    assert [row.action.value for row in rows] == ["disable", "revoke", "create"]
    assert rows[1].name == "the one"
