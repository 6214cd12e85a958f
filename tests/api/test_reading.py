"""Read, list and delete tasks; paths and methods that there are not."""

import pytest
from rest_server import HASH, WEBHOOK

pytestmark = pytest.mark.anyio

NOBODY = "019bbade-01c6-7d11-821f-bc1538901f12"


async def run_one(server):
    """Claim what is due, as the engine does."""
    await server.clock.step(200 * 365 * 86_400)
    claimed = await server.store.claim_due({task_type.pool: 1 for task_type in server.registry.types})
    return claimed.attempts[0]


@pytest.mark.parametrize(
    "spell",
    [str, str.upper, lambda text: text.replace("-", ""), lambda text: text.replace("-", "%2D"), "{{{}}}".format],
)
async def test_any_spelling_of_a_uuid_is_an_id(server, spell):
    task_id = await server.new()

    reply = await server.call("GET", f"/tasks/{spell(task_id)}")

    assert (reply.status, reply.json["hash"]["id"]) == (200, task_id)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(
    "task_id", [NOBODY, "not-a-uuid", "%00", "%ff%fe", "%F0%9F%92%A9", "1" * 10_000, "new%2F", "type", "..%2f"]
)
async def test_an_id_that_is_not_there_is_not_found(server, method, task_id):
    text = await server.refused(method, f"/tasks/{task_id}", status=404)

    assert len(text) < 200


async def test_a_deleted_task_is_gone(server):
    task_id = await server.new()

    reply = await server.call("DELETE", f"/tasks/{task_id}")

    assert (reply.status, reply.body, reply.headers.get("content-type")) == (204, b"", None)
    await server.refused("GET", f"/tasks/{task_id}", status=404)
    await server.refused("DELETE", f"/tasks/{task_id}", status=404)
    assert (await server.call("GET", "/tasks/state/todo")).json == []


async def test_a_running_task_is_not_deleted(server):
    task_id = await server.new()
    attempt = await run_one(server)

    text = await server.refused("DELETE", f"/tasks/{task_id}", status=409)

    assert attempt.task_id == task_id
    assert "running" in text
    assert (await server.call("GET", f"/tasks/{task_id}")).json["hash"]["state"] == "in_progress"
    assert len((await server.call("GET", "/tasks/state/in_progress")).json) == 1


async def test_lists_are_ordered_by_execution_time_whatever_its_offset(server):
    times = ["2126-01-01T05:00:00+05:00", "2126-01-01T02:00:00-03:00", "2126-01-01T01:00:00Z", "2126-01-01T01:00:00.5Z"]
    right = [times[0], times[2], times[3], times[1]]
    for time in times:
        await server.new({"hash": HASH["hash"] | {"execution_time": time}})
    await server.new(WEBHOOK)

    by_type = (await server.call("GET", "/tasks/type/hash")).json
    by_state = (await server.call("GET", "/tasks/state/todo")).json

    assert [task["execution_time"] for task in by_type] == right
    assert [task["hash"]["execution_time"] for task in by_state if "hash" in task] == right
    assert [list(task) for task in by_state] == [["hash"]] * 4 + [["webhook"]]


@pytest.mark.parametrize(
    "path", ["/tasks/type/hash", "/tasks/type/webhook", "/tasks/state/done", "/tasks/state/todo?limit=5"]
)
async def test_a_list_of_nothing_is_empty(server, path):
    reply = await server.call("GET", path)

    assert (reply.status, reply.json) == (200, [])
    assert reply.headers["cache-control"] == "no-store"


async def test_a_list_of_many_pages_is_whole(server, monkeypatch):
    monkeypatch.setattr("tasker.api.routes.lists.PAGE_LENGTH", 10)
    ids = [await server.new() for _ in range(30)]

    listed = (await server.call("GET", "/tasks/type/hash")).json

    assert [task["id"] for task in listed] == server.in_order_of_arrival(ids)


