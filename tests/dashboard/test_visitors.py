"""Who is let in to pages, where a request has come from, and how often wrong keys may be tried."""

import contextlib
from functools import partial

import pytest

from databases import FOLLOW
from tasker.access import Access, Taken
from tasker.callers import OWNER, Scope
from tasker.config import Settings
from tasker.dashboard.routes import Routes
from tasker.dashboard.screens.all import PAGES
from tasker.dashboard.ways import Way, Ways
from tasker.dashboard.wrong_keys import ALLOWED, SPAN, WrongKeys
from tasker.engine.key_ring import KeyRing
from tasker.errors import (
    BodyTooLargeError,
    ForbiddenError,
    TooManyCallsError,
    UnauthorizedError,
    UnsupportedMediaTypeError,
)
from tasker.model.api_key import ApiKey, digest_of
from tasker.model.instants import SECOND
from tasker.service.sign_ins import LOOK, SignInService
from tasker.stores.sqlite.store import SqliteStore
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio

HOUR = 3_600 * SECOND
FORM = Taken(limit=100, media_type="application/x-www-form-urlencoded")


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def store(clock):
    store = SqliteStore(":memory:", clock=clock, follow=FOLLOW)
    await store.open()
    yield store
    await store.close()


async def ring_of(store, *lines):
    ring = KeyRing(store, lines)
    await ring.refresh()
    return ring


def a_request(*headers, method="GET", peer="127.0.0.1"):
    named = [(name.encode(), value.encode()) for name, value in [("host", "localhost:8080"), *headers]]
    extensions = {"tasker.peer": {"call": lambda: peer}}
    return {"method": method, "headers": named, "http_version": "1.1", "extensions": extensions}


# Who is let in


async def test_a_sign_in_lasts_twelve_hours_and_not_a_microsecond_longer(store, clock):
    ring = await ring_of(store, "a-key-0123456789 read")
    sign_ins = SignInService(store, ring)
    caller = Access(Settings(), ring).owner_of("a-key-0123456789")
    token = await sign_ins.begin(caller)
    await clock.advance(12 * 3_600 - 0.000001)
    assert await sign_ins.key_of(token) == caller.id

    await clock.advance(0.000001)

    assert await sign_ins.key_of(token) is None


async def test_who_keeps_a_connection_hears_of_the_end_of_the_sign_in(store, clock):
    ring = await ring_of(store, "a-key-0123456789 read")
    here, elsewhere = SignInService(store, ring), SignInService(store, ring)
    caller = Access(Settings(), ring).owner_of("a-key-0123456789")
    ended = []

    async with contextlib.AsyncExitStack() as connections:
        for name in ("signed out here", "signed out elsewhere", "over"):
            token = await here.begin(caller)
            await connections.enter_async_context(here.while_good(token, partial(ended.append, name)))
            if name != "over":
                await clock.advance(1)
                await (here if name == "signed out here" else elsewhere).end(caller, token)
        assert ended == ["signed out here"]
        await clock.advance(LOOK.total_seconds())
        assert {*ended} == {"signed out here", "signed out elsewhere"}
        await clock.advance(12 * 3_600)
        assert {*ended} == {"signed out here", "signed out elsewhere", "over"}

    assert not here._ends


async def test_a_sign_in_ends_with_a_key_that_expires_earlier(store, clock):
    key = ApiKey(id="one", name="one", role="admin", scopes=(), digest=digest_of(b"one"), expires_at=clock.now() + HOUR)
    await store.create_key(key)
    ring = await ring_of(store)
    access, sign_ins = Access(Settings(), ring), SignInService(store, ring)
    token = await sign_ins.begin(access.owner_of("one"))
    await clock.advance(3_599.999999)
    assert access.visitor(a_request(), await sign_ins.key_of(token)).id == "one"

    await clock.advance(0.000001)

    assert await sign_ins.key_of(token) is None
    with pytest.raises(UnauthorizedError, match="expired"):
        access.visitor(a_request(), "one")


async def test_a_token_that_cannot_be_ours_is_not_looked_for(store):
    sign_ins = SignInService(store, await ring_of(store))
    await store.close()

    assert await sign_ins.key_of("") is None
    assert await sign_ins.key_of("a" * 101) is None


async def test_a_visitor_may_do_what_the_key_may(store):
    ring = await ring_of(store, "viewer-0123456789 read", "owner-0123456789 admin")
    access = Access(Settings(), ring)
    viewer, owner = (access.owner_of(f"{name}-0123456789") for name in ("viewer", "owner"))

    assert access.visitor(a_request(), viewer.id) == viewer
    assert (viewer.may(Scope.TASKS_WRITE), owner.may(Scope.TASKS_WRITE)) == (False, True)
    for nobody in (None, "gone"):
        with pytest.raises(UnauthorizedError):
            access.visitor(a_request(), nobody)


async def test_pages_count_as_calls_of_the_key(store):
    ring = await ring_of(store, "viewer-0123456789 read")
    access = Access(Settings(key_rate=1), ring)
    viewer = access.owner_of("viewer-0123456789")

    with pytest.raises(TooManyCallsError):
        access.visitor(a_request(), viewer.id)


