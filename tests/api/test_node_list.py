"""GET /nodes: the servers that share the database."""

from uuid import UUID

import pytest
import rest_server

from tasker.model import instants

pytestmark = pytest.mark.anyio


async def test_a_server_lists_itself_with_what_it_runs(server):
    task_id = await server.new()
    before = (await server.call("GET", "/nodes")).json
    await server.clock.step(200 * 365 * 86_400)
    (attempt,) = (await server.store.claim_due({task_type.pool: 1 for task_type in server.registry.types})).attempts

    (node,) = (await server.call("GET", "/nodes")).json

    assert list(node) == ["id", "address", "version", "started_at", "lease_until", "running"]
    assert UUID(node["id"]).version == 4
    assert (before[0]["running"], node["running"]) == (0, 1)
    assert attempt.task_id == task_id
    assert before[0]["id"] == node["id"]


async def test_the_answer_is_not_to_be_kept_and_has_no_other_methods(server):
    reply = await server.call("GET", "/nodes")
    assert (reply.status, reply.headers["cache-control"], reply.headers["content-type"]) == (
        200,
        "no-store",
        "application/json",
    )
    head = await server.call("HEAD", "/nodes")
    assert (head.status, head.body) == (200, b"")
    await server.refused("POST", "/nodes", {}, status=405)
    await server.refused("GET", "/nodes/", status=404)


@pytest.mark.parametrize("on_store", ["sqlite"], indirect=True)
async def test_on_sqlite_there_is_one_node_without_a_lease(server):
    started_at = server.clock.now()
    await server.clock.step(3_600)
    (node,) = (await server.call("GET", "/nodes")).json
    assert (node["lease_until"], node["started_at"]) == (None, instants.text(started_at))


@pytest.mark.parametrize("on_store", ["postgres"], indirect=True)
async def test_on_postgresql_nodes_are_listed_in_the_order_of_their_start_each_with_its_lease(server):
    first = server.clock.now()
    await server.clock.step(10)
    other = rest_server.PostgresStore(
        server.clock.url,
        follow=rest_server.FOLLOW,
        base_clock=server.clock,
        address="http://10.0.0.2:8080",
        version="9.9",
    )
    await other.open()
    nodes = (await server.call("GET", "/nodes")).json
    await other.close()

    assert [(node["address"], node["version"]) for node in nodes] == [
        ("http://127.0.0.1:8080", "0"),
        ("http://10.0.0.2:8080", "9.9"),
    ]
    for node, started_at in zip(nodes, (first, first + 10 * instants.SECOND), strict=True):
        assert node["started_at"] == instants.text(started_at)
        assert node["lease_until"] == instants.text(first + 40 * instants.SECOND)

    gone = (await server.call("GET", "/nodes")).json[1]
    assert gone["lease_until"] == instants.text(first + 10 * instants.SECOND), "it ended its lease when it stopped"
