"""GET /inbox, POST /inbox/{id}/retry and DELETE /inbox/{id}, on a database whose inbox has rows and on one without."""

import json

import pytest
from rest_server import running

from tasker.api.new_task import NewTaskDecoder
from tasker.ids import new_id

pytestmark = pytest.mark.anyio

on_postgres = pytest.mark.parametrize("on_store", ["postgres"], indirect=True)
on_sqlite = pytest.mark.parametrize("on_store", ["sqlite"], indirect=True)

NOBODY = "019bbade-01c6-7d11-821f-bc1538901f12"
ADMIN, GRAFANA, METRICS = "key-of-admin", "key-of-grafana", "key-of-metrics"
KEYS = {"api_keys": (ADMIN, f"{GRAFANA} read", f"{METRICS} metrics")}


def bearer(key):
    return {"authorization": f"Bearer {key}"}


async def insert(server, number, **members):
    """Write a row as an application does; of a webhook to nowhere, so that it is refused. Return its id."""
    row_id = new_id(server.clock.now() + number)
    request = {"webhook": {"url": "ftp://localhost/", "body": "secret", "delay": 60, **members}}
    await server.clock.connection.execute(
        "INSERT INTO tasker_inbox (id, request) VALUES ($1, $2::text::jsonb)", row_id, json.dumps(request)
    )
    return row_id


async def take(server):
    await server.service.inbox.take(None, 100, decode=NewTaskDecoder(server.registry).decode, largest=1_000)


@on_postgres
async def test_rows_are_listed_page_by_page_with_their_errors(server):
    refused = [await insert(server, number) for number in range(3)]
    await take(server)
    waiting = await insert(server, 3)

    first = await server.call("GET", "/inbox?limit=3")
    rows = first.json["inbox"]
    assert [row["id"] for row in rows] == refused
    assert {row["state"] for row in rows} == {"refused"}
    assert rows[0]["error"].startswith("webhook.url: expected")
    assert rows[0]["request"]["webhook"]["body"] == "secret"
    assert first.headers["link"] == f'<{first.json["next"]}>; rel="next"'

    second = (await server.call("GET", first.json["next"])).json
    assert [(row["id"], row["state"], row["error"]) for row in second["inbox"]] == [(waiting, "waiting", None)]
    assert second["next"] is None


@on_postgres
async def test_requests_are_for_those_who_may_see_secrets_and_the_rest_for_readers():
    async with running(**KEYS) as server:
        await insert(server, 0)
        await take(server)

        (mine,) = (await server.call("GET", "/inbox", headers=bearer(ADMIN))).json["inbox"]
        (theirs,) = (await server.call("GET", "/inbox", headers=bearer(GRAFANA))).json["inbox"]

        assert "request" in mine
        assert theirs == {name: value for name, value in mine.items() if name != "request"}
        assert (await server.call("GET", "/inbox", headers=bearer(METRICS))).status == 403
        for method, path in (("DELETE", "/inbox/{}"), ("POST", "/inbox/{}/retry")):
            reply = await server.call(method, path.format(mine["id"]), headers=bearer(GRAFANA))
            assert reply.status == 403


@on_postgres
async def test_a_row_is_tried_again_and_deleted_and_the_audit_log_says_so(server):
    row_id = await insert(server, 0)
    await take(server)

    assert (await server.call("POST", f"/inbox/{row_id.upper()}/retry")).status == 204
    assert (await server.call("POST", f"/inbox/{row_id}/retry")).status == 204  # which changes nothing
    (row,) = (await server.call("GET", "/inbox")).json["inbox"]
    assert row["state"] == "waiting"
    assert (await server.call("DELETE", f"/inbox/{row_id}")).status == 204

    assert (await server.call("GET", "/inbox")).json == {"inbox": [], "next": None}
    log = (await server.call("GET", "/audit?kind=inbox")).json["audit"]
    assert [(line["action"], line["subject"]) for line in log] == [("delete", row_id), ("retry", row_id)]


@pytest.mark.parametrize("on_store", ["sqlite", "postgres"], indirect=True)
@pytest.mark.parametrize("row_id", [NOBODY, "nobody"])
async def test_a_row_that_is_not_there_is_said_to_be_missing(server, row_id):
    for method, path in (("DELETE", f"/inbox/{row_id}"), ("POST", f"/inbox/{row_id}/retry")):
        problem = await server.refused(method, path, status=404)
        assert row_id in problem


@on_postgres
async def test_a_cursor_that_is_none_is_refused(server):
    assert "cursor" in await server.refused("GET", "/inbox?cursor=nobody")


@on_sqlite
async def test_without_postgresql_the_list_is_empty(server):
    assert (await server.call("GET", "/inbox")).json == {"inbox": [], "next": None}
    assert "tasker_inbox_rows{" not in (await server.call("GET", "/metrics")).body.decode()


@on_postgres
async def test_the_metrics_count_what_stands_there_and_what_was_taken(server):
    await insert(server, 0)
    await insert(server, 1, url="http://localhost:9000/")
    await take(server)
    await insert(server, 2)

    metrics = (await server.call("GET", "/metrics")).body.decode()

    assert 'tasker_inbox_rows{scope="store",state="refused"} 1.0' in metrics
    assert 'tasker_inbox_rows{scope="store",state="waiting"} 1.0' in metrics
    assert 'tasker_inbox_taken_total{outcome="created"} 1.0' in metrics
    assert 'tasker_inbox_taken_total{outcome="refused"} 1.0' in metrics