async def test_without_keys_a_visitor_owns_the_server_if_the_host_is_ours(store):
    access = Access(Settings(), await ring_of(store))

    assert access.visitor(a_request(), None) is OWNER
    with pytest.raises(ForbiddenError, match="Host"):
        access.visitor(a_request(("host", "evil.example")), None)


@pytest.mark.parametrize(
    "headers",
    [
        [("sec-fetch-site", "same-origin")],
        [("sec-fetch-site", "same-origin"), ("origin", "https://tasks.example.org")],
        [("origin", "http://localhost:8080")],
        [("origin", "https://localhost:8080"), ("sec-fetch-site", "none")],
    ],
)
async def test_a_form_of_a_page_of_ours_is_taken(store, headers):
    access = Access(Settings(), await ring_of(store))

    access.check_form(a_request(("content-type", f"{FORM.media_type}; charset=utf-8"), *headers, method="POST"), FORM)


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ([], ForbiddenError),
        ([("sec-fetch-site", "none")], ForbiddenError),
        ([("sec-fetch-site", "cross-site"), ("origin", "http://localhost:8080")], ForbiddenError),
        ([("sec-fetch-site", "same-site"), ("origin", "http://localhost:8080")], ForbiddenError),
        ([("origin", "http://localhost:9090")], ForbiddenError),
        ([("origin", "null")], ForbiddenError),
        ([("sec-fetch-site", "same-origin"), ("content-type", "application/json")], UnsupportedMediaTypeError),
        ([("sec-fetch-site", "same-origin"), ("content-length", "101")], BodyTooLargeError),
    ],
)
async def test_any_other_is_refused(store, headers, error):
    access = Access(Settings(), await ring_of(store))
    request = a_request(("content-type", FORM.media_type), *headers, method="POST")

    with pytest.raises(error):
        access.check_form(request, FORM)


async def test_a_database_is_told_from_others_by_8_hex_digits_the_same_on_every_node(store, clock):
    one, again = await ring_of(store), await ring_of(store, "a-key-0123456789")
    other = SqliteStore(":memory:", clock=clock, follow=FOLLOW)
    await other.open()
    another = await ring_of(other)
    await other.close()

    assert one.database == again.database != another.database
    assert len(bytes.fromhex(one.database)) == 4
    assert (await store.key_state()).salt.hex().find(one.database) == -1


# Where a request has come from


@pytest.mark.parametrize(
    ("peer", "headers", "way"),
    [
        ("127.0.0.1", [], Way(is_encrypted=False, is_local=True, client="127.0.0.1")),
        ("::ffff:127.0.0.1", [], Way(is_encrypted=False, is_local=True, client="127.0.0.1")),
        ("127.0.0.1", [("x-forwarded-for", "203.0.113.7")], Way(False, False, "127.0.0.1")),
        ("127.0.0.1", [("via", "1.1 proxy")], Way(False, False, "127.0.0.1")),
        ("203.0.113.7", [("x-forwarded-proto", "https")], Way(False, False, "203.0.113.7")),
        ("2001:db8:1:2:3::4", [], Way(False, False, "2001:db8:1:2::/64")),
        ("10.0.0.5", [("x-forwarded-proto", "https")], Way(True, False, "10.0.0.5")),
        ("10.0.0.5", [("x-forwarded-proto", "HTTPS"), ("x-forwarded-proto", "https")], Way(True, False, "10.0.0.5")),
        ("10.0.0.5", [("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")], Way(False, False, "10.0.0.5")),
        ("10.0.0.5", [("x-forwarded-for", "1.1.1.1, 203.0.113.7")], Way(False, False, "203.0.113.7")),
        ("10.0.0.5", [("x-forwarded-for", "203.0.113.7, 10.0.0.9")], Way(False, False, "203.0.113.7")),
        ("10.0.0.5", [("x-forwarded-for", "203.0.113.7, unknown")], Way(False, False, "10.0.0.5")),
        (None, [], Way(False, False, "")),
    ],
)
def test_only_trusted_proxies_say_where_a_request_has_come_from(peer, headers, way):
    assert Ways(["10.0.0.0/24"]).of(a_request(*headers, peer=peer)) == way


# How often wrong keys may be tried


async def test_after_ten_wrong_keys_a_client_waits_until_the_first_is_a_minute_ago():
    clock = ManualClock()
    wrong = WrongKeys(clock.monotonic)
    for _ in range(ALLOWED):
        assert wrong.wait("here") == 0
        wrong.note("here")
        await clock.advance(1)
    assert (wrong.wait("here"), wrong.wait("there")) == (SPAN - ALLOWED, 0)

    await clock.advance(SPAN - ALLOWED)

    assert wrong.wait("here") == 0
    wrong.note("here")
    assert wrong.wait("here") == 1


def test_the_memory_of_wrong_keys_is_bounded():
    wrong = WrongKeys(lambda: 0.0)
    for number in range(20_000):
        wrong.note(str(number))

    assert len(wrong._tried) == 10_000


# Which pages there are


def test_every_act_is_near_a_page_that_can_be_looked_at():
    routes = Routes(PAGES)

    assert routes.nearest("/tasks/01a228bc-a3a5-7953-9e78-e1f559011428/cancel").startswith("/tasks/01a2")
    assert routes.nearest("/nothing/at/all") == "/"
    assert routes.nearest("/") == "/"
