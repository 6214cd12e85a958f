"""The header Idempotency-Key: a request that is sent again makes nothing twice."""

import asyncio

import pytest
from rest_server import HASH, LATER, WEBHOOK, problem_in, request_bytes, running

from tasker.errors import StoreUnavailableError
from tasker.service import repeatable

pytestmark = pytest.mark.anyio

KEY = {"Idempotency-Key": '"order-1"'}
API_KEYS = ("0123456789abcdef", "fedcba9876543210")


async def listed(server):
    return (await server.call("GET", "/tasks/state/todo")).json


async def test_the_first_answer_comes_again_whether_the_key_is_quoted_or_bare(server):
    first = await server.call("POST", "/tasks/new", HASH, KEY)
    second = await server.call("POST", "/tasks/new", HASH, {"Idempotency-Key": "order-1"})

    assert (first.status, second.status) == (201, 201)
    assert first.body == second.body
    assert first.headers["location"] == second.headers["location"] == f"/tasks/{first.json['id']}"
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert len(await listed(server)) == 1


@pytest.mark.parametrize(
    ("quoted", "bare"),
    [('"a b"', "a b"), ('"a\\\\b\\"c"', 'a\\b"c'), ('  "x"  ', "x"), ('"' + "y" * 255 + '"', "y" * 255)],
)
@pytest.mark.parametrize("on_store", ["sqlite"], indirect=True)
async def test_a_key_in_quotes_is_the_key_that_they_spell(server, quoted, bare):
    first = await server.call("POST", "/tasks/new", HASH, {"Idempotency-Key": quoted})
    second = await server.call("POST", "/tasks/new", HASH, {"Idempotency-Key": bare})

    assert first.status == 201
    assert second.body == first.body


@pytest.mark.parametrize("on_store", ["sqlite"], indirect=True)
async def test_the_answer_to_a_delay_says_when_it_is_and_stays_the_same(server):
    soon = {"hash": {"delay": "1h", "secret": "s"}}
    first = await server.call("POST", "/tasks/new", soon, KEY)
    await server.clock.step(60)
    second = await server.call("POST", "/tasks/new", soon, KEY)

    shown = await server.call("GET", f"/tasks/{first.json['id']}")
    assert first.json["execution_time"] == shown.json["hash"]["execution_time"]
    assert second.body == first.body


@pytest.mark.parametrize("body", [HASH, {"hash": {"delay": "1h", "secret": "s"}}])
async def test_an_answer_with_a_key_is_the_answer_without_one(server, body):
    keyed = await server.call("POST", "/tasks/new", body, KEY)
    plain = await server.call("POST", "/tasks/new", body)

    varying = {"date", "location"}
    assert {k: v for k, v in keyed.headers.items() if k not in varying} == {
        k: v for k, v in plain.headers.items() if k not in varying
    }
    assert keyed.json.keys() == plain.json.keys()


@pytest.mark.parametrize("other", [WEBHOOK, {"Hash": HASH["hash"]}])
async def test_another_request_with_the_key_is_refused(server, other):
    await server.call("POST", "/tasks/new", HASH, KEY)

    reply = await server.call("POST", "/tasks/new", other, KEY)

    assert (reply.status, reply.json["code"]) == (422, "idempotency_key_reused")
    assert "order-1" not in problem_in(reply)
    assert len(await listed(server)) == 1


async def test_a_refusal_is_not_kept(server):
    await server.refused("POST", "/tasks/new", {"hash": {"execution_time": LATER}}, KEY)

    assert (await server.call("POST", "/tasks/new", HASH, KEY)).status == 201


async def test_a_replay_comes_although_its_time_has_passed_and_ends_after_the_retention(server):
    soon = {"hash": {"delay": "1h", "secret": "s"}}
    absolute = {"hash": {"execution_time": "1970-01-01T00:00:00Z", "secret": "s"}}
    created = await server.call("POST", "/tasks/new", soon, KEY)
    due = (await server.call("GET", f"/tasks/{created.json['id']}")).json["hash"]["execution_time"]
    absolute["hash"]["execution_time"] = due
    first = await server.call("POST", "/tasks/new", absolute, {"Idempotency-Key": "k"})

    await server.clock.step(25 * 3600 - 1)
    again = await server.call("POST", "/tasks/new", absolute, {"Idempotency-Key": "k"})
    assert again.body == first.body
    assert again.headers["idempotency-replayed"] == "true"
    assert await server.store.prune_kept_answers() == 0

    await server.clock.step(1)
    late = await server.call("POST", "/tasks/new", soon, KEY)
    assert "idempotency-replayed" not in late.headers
    assert late.json["id"] != created.json["id"]
    assert await server.store.prune_kept_answers() == 1
    assert await server.store.prune_kept_answers() == 0


