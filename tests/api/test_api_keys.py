"""Making, listing and revoking API keys, and what they allow."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from rest_server import HASH, LATER, running

from polling import holds
from tasker.api.receiving.connection import Connection
from tasker.errors import StoreUnavailableError
from tasker.model.audit import AuditQuery
from tasker.model.instants import SECOND

pytestmark = pytest.mark.anyio

ADMIN = {"name": "the owner", "role": "admin"}
FILE = {"api_keys": ("owning-key",)}
OWNING = {"authorization": "Bearer owning-key"}


def bearer(made):
    return {"authorization": f"Bearer {made['key']}"}


async def made(server, body=None, headers=None):
    reply = await server.call("POST", "/keys", body or ADMIN, headers)
    assert reply.status == 201, reply
    return reply.json


def at(clock, seconds):
    return datetime.fromtimestamp(clock.now() / SECOND + seconds, UTC).isoformat()


async def test_the_first_key_turns_it_on_and_the_key_is_shown_once(server):
    reply = await server.call("POST", "/keys", ADMIN)
    key = reply.json
    assert (reply.status, reply.headers["cache-control"]) == (201, "no-store")
    assert key["key"].startswith(f"tasker_{key['id']}_")
    assert (key["name"], key["role"], key["expires_at"], key["used_at"]) == ("the owner", "admin", None, None)
    assert key["scopes"] == ["metrics", "tasks:read", "tasks:write", "queues:work", "secrets:read", "operate", "admin"]

    text = await server.refused("GET", "/tasks", status=401)
    assert "this call has none: send it as 'Authorization: Bearer <key>'" in text
    assert (await server.call("GET", "/healthz")).status == 200
    assert (await server.call("GET", "/tasks", headers=bearer(key))).status == 200
    # Any Host will do: a page cannot have the key.
    assert (await server.call("GET", "/tasks", headers=bearer(key) | {"host": "tasks.example.org"})).status == 200
    page = await server.call("GET", "/keys", headers=bearer(key))
    assert page.json == {"keys": [{name: value for name, value in key.items() if name != "key"}], "next": None}
    assert key["key"].split("_")[2].encode() not in page.body


async def test_of_a_key_its_hash_alone_is_kept(server):
    key = (await made(server))["key"]
    (kept,) = (await server.store.key_state()).keys
    assert key.split("_")[2] not in repr(kept)
    assert len(kept.digest) == 32


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"name": "x"}, None, "expected role or scopes, got neither"),
        ({"name": "x", "role": "read", "scopes": ["metrics"]}, None, "expected role or scopes, got both"),
        ({"name": "x", "role": "owner"}, "role", "metrics"),
        ({"name": "x", "scopes": []}, "scopes", "not empty"),
        ({"name": "x", "scopes": ["tasks"]}, "scopes[0]", "tasks:read"),
        ({"name": "x", "scopes": ["open"]}, "scopes[0]", "tasks:read"),
        ({"name": "", "role": "read"}, "name", "not empty"),
        ({"name": "  ", "role": "read"}, "name", "printable"),
        ({"name": "a\nb", "role": "read"}, "name", "printable"),
        ({"name": "x" * 101, "role": "read"}, "name", "100"),
        ({"role": "read"}, "name", "name"),
        ({"name": "x", "role": "read", "expires_at": "tomorrow"}, "expires_at", "RFC 3339"),
        ({"name": "x", "role": "read", "expires_at": "2001-01-01T00:00:00Z"}, "expires_at", "in the future"),
        ({"name": "x", "role": "read", "expires": LATER}, "expires", "expires_at"),
    ],
    ids=str,
)
@pytest.mark.parametrize("on_store", ["sqlite"], indirect=True)
async def test_what_cannot_become_a_key_is_refused_and_the_member_named(server, body, field, words):
    reply = await server.call("POST", "/keys", body)
    assert (reply.status, reply.json["code"], reply.json.get("field")) == (400, "invalid_request", field)
    assert words in reply.json["msg"]
    assert (await server.call("GET", "/tasks")).status == 200, "none is asked for"


async def test_the_first_key_must_be_one_that_may_make_others(server):
    for body in ({"name": "x", "role": "write"}, {"name": "x", "scopes": ["tasks:read", "secrets:read"]}):
        reply = await server.call("POST", "/keys", body)
        assert (reply.status, reply.json["code"]) == (409, "no_admin_key")
    assert (await server.call("GET", "/tasks")).status == 200
    admin = await made(server, {"name": "x", "scopes": ["admin"]})
    await made(server, {"name": "x", "role": "write"}, bearer(admin))


@pytest.mark.parametrize("on_store", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "headers",
    [{"x-forwarded-for": "192.0.2.1"}, {"Forwarded": "for=192.0.2.1"}, {"via": "1.1 proxy"}, {"X-Real-IP": "::1"}],
    ids=str,
)
async def test_the_first_key_is_not_made_through_a_proxy(server, headers):
    reply = await server.call("POST", "/keys", ADMIN, headers)
    assert (reply.status, reply.json["code"]) == (403, "forbidden")
    assert "tasker keys create" in reply.json["msg"]
    admin = await made(server)
    await made(server, ADMIN, bearer(admin) | headers)


@pytest.mark.parametrize("on_store", ["sqlite"], indirect=True)
async def test_the_first_key_is_not_made_from_another_machine(server, monkeypatch):
    monkeypatch.setattr(Connection, "_peer", lambda _: "192.0.2.1")
    assert (await server.call("POST", "/keys", ADMIN)).status == 403
    monkeypatch.setattr(Connection, "_peer", lambda _: "::ffff:127.0.0.1")
    assert (await server.call("POST", "/keys", ADMIN)).status == 201


async def test_after_the_first_key_others_are_made_by_admins_only(server):
    admin = await made(server)
    writer = await made(server, {"name": "w", "role": "write"}, bearer(admin))
    for headers, status in (({}, 401), (bearer(writer), 403)):
        for method, path, body in (("POST", "/keys", ADMIN), ("GET", "/keys", None), ("DELETE", "/keys/x", None)):
            assert (await server.call(method, path, body, headers)).status == status


async def test_a_key_of_the_file_makes_keys_of_the_store_and_both_are_valid():
    async with running(**FILE) as server:
        assert (await server.call("POST", "/keys", ADMIN)).status == 401
        stored = await made(server, headers=OWNING)
        for headers in (OWNING, bearer(stored)):
            assert (await server.call("GET", "/tasks", headers=headers)).status == 200


async def test_keys_are_listed_in_pages_in_the_order_in_which_they_were_made(server):
    keys = [await made(server)]
    headers = bearer(keys[0])
    for place in range(4):
        await server.clock.step(1)
        keys.append(await made(server, {"name": f"key {place}", "scopes": ["metrics", "tasks:read"]}, headers))
    path, seen, pages = "/keys?limit=2", [], 0
    while path:
        reply = await server.call("GET", path, headers=headers)
        seen += [key["id"] for key in reply.json["keys"]]
        path = reply.json["next"]
        assert reply.headers.get("link") == (path and f'<{path}>; rel="next"')
        pages += 1
    assert (seen, pages) == ([key["id"] for key in keys], 3)
    assert await server.refused("GET", "/keys?cursor=x", headers=headers) == (
        "cursor: expected the cursor of a page before, as its next gives it"
    )


async def test_a_revoked_key_is_valid_no_longer_and_the_last_admin_stays(server):
    admin, reader = await made(server), None
    reader = await made(server, {"name": "grafana", "role": "read"}, bearer(admin))
    assert (await server.call("GET", "/tasks", headers=bearer(reader))).status == 200
    reply = await server.call("DELETE", f"/keys/{reader['id']}", headers=bearer(admin))
    assert (reply.status, reply.body) == (204, b"")
    text = await server.refused("GET", "/tasks", headers=bearer(reader), status=401)
    assert "is not valid: it is none of this server, or was revoked" in text
    reply = await server.call("DELETE", f"/keys/{reader['id']}", headers=bearer(admin))
    assert (reply.status, reply.json["code"]) == (404, "api_key_not_found")
    reply = await server.call("DELETE", f"/keys/{admin['id']}", headers=bearer(admin))
    assert (reply.status, reply.json["code"]) == (409, "last_admin_key")
    assert (await server.call("GET", "/tasks", headers=bearer(admin))).status == 200


async def test_a_key_is_valid_until_its_last_moment_and_then_says_so(server):
    admin = await made(server)
    body = {"name": "for a while", "role": "read", "expires_at": at(server.clock, 10)}
    key = await made(server, body, bearer(admin))
    assert key["expires_at"] is not None
    await server.clock.advance(9.999_999)
    assert (await server.call("GET", "/tasks", headers=bearer(key))).status == 200
    await server.clock.advance(0.000_001)
    text = await server.refused("GET", "/tasks", headers=bearer(key), status=401)
    assert f"this one expired at {key['expires_at']}" in text
    await server.refused("GET", "/tasks", status=401)


@pytest.mark.parametrize("on_store", ["sqlite"], indirect=True)
async def test_a_key_that_is_cut_short_or_mistyped_is_said_to_be(server):
    key = (await made(server))["key"]
    mistyped = f"{key[:20]}{'0' if key[20] != '0' else '1'}{key[21:]}"
    for wrong in (key[:-1], mistyped, key + "x"):
        text = await server.refused("GET", "/tasks", headers={"authorization": f"Bearer {wrong}"}, status=401)
        assert "is mistyped or cut short" in text
        assert wrong not in text


async def test_when_a_key_was_used_last_is_known_to_the_minute(server):
    admin = await made(server)
    reader = await made(server, {"name": "r", "role": "read"}, bearer(admin))
    await server.call("GET", "/tasks", headers=bearer(reader))
    await server.service.keys.ring.write_uses()
    keys = (await server.call("GET", "/keys", headers=bearer(admin))).json["keys"]
    minute = server.clock.now() // (60 * SECOND) * 60
    expected = datetime.fromtimestamp(minute, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    assert [key["used_at"] for key in keys] == [expected, expected]


async def test_revoking_ends_the_long_polls_of_the_key_and_of_no_other(server):
    admin = await made(server)
    readers = [await made(server, {"name": name, "role": "read"}, bearer(admin)) for name in ("one", "two")]
    reply = await server.call("POST", "/tasks/new", HASH, bearer(admin))
    path = f"/tasks/{reply.json['id']}?wait=60"
    waiting = [asyncio.ensure_future(server.call("GET", path, headers=bearer(reader))) for reader in readers]
    await holds(lambda: all(server.service.keys.ring._by_id[each["id"]].ends for each in readers))
    await server.call("DELETE", f"/keys/{readers[0]['id']}", headers=bearer(admin))
    ended = await waiting[0]
    assert ended.status == 401
    assert "was revoked or has expired since the call began" in ended.json["msg"]
    assert not waiting[1].done()
    await server.call("DELETE", reply.headers["location"], headers=bearer(admin))
    assert (await waiting[1]).status == 404


async def test_a_key_sees_all_tasks_and_idempotency_keys_are_its_own(server):
    admin = await made(server)
    other = await made(server, ADMIN, bearer(admin))
    ids = []
    for key in (admin, other, admin):
        reply = await server.call("POST", "/tasks/new", HASH, bearer(key) | {"idempotency-key": "k"})
        ids.append(reply.json["id"])
    assert ids[0] == ids[2] != ids[1]
    for task_id in ids:
        assert (await server.call("GET", f"/tasks/{task_id}", headers=bearer(other))).status == 200


@pytest.mark.parametrize("on_store", ["sqlite"], indirect=True)
async def test_a_key_rate_is_one_for_each_key(on_store):
    async with running(key_rate=5, api_keys=("owning-key", "another-key")) as server:
        other = {"authorization": "Bearer another-key"}
        assert [(await server.call("GET", "/stats", headers=OWNING)).status for _ in range(6)] == [200] * 5 + [429]
        reply = await server.call("POST", "/tasks/new", HASH, OWNING)
        assert (reply.status, reply.json["code"], reply.headers["retry-after"]) == (429, "too_many_calls", "1")
        assert "more than 5 calls a second (--key-rate)" in reply.json["msg"]
        assert (await server.call("GET", "/stats", headers=other)).status == 200
        assert (await server.call("GET", "/healthz")).status == 200
        await server.clock.advance(0.2)
        assert [(await server.call("GET", "/stats", headers=OWNING)).status for _ in range(2)] == [200, 429]
        await server.clock.advance(60)
        assert [(await server.call("GET", "/stats", headers=OWNING)).status for _ in range(6)] == [200] * 5 + [429]


@pytest.mark.parametrize("on_store", ["sqlite"], indirect=True)
async def test_no_answer_and_no_error_shows_a_key(server):
    admin = await made(server)
    secret = admin["key"].split("_")[2].encode()
    replies = [
        await server.call("GET", path, headers=headers)
        for path in ("/keys", "/keys?limit=0", "/nope", "/openapi.json", "/stats")
        for headers in (bearer(admin), {"authorization": bearer(admin)["authorization"] + "x"})
    ]
    assert [reply for reply in replies if secret in reply.body] == []
    assert json.dumps(admin).count("tasker_") == 1


async def test_who_makes_and_revokes_keys_is_in_the_audit_log(server):
    admin = await made(server)
    reader = await made(server, {"name": "r", "scopes": ["metrics"], "expires_at": LATER}, bearer(admin))
    await server.call("DELETE", f"/keys/{reader['id']}", headers=bearer(admin))
    revoked, created, first = (await server.store.audit(AuditQuery(), after=None, limit=10)).records
    assert (first.by.id, first.subject, first.name) == ("local", admin["id"], "the owner")
    assert first.by.id == "local"
    assert (created.by.id, created.by.name) == (admin["id"], "the owner")
    assert {name: json.loads(bytes(change.after)) for name, change in created.changes.items()} == {
        "scopes": ["metrics"],
        "expires_at": reader["expires_at"],
    }
    assert (revoked.action.value, revoked.subject, revoked.name) == ("revoke", reader["id"], "r")


@pytest.mark.parametrize("on_store", ["sqlite"], indirect=True)
async def test_a_key_is_not_lost_if_the_store_goes_away_once_it_is_made(server, monkeypatch):
    async def refuse():
        raise StoreUnavailableError("it is away")

    with monkeypatch.context() as away:
        away.setattr(server.service.keys.ring, "refresh", refuse)
        admin = await made(server)
    await server.service.keys.ring.refresh()
    assert (await server.call("GET", "/tasks", headers=bearer(admin))).status == 200
