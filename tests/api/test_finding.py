"""GET /tasks: filters, order, pages, and what is refused."""

from urllib.parse import quote, urlencode

import pytest
from fates import NEAR, OVERLOADED, claim, destination_of, failed_task, run, webhook
from rest_server import HASH, on_one_store

from tasker.filters import FILTERS

pytestmark = pytest.mark.anyio

NOBODY = "019bbade-01c6-7d11-821f-bc1538901f12"


async def find(server, **words):
    """The answer to a query."""
    reply = await server.call("GET", f"/tasks?{urlencode(words, doseq=True)}")
    assert reply.status == 200, reply
    assert reply.headers["cache-control"] == "no-store"
    return reply.json


async def found(server, **words):
    """The ids that are found, by following next."""
    ids, path = [], f"/tasks?{urlencode(words, doseq=True)}"
    while path is not None:
        reply = await server.call("GET", path)
        assert reply.status == 200, reply
        ids += [task["id"] for each in reply.json["tasks"] for task in each.values()]
        link = reply.headers.get("link")
        path = reply.json["next"]
        assert link == (None if path is None else f'<{path}>; rel="next"')
    return ids


async def test_nothing_is_found_where_nothing_is(server):
    assert await find(server) == {"tasks": [], "next": None}


async def test_a_task_is_shown_under_its_type_as_a_list_shows_it(server):
    await server.new(webhook(url="http://me:secret@localhost:9000/", headers={"x-key": "secret"}))
    (listed,) = (await server.call("GET", "/tasks/state/todo")).json
    assert (await find(server))["tasks"] == [listed]
    assert listed["webhook"]["headers"] == {"x-key": "***"}
    assert "secret" not in str(listed)


async def test_filters_combine_and_several_tags_mean_all_and_several_states_any(server):
    both = await server.new(webhook(tags=["customer:42", "a&b=c"]))
    one = await server.new(webhook(tags=["customer:42"]))
    await server.new(webhook())
    assert await found(server, tag="customer:42") == server.in_order_of_arrival([both, one])
    assert await found(server, tag=["customer:42", "a&b=c"]) == [both]
    assert (await server.call("POST", f"/tasks/{one}/cancel")).status == 200
    assert await found(server, tag="customer:42", state="cancelled") == [one]
    assert await found(server, tag="customer:42", state=["todo", "cancelled"]) == server.in_order_of_arrival(
        [both, one]
    )
    assert await found(server, tag="customer:42", type="hash") == []


async def test_what_failed_is_found_by_its_error_its_destination_and_its_end(server):
    failed = await failed_task(server)
    other = await server.new()
    assert await found(server, error="status_500") == [failed]
    assert await found(server, error="timeout") == []
    for destination in ("http://localhost:9000", (await destination_of(server, failed))["id"]):
        assert await found(server, destination=destination) == [failed]
    assert await found(server, sort="-ended") == [failed]
    assert await found(server, ended_after="2027-01-15T09:00:10+01:00") == [failed]
    assert await found(server, ended_before="2027-01-15T09:00:10+01:00") == []
    assert await found(server, due_after="2027-01-15T08:00:10.000001Z") == [other]


async def test_callbacks_are_found_by_what_they_tell_of(server):
    told = await server.new(webhook(on_cancel="http://localhost:9000/cancelled"))
    assert (await server.call("POST", f"/tasks/{told}/cancel")).status == 200
    (callback,) = await found(server, parent=told)
    assert callback != told
    assert await found(server, parent=NOBODY) == []


async def test_why_a_task_does_not_run_is_found_as_it_is_explained(server):
    waiting, retrying = await server.new(HASH), await server.new(webhook())
    await server.clock.step(NEAR)
    await run(server, OVERLOADED)
    due = await server.new({"webhook": {"delay": 0, "url": "http://localhost:9001", "body": "x"}})
    for task_id, reason in [(waiting, "waiting"), (retrying, "retrying"), (due, "due")]:
        assert (await server.call("GET", f"/tasks/{task_id}/explain")).json["reason"] == reason
        assert await found(server, reason=reason) == [task_id]
    destination = await destination_of(server, due)
    assert (await server.call("POST", f"/destinations/{destination['id']}/pause")).status == 200
    assert await found(server, reason="paused") == [due]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_pages_follow_each_other_by_next(server, limit):
    ids = [await server.new(webhook(tags=["a"])) for _ in range(5)]
    ordered = server.in_order_of_arrival(ids)
    assert await found(server, limit=limit) == ordered
    assert await found(server, limit=limit, tag="a", sort="-created") == ordered[::-1]
    first = await find(server, limit=limit)
    assert len(first["tasks"]) == min(limit, 5)
    assert (first["next"] is None) == (limit > 5)


async def test_a_page_has_a_hundred_tasks_if_no_limit_is_given(server):
    for _ in range(101):
        await server.new()
    assert len((await find(server))["tasks"]) == 100
    assert len((await find(server, limit=1000))["tasks"]) == 101