async def test_a_list_can_be_read_page_by_page(server):
    ids = [await server.new() for _ in range(5)]
    seen, path = [], "/tasks/state/todo?limit=2"
    while path:
        reply = await server.call("GET", path)
        assert reply.status == 200
        assert len(reply.json) <= 2
        seen += [task["hash"]["id"] for task in reply.json]
        link = reply.headers.get("link")
        path = link.removeprefix("<").removesuffix('>; rel="next"') if link else None

    assert seen == server.in_order_of_arrival(ids)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("limit=%D9%A1", "limit"),
        ("limit=1.5", "limit"),
        ("limit=" + "9" * 5_000, "limit"),
        ("limit=1&cursor=nonsense", "cursor"),
        ("limit=1&cursor=", "cursor"),
        ("limit=1&cursor=%00", "cursor"),
        ("limit=1&cursor=99999999999999999999.99999999999999999999", "cursor"),
        ("cursor=1.1", "cursor"),
        ("limti=5", "limti"),
        ("%ff=5", "�"),
    ],
)
async def test_a_bad_parameter_of_a_list_is_named(server, query, parameter):
    text = await server.refused("GET", f"/tasks/state/todo?{query}")

    assert text.startswith(f"{parameter}: ")
    assert len(text) < 200


async def test_a_list_of_an_unknown_type_or_state_names_those_that_are_known(server):
    assert "webhook, hash" in await server.refused("GET", "/tasks/type/nope")
    assert "todo, in_progress, done, failed" in await server.refused("GET", "/tasks/state/nope")


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/tasks/",
        "/tasks/new/",
        "//tasks/new",
        "/tasks/type/hash/",
        "/healthz/",
        "/openapi-json",
        "/tasks/%0A/x",
    ],
)
async def test_an_unknown_path_is_not_found(server, path):
    await server.refused("GET", path, status=404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/tasks/new", "POST"),
        ("HEAD", "/tasks/new", "POST"),
        ("DELETE", "/tasks/new", "POST"),
        ("OPTIONS", "/tasks/new", "POST"),
        ("OPTIONS", "/tasks/state/todo", "GET, HEAD"),
        ("PUT", "/tasks", "GET, HEAD"),
        ("PUT", f"/tasks/{NOBODY}", "DELETE, GET, HEAD, PATCH"),
        ("PATCH", "/tasks/type/hash", "GET, HEAD"),
        ("POST", "/healthz", "GET, HEAD"),
        ("TRACE", "/stats", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(server, method, path, allowed):
    reply = await server.call(method, path, headers={"content-type": "application/json"})

    assert (reply.status, reply.headers["allow"]) == (405, allowed)
    if method != "HEAD":
        assert allowed in reply.json["msg"]


async def test_head_answers_as_get_does_without_the_body(server):
    task_id = await server.new()
    connection = await server.connect()
    for path in (
        f"/tasks/{task_id}",
        "/tasks/state/todo",
        "/tasks/state/todo?limit=1",
        "/stats",
        "/healthz",
        "/openapi.json",
    ):
        head = await connection.request("HEAD", path)
        get = await connection.request("GET", path)
        assert (head.status, get.status) == (200, 200)
        assert head.headers["content-type"] == get.headers["content-type"]
        assert head.headers.get("content-length") == get.headers.get("content-length")
    assert (await connection.request("HEAD", "/nope")).status == 404
    assert (await connection.request("GET", "/healthz")).status == 200
    await connection.close()


async def test_the_server_says_how_it_is(server):
    await server.new()
    stats = (await server.call("GET", "/stats")).json

    assert stats["tasks"] == {"todo": 1, "in_progress": 0, "done": 0, "failed": 0, "cancelled": 0}
    assert stats["totals"]["created"] == 1
    assert stats["lateness_seconds"] == {"count": 0, "p50": None, "p99": None, "max": None}
    nothing = {"p50": None, "p99": None, "max": None, "sum": 0.0}
    assert stats["lateness_by_cause_seconds"] == {"down": nothing, "held": nothing, "own": nothing}
    assert set(stats["pools"]) == {"webhook", "hash"}
    for path in ("/healthz", "/readyz"):
        reply = await server.call("GET", path)
        assert (reply.status, reply.json) == (200, {"status": "ok"})