async def test_many_at_once_make_one_task(server):
    replies = await asyncio.gather(*(server.call("POST", "/tasks/new", HASH, KEY) for _ in range(30)))

    assert {reply.status for reply in replies} == {201}
    assert len({reply.json["id"] for reply in replies}) == 1
    assert sum("idempotency-replayed" not in reply.headers for reply in replies) == 1
    assert len(await listed(server)) == 1


@pytest.fixture
def held_up(server, monkeypatch):
    """Creates with keys wait: an event that says that one has come, and one that lets them go on."""
    arrived, goes_on = asyncio.Event(), asyncio.Event()
    create_once = server.store.create_once

    async def slow(*arguments):
        arrived.set()
        await goes_on.wait()
        return await create_once(*arguments)

    monkeypatch.setattr(server.store, "create_once", slow)
    return arrived, goes_on


@pytest.mark.parametrize("on_store", ["sqlite"], indirect=True)
async def test_one_in_flight_is_waited_for_and_not_for_ever(server, held_up, monkeypatch):
    arrived, goes_on = held_up
    first = asyncio.create_task(server.call("POST", "/tasks/new", HASH, KEY))
    await arrived.wait()
    monkeypatch.setattr(server.service.repeatable, "_patience", 0)

    reply = await server.call("POST", "/tasks/new", HASH, KEY)
    assert (reply.status, reply.json["code"]) == (409, "idempotency_in_flight")
    assert reply.headers["retry-after"] == "1"

    monkeypatch.setattr(server.service.repeatable, "_patience", repeatable.PATIENCE.total_seconds())
    second = asyncio.create_task(server.call("POST", "/tasks/new", HASH, KEY))
    goes_on.set()
    assert (await first).body == (await second).body
    assert (await second).headers["idempotency-replayed"] == "true"


async def test_a_client_that_hung_up_before_the_answer_gets_it_when_it_asks_again(server, held_up):
    arrived, goes_on = held_up
    connection = await server.connect()
    await connection.send(request_bytes("POST", "/tasks/new", HASH, KEY))
    await arrived.wait()
    connection.hang_up()
    goes_on.set()

    reply = await server.call("POST", "/tasks/new", HASH, KEY)

    assert reply.headers["idempotency-replayed"] == "true"
    assert [each["hash"]["id"] for each in await listed(server)] == [reply.json["id"]]


@pytest.mark.parametrize("on_store", ["sqlite"], indirect=True)
async def test_an_answer_that_says_that_the_store_is_away_is_not_kept(server, monkeypatch):
    async def away(*_):
        raise StoreUnavailableError("I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(server.store, "create_once", away)
        assert (await server.call("POST", "/tasks/new", HASH, KEY)).status == 503

    reply = await server.call("POST", "/tasks/new", HASH, KEY)
    assert reply.status == 201
    assert "idempotency-replayed" not in reply.headers


@pytest.mark.parametrize("on_store", ["sqlite"], indirect=True)
async def test_two_api_keys_with_one_idempotency_key_do_not_meet():
    async with running(api_keys=API_KEYS) as server:
        replies = [
            await server.call("POST", "/tasks/new", HASH, KEY | {"authorization": f"Bearer {key}"})
            for key in (*API_KEYS, API_KEYS[0])
        ]

        assert replies[0].json == replies[2].json != replies[1].json


@pytest.mark.parametrize("on_store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("key", ["", '""', '"a', "x" * 256, "\xe4"])
async def test_what_is_no_key_is_refused(server, key):
    reply = await server.call("POST", "/tasks/new", HASH, {"Idempotency-Key": key})

    assert (reply.status, reply.json["field"]) == (400, "Idempotency-Key")