async def test_a_summary_leaves_out_bodies_and_results(server):
    await server.new(webhook(tags=["body"]))
    await server.new({"webhook": {"delay": "1d", "url": "http://localhost:9000", "json": {"a": 1}}})
    summaries = [task["webhook"] for task in (await find(server, fields="summary"))["tasks"]]
    whole = [task["webhook"] for task in (await find(server))["tasks"]]
    for summary, task in zip(summaries, whole, strict=True):
        assert summary == {name: value for name, value in task.items() if name not in ("body", "json")}
        assert summary != task


async def test_a_count_is_of_all_pages(server):
    for _ in range(5):
        await server.new()
    assert (await find(server, count="capped", limit=2))["count"] == 5
    assert "count" not in await find(server)


async def test_a_count_says_that_it_has_stopped(server, monkeypatch):
    for _ in range(5):
        await server.new()
    monkeypatch.setattr("tasker.stores.finding.MOST_LOOKED_AT", 3)
    assert (await find(server, count="capped"))["count"] == {"at_least": 3}


async def test_a_cursor_of_other_filters_or_another_order_is_refused(server):
    for _ in range(3):
        await server.new()
    cursor = (await find(server, limit=1))["next"].partition("cursor=")[2]
    assert await server.refused("GET", f"/tasks?limit=1&sort=-due&cursor={cursor}") == (
        "cursor: expected the same filters and sort as on the page that it comes from"
    )
    await server.refused("GET", f"/tasks?state=todo&cursor={cursor}")
    assert len((await find(server, cursor=cursor, limit=7, fields="summary"))["tasks"]) == 2


@pytest.mark.parametrize("cursor", ["", "x", "%00", "AAAA", "AAAAAAAAAAAA", "é", "A" * 1001, "....", "17.1"])
async def test_a_cursor_that_comes_from_no_page_is_refused(server, cursor):
    await server.new()
    text = await server.refused("GET", f"/tasks?cursor={quote(cursor, safe='%')}")
    assert text.startswith("cursor: expected the ")


@on_one_store
@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("colour=red", "colour: unknown here; expected state, type, tag"),
        ("state=open", "state: expected one of todo, in_progress, done, failed, cancelled, got: 'open'"),
        ("state=", "state: expected one of"),
        ("type=mail", "type: expected one of webhook, hash, job, got: 'mail'; or, for what workers pull, queue=type:m"),
        ("type=my%20mail", "type: expected one of webhook, hash, job, got: 'my mail'"),
        ("type=hash&type=webhook", "type: expected one value, got 2"),
        ("tag=", "tag: expected 1 to 100 characters, got 0"),
        ("tag=" + "x" * 101, "tag: expected 1 to 100 characters, got 101"),
        ("&".join(f"tag={n}" for n in range(21)), "tag: expected at most 20, got 21"),
        ("tag=%00", "tag: expected a text without the character U+0000"),
        ("key=", "key: expected 1 to 255 characters, got 0"),
        ("key_prefix=" + "x" * 256, "key_prefix: expected 1 to 255 characters, got 256"),
        ("destination=", "destination: expected a text that is not empty"),
        ("error=", "error: expected a text that is not empty"),
        ("parent=17", "parent: expected a UUID, got: '17'"),
        ("reason=running", "reason: expected one of waiting, retrying, "),
        ("due_after=tomorrow", "due_after: expected an RFC 3339 time with an offset"),
        ("due_after=2026-01-01T00:00:00", "due_after: expected an offset at the end"),
        ("ended_before=1800000000", "ended_before: expected an RFC 3339 time"),
        ("sort=name", "sort: expected one of due, -due, ended, -ended, created, -created, got: 'name'"),
        ("sort=due&tag=a", "sort: expected created or -created together with tag, got: due"),
        ("sort=-ended&key=a", "sort: expected created or -created together with key, got: -ended"),
        ("sort=created&sort=created", "sort: expected one value, got 2"),
        ("limit=0", "limit: expected a whole number from 1 to 1000"),
        ("limit=1001", "limit: expected a whole number from 1 to 1000"),
        ("fields=all", "fields: expected summary, got: 'all'"),
        ("count=exact", "count: expected capped, got: 'exact'"),
    ],
)
async def test_a_query_that_cannot_be_used_is_refused_by_name(server, query, text):
    assert (await server.refused("GET", f"/tasks?{query}")).startswith(text)


async def test_every_filter_may_be_given_together(server):
    words = {each.name: ["2026-01-01T00:00:00Z"] for each in FILTERS if each.name.endswith(("_after", "_before"))}
    words |= {"state": ["todo"], "type": ["hash"], "tag": ["a"], "key": ["a"], "key_prefix": ["a"]}
    words |= {
        "destination": ["a"],
        "group": ["a"],
        "queue": ["a"],
        "error": ["a"],
        "reason": ["full"],
        "parent": [NOBODY],
        "schedule": ["a"],
    }
    words |= {"fingerprint": ["55e8b44ee5b1ce7c"]}
    assert words.keys() == {each.name for each in FILTERS}
    assert await found(server, **words) == []


async def test_what_is_running_is_found(server):
    task_id = await server.new(webhook())
    await server.clock.step(NEAR)
    await claim(server)
    assert await found(server, state="in_progress") == [task_id]
