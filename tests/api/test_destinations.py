"""Where tasks go: looking, limiting, pausing."""

import pytest
from fates import NEAR, REFUSED, claim, destination_of, end, webhook
from rest_server import HASH, JSON

from tasker.engine.engine import Engine
from tasker.errors import StoreUnavailableError

pytestmark = pytest.mark.anyio


def to(port, **more):
    return webhook(url=f"http://localhost:{port}/hook", **more)


async def test_every_destination_is_listed_once_by_id(server):
    assert (await server.call("GET", "/destinations")).json == []
    for port in (9002, 9001, 9002):
        await server.new(to(port))
    await server.new(HASH)

    reply = await server.call("GET", "/destinations")

    assert reply.status == 200
    assert reply.headers["cache-control"] == "no-store"
    assert [(each["id"], each["name"], each["kind"]) for each in reply.json] == [
        (1, "http://localhost:9002", "host"),
        (2, "http://localhost:9001", "host"),
        (3, "hash", "type"),
    ]


async def test_the_list_of_destinations_is_read_page_by_page(server, monkeypatch):
    monkeypatch.setattr("tasker.api.routes.lists.PAGE_LENGTH", 2)
    for port in range(9001, 9006):
        await server.new(to(port))

    assert [each["id"] for each in (await server.call("GET", "/destinations")).json] == [1, 2, 3, 4, 5]

    seen, path = [], "/destinations?limit=2"
    while path:
        reply = await server.call("GET", path)
        assert len(reply.json) <= 2
        seen += [each["id"] for each in reply.json]
        path = (
            reply.headers["link"].removeprefix("<").removesuffix('>; rel="next"') if "link" in reply.headers else None
        )
    assert seen == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        *[
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("limit=x", "limit"),
            ("cursor=1", "cursor"),
            ("limti=5", "limti"),
        ],
        *[(f"limit=1&cursor={cursor}", "cursor") for cursor in ("", "x", "-1", "1.1", "%00", "9" * 30, "%D9%A1")],
    ],
)
async def test_a_bad_parameter_of_the_list_of_destinations_is_named(server, query, parameter):
    text = await server.refused("GET", f"/destinations?{query}")

    assert text.startswith(f"{parameter}: ")


async def test_a_destination_is_read_alone(server):
    await server.new(to(9001))
    await server.new(to(9002))

    reply = await server.call("GET", "/destinations/2")

    assert (reply.status, reply.json) == (200, (await server.call("GET", "/destinations")).json[1])


async def test_the_limit_of_a_destination_is_set_and_taken_away(server):
    for _ in range(3):
        await server.new(to(9001))
    await server.clock.step(NEAR)

    reply = await server.call("PATCH", "/destinations/1", {"max_running": 2})
    assert (reply.status, reply.json["max_running"]) == (200, 2)
    assert len(await claim(server)) == 2
    assert (await server.call("GET", "/destinations/1")).json["held"] == 1

    reply = await server.call("PATCH", "/destinations/1", {"max_running": None})
    assert (reply.status, reply.json["max_running"]) == (200, None)
    assert len(await claim(server)) == 1


