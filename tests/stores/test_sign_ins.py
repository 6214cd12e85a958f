"""Sign-ins of the dashboard: how long they are good, and what ends them."""

import pytest
from steps import SECOND
from test_kept_keys import a_key

from tasker.model.audit import Action, Actor, AuditQuery, Entry, Kind
from tasker.model.sign_in import SignIn, digest_of

pytestmark = pytest.mark.anyio


def a_sign_in(token, ends_at, key_id="one"):
    return SignIn(digest=digest_of(token), key_id=key_id, ends_at=ends_at)


async def test_a_sign_in_is_good_until_its_end_and_not_a_microsecond_longer(store, clock):
    await store.sign_in(a_sign_in("a", clock.now() + 5 * SECOND))
    await clock.advance(4.999999)
    assert await store.signed_in(digest_of("a")) == "one"

    await clock.advance(0.000001)

    assert await store.signed_in(digest_of("a")) is None


async def test_who_has_not_signed_in_is_not_known(store, clock):
    await store.sign_in(a_sign_in("a", clock.now() + SECOND))

    assert await store.signed_in(digest_of("b")) is None
    assert await store.signed_in(b"") is None


async def test_signing_out_ends_one_and_leaves_the_others(store, clock):
    for token in ("a", "b"):
        await store.sign_in(a_sign_in(token, clock.now() + SECOND))

    await store.sign_out(digest_of("a"))
    await store.sign_out(digest_of("nobody"))

    assert [await store.signed_in(digest_of(token)) for token in ("a", "b")] == [None, "one"]


async def test_with_a_key_that_is_revoked_its_sign_ins_are_gone(store, clock):
    for id_ in ("one", "two"):
        await store.create_key(a_key(id_))
        await store.sign_in(a_sign_in(id_, clock.now() + SECOND, key_id=id_))

    await store.revoke_key("one", spares_last_admin=True)

    assert [await store.signed_in(digest_of(token)) for token in ("one", "two")] == [None, "two"]


async def test_what_has_ended_is_deleted_and_nothing_else(store, clock):
    for token, seconds in (("a", 1), ("b", 2), ("c", 3)):
        await store.sign_in(a_sign_in(token, clock.now() + seconds * SECOND))
    assert await store.prune_sign_ins() == 0
    await clock.advance(2)

    assert await store.prune_sign_ins() == 2

    assert await store.prune_sign_ins() == 0
    assert await store.signed_in(digest_of("c")) == "one"


async def test_a_sign_in_outlives_the_node(store, clock, after_death):
    await store.sign_in(a_sign_in("a", clock.now() + 3_600 * SECOND))

    store = await after_death(store)

    assert await store.signed_in(digest_of("a")) == "one"


async def test_signing_in_and_out_leave_their_rows_in_the_audit_log(store, clock):
    def entry(action):
        return Entry(by=Actor("one", "owner"), action=action, kind=Kind.KEY, subject="one")

    await store.sign_in(a_sign_in("a", clock.now() + SECOND), entry=entry(Action.SIGN_IN))
    await store.sign_out(digest_of("a"), entry=entry(Action.SIGN_OUT))
    await store.sign_out(digest_of("a"), entry=entry(Action.SIGN_OUT))

    rows = (await store.audit(AuditQuery(), after=None, limit=10)).records
    assert [row.action for row in rows] == [Action.SIGN_OUT, Action.SIGN_IN]


async def test_a_sign_in_on_one_node_is_good_on_the_other(nodes):
    one = await nodes.open()
    other = await nodes.another()
    await one.sign_in(a_sign_in("a", nodes.clock.now() + 3_600 * SECOND))
    assert await other.signed_in(digest_of("a")) == "one"

    await other.sign_out(digest_of("a"))

    assert await one.signed_in(digest_of("a")) is None
