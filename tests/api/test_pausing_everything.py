"""POST /pause and /resume: what they answer, and what the others say meanwhile."""

import pytest

from tasker.model import instants

pytestmark = pytest.mark.anyio

NOW = {"webhook": {"delay": 0, "url": "http://localhost:9000/hook", "body": "x"}}


async def test_pause_and_resume_answer_how_it_is_then(server):
    since = instants.text(server.clock.now())
    for _ in range(2):
        reply = await server.call("POST", "/pause")
        assert (reply.status, reply.json) == (200, {"paused": True, "paused_at": since})
        await server.clock.step(5)
    for _ in range(2):
        reply = await server.call("POST", "/resume")
        assert (reply.status, reply.json) == (200, {"paused": False, "paused_at": None})


async def test_readiness_and_statistics_say_it(server):
    assert (await server.call("GET", "/readyz")).json == {"status": "ok"}
    assert (await server.call("GET", "/stats")).json["paused_at"] is None
    since = (await server.call("POST", "/pause")).json["paused_at"]

    reply = await server.call("GET", "/readyz")
    note = f"everything is paused since {since}: tasks are taken, and start after POST /resume"
    assert (reply.status, reply.json) == (200, {"status": "ok", "note": note})
    assert (await server.call("GET", "/healthz")).json == {"status": "ok"}
    assert (await server.call("GET", "/stats")).json["paused_at"] == since

    await server.call("POST", "/resume")
    assert (await server.call("GET", "/readyz")).json == {"status": "ok"}
    assert (await server.call("GET", "/stats")).json["paused_at"] is None


async def test_explain_run_and_find_say_it(server):
    waiting = await server.new()
    due = await server.new(NOW)
    since = (await server.call("POST", "/pause")).json["paused_at"]
    words = f"; everything is paused since {since}, and POST /resume lets tasks start"

    explained = (await server.call("GET", f"/tasks/{due}/explain")).json
    assert explained["reason"] == "paused_all"
    assert explained["msg"] == f"it has been due since {explained['due_at']}{words}"
    assert explained["destination"]["paused"] is False
    explained = (await server.call("GET", f"/tasks/{waiting}/explain")).json
    assert explained["reason"] == "waiting"
    assert explained["msg"].endswith(words)

    reply = await server.call("POST", f"/tasks/{waiting}/run")
    assert (reply.status, reply.json["reason"]) == (202, "paused_all")
    found = (await server.call("GET", "/tasks?reason=paused_all")).json["tasks"]
    assert {each["webhook"]["id"] for each in found if "webhook" in each} | {
        each["hash"]["id"] for each in found if "hash" in each
    } == {waiting, due}

    await server.call("POST", "/resume")
    assert (await server.call("GET", "/tasks?reason=paused_all")).json["tasks"] == []
    assert (await server.call("GET", f"/tasks/{due}/explain")).json["reason"] == "due"


async def test_an_operation_finds_what_is_due_and_paused(server):
    due = await server.new(NOW)
    await server.call("POST", "/pause")
    operation = {"action": "cancel", "filter": {"reason": "paused_all"}, "dry_run": True}
    assert (await server.call("POST", "/operations", operation)).json["matched"] == 1
    assert (await server.call("GET", f"/tasks/{due}")).json["webhook"]["state"] == "todo"


async def test_both_take_no_body(server):
    for path in ("/pause", "/resume"):
        await server.refused("POST", path, {"for": "1h"}, status=400)
        await server.refused("GET", path, status=405)


@pytest.mark.parametrize("on_store", ["postgres"], indirect=True)
async def test_while_nodes_of_the_version_before_may_run_a_pause_is_refused_and_going_on_is_not(server, monkeypatch):
    monkeypatch.setattr(type(server.store), "is_upgrading", True)
    reply = await server.call("POST", "/pause")
    assert (reply.status, reply.json["code"]) == (503, "upgrade_unfinished")
    assert reply.json["msg"].startswith("POST /pause can be used once no node of the previous version is running")
    assert (await server.call("POST", "/resume")).json == {"paused": False, "paused_at": None}


async def test_each_leaves_a_row_in_the_audit_log_if_it_changes_anything(server):
    for path in ("/resume", "/pause", "/pause", "/resume", "/resume"):
        await server.call("POST", path)
    rows = (await server.call("GET", "/audit")).json["audit"]
    assert [(row["action"], row["kind"], row["by"]["id"]) for row in rows] == [
        ("resume", "server", "local"),
        ("pause", "server", "local"),
    ]