@pytest.mark.parametrize(
    ("body", "field", "expected"),
    [
        (b"{}", "", "expected max_running, max_per_second or burst"),
        ({"max_per_second": 0}, "max_per_second", ">= 1e-05"),
        ({"max_per_second": "5"}, "max_per_second", "expected"),
        ({"burst": 0}, "burst", ">= 1"),
        ({"burst": None}, "burst", "expected"),
        ({"max_running": 0}, "max_running", ">= 1"),
        ({"max_running": 10_001}, "max_running", "<= 10000"),
        ({"max_running": "5"}, "max_running", "expected"),
        ({"max_running": 1.5}, "max_running", "expected"),
        ({"max_running": True}, "max_running", "expected"),
        (
            {"max_runing": 5},
            "max_runing",
            "expected one of max_running, max_per_second, burst, got",
        ),
        ({"max_running": 5, "paused": True}, "paused", "expected one of max_running"),
        ([], "", "expected an object"),
        (b"null", "", "expected an object"),
        (b"", "", "expected JSON: there is no body"),
        (b'{"max_running": 5', "", "it ends too early"),
        (b"[" * 5_000, "", "expected"),
        (b"\xff", "", "expected JSON"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_change_that_cannot_be_made_is_refused_and_its_field_named(server, body, field, expected):
    await server.new(to(9001))

    reply = await server.call("PATCH", "/destinations/1", body, JSON)

    assert (reply.status, reply.json["code"], reply.json.get("field", "")) == (400, "invalid_request", field)
    assert reply.json["msg"].startswith(field)
    assert expected in reply.json["msg"]
    assert (await server.call("GET", "/destinations/1")).json["max_running"] is None


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "", None])
async def test_a_change_that_is_not_declared_to_be_json_is_refused(server, media_type):
    await server.new(to(9001))

    await server.refused("PATCH", "/destinations/1", {"max_running": 5}, {"content-type": media_type}, status=415)


async def test_a_change_that_is_too_long_is_refused(server):
    reply = await server.call("PATCH", "/destinations/1", b" " * 1_048_577)

    assert (reply.status, reply.json["code"]) == (413, "body_too_large")


async def test_nothing_starts_at_a_paused_destination_until_it_is_resumed(server):
    task_id = await server.new(to(9001))
    other = await server.new(to(9002))
    for _ in range(2):  # twice is as good as once
        reply = await server.call("POST", "/destinations/1/pause")
        assert (reply.status, reply.json["paused"]) == (200, True)
    await server.clock.step(NEAR)

    assert [attempt.task_id for attempt in await claim(server)] == [other]
    assert (await server.call("GET", "/destinations/1")).json["held"] == 1

    for _ in range(2):
        reply = await server.call("POST", "/destinations/1/resume")
        assert (reply.status, reply.json["paused"]) == (200, False)
    assert [attempt.task_id for attempt in await claim(server)] == [task_id]


async def test_a_change_keeps_the_rest_of_a_destination(server):
    await server.new(to(9001))
    await server.call("PATCH", "/destinations/1", {"max_running": 7})
    await server.call("POST", "/destinations/1/pause")
    await server.call("PATCH", "/destinations/1", {"max_running": 8})

    destination = (await server.call("GET", "/destinations/1")).json
    assert (destination["max_running"], destination["paused"]) == (8, True)


async def a_failing_destination(server):
    """Have the circuit of destination 1 open, and return the task that it holds."""
    for _ in range(11):
        last = await server.new(to(9001))
    await server.clock.step(NEAR)
    for attempt in await claim(server, free=20):  # half of the slots
        await end(server, attempt, REFUSED)
    assert await claim(server) == []
    return last


async def test_a_destination_is_probed_though_its_circuit_is_open(server):
    last = await a_failing_destination(server)
    reply = await server.call("GET", "/destinations/1")
    assert (reply.json["circuit"]["state"], reply.json["held"]) == ("open", 1)

    for _ in range(2):  # twice is as good as once
        reply = await server.call("POST", "/destinations/1/probe")
        assert (reply.status, reply.json["circuit"]["state"]) == (202, "half_open")
    assert [attempt.task_id for attempt in await claim(server)] == [last]


@pytest.mark.parametrize("action", ["pause", "resume", "probe"])
async def test_an_action_is_answered_with_how_it_left_the_destination(server, monkeypatch, action):
    """Not with what came of it: the engine hears of it afterwards."""
    await a_failing_destination(server)
    done = []
    gate, ring = server.store.gate, Engine.ring

    async def look(gate_id):
        done.append("looked")
        return await gate(gate_id)

    monkeypatch.setattr(server.store, "gate", look)
    monkeypatch.setattr(Engine, "ring", lambda engine: done.append("rung") or ring(engine))
    assert (await server.call("POST", f"/destinations/1/{action}")).status < 300

    assert done == ["looked", "rung"]


async def test_the_engine_hears_of_an_action_whose_answer_cannot_be_read(server, monkeypatch):
    await a_failing_destination(server)
    rung = []

    async def look(_):
        raise StoreUnavailableError("it is gone")

    monkeypatch.setattr(server.store, "gate", look)
    monkeypatch.setattr(Engine, "ring", lambda _: rung.append(True))

    assert (await server.call("POST", "/destinations/1/probe")).status == 503
    assert rung == [True]


async def test_a_destination_that_works_is_not_probed(server):
    await server.new(to(9001))

    reply = await server.call("POST", "/destinations/1/probe")

    assert (reply.status, reply.json["code"]) == (409, "nothing_to_probe")
    assert "its circuit is closed" in reply.json["msg"]


@pytest.mark.parametrize("what", ["pause", "resume", "probe"])
@pytest.mark.parametrize("body", [b"[]", b'{"paused": true}', b"x"])
async def test_a_pause_a_resume_or_a_probe_takes_nothing(server, what, body):
    task_id = await server.new(to(9001))

    reply = await server.call("POST", f"/destinations/1/{what}", body)

    assert (reply.status, reply.json["code"]) == (400, "invalid_request")
    assert (await destination_of(server, task_id))["paused"] is False


@pytest.mark.parametrize(
    "destination_id", ["0", "2", "-1", "x", "1.0", "1" * 30, "%D9%A1", "%00", "http:%2F%2Flocalhost:9001"]
)
@pytest.mark.parametrize(
    ("method", "what", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"max_running": 5}),
        ("POST", "/pause", None),
        ("POST", "/resume", None),
        ("POST", "/probe", None),
    ],
    ids=str,
)
async def test_a_destination_that_there_is_not_is_not_found(server, method, what, body, destination_id):
    await server.new(to(9001))

    reply = await server.call(method, f"/destinations/{destination_id}{what}", body)

    assert reply.status == 404
    assert len(reply.json["msg"]) < 200
    if "%2F" not in destination_id:
        assert reply.json["code"] == "destination_not_found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/destinations", "GET, HEAD, POST"),
        ("DELETE", "/destinations/1", "GET, HEAD, PATCH"),
        ("GET", "/destinations/1/pause", "POST"),
        ("PATCH", "/destinations/1/resume", "POST"),
        ("GET", "/destinations/1/probe", "POST"),
    ],
)
async def test_the_calls_of_a_destination_take_their_methods_only(server, method, path, allowed):
    reply = await server.call(method, path)

    assert (reply.status, reply.headers["allow"]) == (405, allowed)


async def test_head_answers_about_destinations_as_get_does(server):
    await server.new(to(9001))
    for path in ("/destinations", "/destinations?limit=1", "/destinations/1"):
        head = await server.call("HEAD", path)
        get = await server.call("GET", path)
        assert (head.status, head.body) == (get.status, b"") == (200, b"")
        assert head.headers.get("content-length") == get.headers.get("content-length")


async def test_no_userinfo_of_a_url_is_in_the_name_of_its_destination(server):
    await server.new(webhook(url="https://me:secret@Example.org/x?y=token"))

    (destination,) = (await server.call("GET", "/destinations")).json

    assert destination["name"] == "https://example.org:443"


async def test_a_destination_is_made_before_its_first_task_and_found_after(server):
    made = await server.call("POST", "/destinations", {"url": "http://LOCALHOST:9001/x", "max_running": 2})
    assert (made.status, made.json["name"], made.json["max_running"]) == (200, "http://localhost:9001", 2)
    await server.new(to(9001))
    found = await server.call("POST", "/destinations", {"url": "localhost:9001/hook", "max_per_second": 0.5})
    assert (found.json["id"], found.json["max_running"], found.json["max_per_second"]) == (made.json["id"], 2, 0.5)
    assert len((await server.call("GET", "/destinations")).json) == 1


async def test_a_task_that_names_a_group_has_the_limits_of_the_group(server):
    limits = {"max_per_second": 2, "burst": 2, "max_running": 5}
    made = (await server.call("POST", "/destinations", {"group": "customer 42", **limits})).json
    assert (made["name"], made["kind"]) == ("customer 42", "group")
    assert {name: made[name] for name in limits} == limits
    for port in (9001, 9002, 9003):
        await server.new(to(port, group="customer 42"))
    await server.clock.step(NEAR)
    assert len(await claim(server)) == 2
    assert (await server.call("GET", f"/destinations/{made['id']}")).json["held"] == 1


@pytest.mark.parametrize(
    ("body", "field", "expected"),
    [
        ({}, "", "expected url, group or queue, got none of them"),
        ({"url": "http://a.example/", "group": "g"}, "", "expected url, group or queue, got url and group"),
        ({"group": ""}, "group", "not empty"),
        ({"group": "g" * 101}, "group", "<= 100"),
        ({"group": "a\x00"}, "group", "expected printable characters"),
        ({"url": "ftp://a.example/"}, "url", "http"),
        ({"queue": "a b"}, "queue", "expected 1 to 100 letters, digits"),
        ({"group": "g", "burst": 1.5}, "burst", "expected"),
    ],
)
async def test_a_destination_that_cannot_be_made_is_refused(server, body, field, expected):
    reply = await server.call("POST", "/destinations", body)

    assert (reply.status, reply.json["code"], reply.json.get("field", "")) == (400, "invalid_request", field)
    assert expected in reply.json["msg"]
