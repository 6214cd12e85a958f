"""What is to be done again and again, over HTTP."""

import contextlib
import json
from datetime import timedelta

import anyio
import pytest
from fates import DONE, run
from rest_server import LATER

from tasker.event_filters import Interest
from tasker.model import instants, schedule, zones
from tasker.wire.fields import RequestFields

pytestmark = pytest.mark.anyio

SECRET = {"authorization": "Bearer geheim"}
WEBHOOK = {"webhook": {"url": "http://localhost:9000/hook", "body": "x"}}
DAILY = {"cron": "0 9 * * MON-FRI", "time_zone": "Europe/Berlin", "task": WEBHOOK}


async def put(server, name="reports", headers=None, **members):
    return await server.call("PUT", f"/schedules/{name}", {**DAILY, **members}, headers=headers)


async def get(server, name="reports"):
    reply = await server.call("GET", f"/schedules/{name}")
    assert reply.status == 200
    return reply.json


async def go_on(server):
    """Have the schedules go on that are to be looked at, as a server does that looks for due tasks."""
    await server.service.schedules._store.claim_due({})
    while (await server.service.schedules._engine.schedules.step()).done:
        pass


async def test_a_schedule_is_put_and_its_next_run_stands_in_the_queue(server):
    reply = await put(server, tags=["nightly"])
    assert reply.status == 201
    view = reply.json
    assert view == await get(server)
    assert (view["name"], view["cron"], view["time_zone"]) == ("reports", "0 9 * * MON-FRI", "Europe/Berlin")
    assert (view["type"], view["paused"], view["tags"]) == ("webhook", False, ["nightly"])
    assert view["task"] == WEBHOOK
    assert view["last_runs"] == []
    assert len(view["next_runs"]) == 10
    first, *others = view["next_runs"]
    assert (first["local_time"][11:], first["note"]) == ("09:00:00", "normal")
    assert view["next_run"] == first["scheduled_for"]
    assert all("task_id" not in each for each in others)

    task = (await server.call("GET", f"/tasks/{first['task_id']}")).json["webhook"]
    assert (task["schedule"], task["scheduled_for"], task["run_kind"]) == ("reports", first["scheduled_for"], "regular")
    assert task["execution_time"].startswith(first["local_time"])
    assert (task["tags"], task["body"]) == (["nightly"], "x")


async def test_a_put_that_says_the_same_changes_nothing(server):
    first = await put(server)
    again = await put(server)
    assert (again.status, again.json) == (200, first.json)
    assert again.headers["etag"] == first.headers["etag"]
    assert len((await server.call("GET", "/audit?subject=reports")).json["audit"]) == 1


async def test_a_change_replaces_the_run_that_stands_in_the_queue(server):
    old = (await put(server)).json["next_runs"][0]
    reply = await put(server, task={"webhook": {"url": "http://localhost:9000/other"}})
    assert reply.status == 200
    new = reply.json["next_runs"][0]
    assert new["scheduled_for"] == old["scheduled_for"]
    assert (await server.call("GET", f"/tasks/{old['task_id']}")).status == 404
    assert (await server.call("GET", f"/tasks/{new['task_id']}")).json["webhook"]["url"].endswith("/other")


async def test_a_change_asks_for_the_revision_that_it_was_made_from(server):
    first = await put(server)
    mine = {"if-match": first.headers["etag"]}
    second = await put(server, headers=mine, jitter="10m")
    assert second.status == 200
    assert second.headers["etag"] != first.headers["etag"]
    assert "due_at" in second.json["next_runs"][0]
    late = await put(server, headers=mine, jitter="20m")
    assert (late.status, late.json["code"]) == (412, "revision_passed")
    assert (await server.call("DELETE", "/schedules/reports", headers=mine)).status == 412
    assert (await put(server, "missing", headers=mine)).status == 412
    now = {"if-match": second.headers["etag"]}
    assert (await server.call("DELETE", "/schedules/reports", headers=now)).status == 204


async def test_the_etag_of_one_that_was_deleted_does_not_come_again(server):
    first = await put(server)
    await server.call("DELETE", "/schedules/reports")
    second = await put(server)
    assert second.headers["etag"] != first.headers["etag"]


async def test_a_run_can_be_called_off_alone_and_the_next_stands(server):
    first, second, *_ = (await put(server)).json["next_runs"]
    assert (await server.call("POST", f"/tasks/{first['task_id']}/cancel")).status == 200
    view = await get(server)
    assert view["next_run"] == view["next_runs"][0]["scheduled_for"] == second["scheduled_for"], "even before it stands"
    await go_on(server)
    view = await get(server)
    assert view["next_run"] == second["scheduled_for"]
    assert "task_id" in view["next_runs"][0]
    assert [run["state"] for run in view["last_runs"]] == ["cancelled"]
    assert view["last_runs"][0]["id"] == first["task_id"]
    assert (await put(server, tags=["t"])).json["next_run"] == second["scheduled_for"], "its time does not come again"


async def test_the_time_of_a_run_that_was_run_early_has_no_other_even_if_that_is_deleted(server):
    first, second, *_ = (await put(server)).json["next_runs"]
    path = f"/tasks/{first['task_id']}"
    assert (await server.call("POST", f"{path}/run")).status == 200
    assert await run(server, DONE) == 1
    assert (await server.call("DELETE", path)).status == 204
    view = (await put(server, tags=["t"])).json
    assert view["next_run"] == second["scheduled_for"]
    assert "task_id" in view["next_runs"][0]


async def test_one_in_a_zone_that_only_other_nodes_know_is_listed_read_paused_and_deleted(server, monkeypatch):
    before = (await put(server)).json
    schedule._recurrence.cache_clear()
    monkeypatch.setattr(zones, "names", lambda: frozenset({"UTC"}))
    (listed,) = (await server.call("GET", "/schedules")).json["schedules"]
    assert (listed["words"], listed["next_run"]) == (before["words"], before["next_run"])
    assert await get(server) == before | {"next_run": None, "next_runs": []}
    await server.clock.step(7 * 86_400)
    with anyio.fail_after(30):  # its time has passed, and this node makes no runs of it
        assert (await server.call("POST", "/schedules/reports/pause")).status == 200
    assert (await server.call("DELETE", "/schedules/reports")).status == 204


async def test_what_needs_a_zone_that_only_other_nodes_know_is_left_to_them(server, monkeypatch):
    await put(server)
    schedule._recurrence.cache_clear()
    monkeypatch.setattr(zones, "names", lambda: frozenset({"UTC"}))
    monkeypatch.setattr(zones, "_meant", dict)
    span = {"from": instants.text(server.clock.now() - 10**12), "to": instants.text(server.clock.now())}
    for way, body in (("resume", None), ("backfill", span)):
        reply = await server.call("POST", f"/schedules/reports/{way}", body)
        assert (reply.status, reply.json["code"], reply.headers["retry-after"]) == (503, "time_zone_unknown", "10")
        assert f"'Europe/Berlin' of the schedule: its tzdata is {zones.VERSION}" in reply.json["msg"]
    for reply in (await put(server), await server.call("POST", "/schedules/preview", DAILY)):
        assert (reply.status, reply.json["field"]) == (400, "time_zone")
        assert f"(those of tzdata {zones.VERSION} are known here), got: 'Europe/Berlin'" in reply.json["msg"]

    (made,) = (await server.call("POST", "/schedules/reports/run")).json["runs"]
    shown = (await server.call("GET", f"/tasks/{made['id']}")).json["webhook"]
    assert shown["execution_time"] == f"{made['scheduled_for'][:19]}{shown['execution_time'][19:-6]}+00:00", "in UTC"
    reply = await put(server, time_zone="UTC")
    assert (reply.status, reply.json["next_runs"][0]["local_time"][11:]) == (200, "09:00:00")


async def test_pause_takes_the_run_out_of_the_queue_and_resume_makes_one(server):
    task_id = (await put(server)).json["next_runs"][0]["task_id"]
    paused = await server.call("POST", "/schedules/reports/pause")
    assert (paused.status, paused.json["paused"]) == (200, True)
    assert (paused.json["next_run"], paused.json["next_runs"]) == (None, [])
    assert (await server.call("GET", f"/tasks/{task_id}")).status == 404
    again = await server.call("POST", "/schedules/reports/pause")
    assert again.headers["etag"] == paused.headers["etag"]
    assert (await put(server, tags=["t"])).json["paused"] is True, "a put that does not say so leaves it paused"

    resumed = await server.call("POST", "/schedules/reports/resume")
    assert (resumed.status, resumed.json["paused"]) == (200, False)
    assert "task_id" in resumed.json["next_runs"][0]
    assert (await put(server, paused=True)).json["next_runs"] == []
    assert len((await put(server, paused=False)).json["next_runs"]) == 10


async def test_a_deleted_schedule_takes_its_run_along(server):
    task_id = (await put(server)).json["next_runs"][0]["task_id"]
    assert (await server.call("DELETE", "/schedules/reports")).status == 204
    for method, path in (
        ("GET", "/schedules/reports"),
        ("DELETE", "/schedules/reports"),
        ("POST", "/schedules/reports/pause"),
        ("POST", "/schedules/reports/resume"),
    ):
        reply = await server.call(method, path)
        assert (reply.status, reply.json["code"]) == (404, "schedule_not_found")
    assert (await server.call("GET", f"/tasks/{task_id}")).status == 404


async def test_schedules_are_listed_a_page_at_a_time(server):
    for name in ("c", "a", "b"):
        await put(server, name)
    first = await server.call("GET", "/schedules?limit=2")
    assert [each["name"] for each in first.json["schedules"]] == ["a", "b"]
    assert "task" not in first.json["schedules"][0]
    assert first.json["schedules"][0]["words"].startswith("At 09:00")
    second = await server.call("GET", first.json["next"])
    assert ([each["name"] for each in second.json["schedules"]], second.json["next"]) == (["c"], None)
    assert (await server.call("GET", "/schedules?cursor=%20")).status == 400


async def test_runs_are_found_by_their_schedule(server):
    await put(server, "a")
    await put(server, "b")
    found = (await server.call("GET", "/tasks?schedule=b")).json["tasks"]
    assert [task["webhook"]["schedule"] for task in found] == ["b"]


async def test_an_interval_is_counted_from_when_it_began_and_keeps_that(server):
    every = {"every": "90m", "task": WEBHOOK}
    reply = await server.call("PUT", "/schedules/e", every)
    assert (reply.status, reply.json["every"]) == (201, "90m")
    created = server.clock.now() // 1_000_000 * 1_000_000
    first, second, *_ = [instants.parse(run["scheduled_for"]) for run in reply.json["next_runs"]]
    assert (first - created, second - first) == (5_400_000_000, 5_400_000_000)
    reply = await server.call("PUT", "/schedules/e", {**every, "every": "1h", "starts_at": LATER})
    assert instants.parse(reply.json["next_run"]) == instants.parse(LATER)
    reply = await server.call("PUT", "/schedules/e", {**every, "every": "1h", "ends_at": "2030-01-01T00:00:00Z"})
    first = instants.parse(reply.json["next_run"])
    assert (instants.parse(LATER) - first) % 3_600_000_000 == 0, "it keeps the moment that it is counted from"


@pytest.mark.parametrize(
    ("members", "field", "says"),
    [
        ({"cron": "61 * * * *"}, "cron", "minute"),
        ({"cron": "0 9 * * MON-FRI", "every": "1h"}, None, "both"),
        ({"cron": None}, "cron", "text"),
        ({"time_zone": "Europe/Bern"}, "time_zone", "time zone"),
        ({"jitter": "2d"}, "jitter", "at most 1d"),
        ({"jitter": "soon"}, "jitter", "90s"),
        ({"starts_at": "tomorrow"}, "starts_at", "RFC 3339"),
        ({"starts_at": LATER, "ends_at": LATER}, "ends_at", "after starts_at"),
        ({"ends_at": "2001-01-01T00:00:00Z"}, "ends_at", "no run would come"),
        ({"ends_at": "2001-01-01T00:00:00Z", "paused": True}, "ends_at", "no run would come"),
        ({"starts_at": "9999-12-31T00:00:00Z"}, "starts_at", "no run would come"),
        ({"tags": ["a\nb"]}, "tags[0]", "printable"),
        ({"paused": "no"}, "paused", "true or false"),
        ({"when": "now"}, "when", "cron"),
        ({"task": {}}, "task", 'named for its task type, such as {"webhook": {"url": ...}}'),
        ({"task": []}, "task", "object"),
        ({"task": {"webhook": {}}}, "task.webhook.url", "missing"),
        ({"task": {"webhook": {"url": "ftp://x/"}}}, "task.webhook.url", "http"),
        ({"task": {"webhook": {"url": "http://x/", "retry": {"factor": 0}}}}, "task.webhook.retry.factor", "1"),
        ({"task": {"mail": {}}}, "task.mail", "webhook"),
        *(
            ({"task": {"webhook": {"url": "http://x/", member: "x"}}}, f"task.webhook.{member}", "no such member")
            for member in RequestFields.__struct_encode_fields__
        ),
        ({"task": {"webhook": {"url": "http://x/", "expires_at": LATER}}}, "task.webhook.expires_at", "90s"),
        ({"task": {"webhook": {"url": "http://x/", "expires_at": 0}}}, "task.webhook.expires_at", "more than 0"),
        (
            {"task": {"webhook": {"url": "http://x/", "headers": {"a": "***"}}}},
            "task.webhook.headers.a",
            "value itself",
        ),
    ],
)
async def test_what_cannot_be_a_schedule_is_refused_by_the_name_of_its_member(server, members, field, says):
    reply = await put(server, **members)
    assert reply.status == 400
    assert reply.json.get("field") == field
    assert says in reply.json["msg"]
    assert (await server.call("GET", "/schedules")).json["schedules"] == []


async def test_an_end_before_the_first_time_is_refused_and_one_after_it_is_not(server):
    first = (await server.call("POST", "/schedules/preview", DAILY)).json["runs"][0]["scheduled_for"]
    for path, method in (("/schedules/preview", "POST"), ("/schedules/reports", "PUT")):
        reply = await server.call(method, path, DAILY | {"ends_at": first})
        assert (reply.status, reply.json["field"]) == (400, "ends_at")
        assert f"expected a time after the next one of the schedule, {first}, got: {first}" in reply.json["msg"]
    reply = await put(server, ends_at=f"{first[:-2]}1Z")
    assert (reply.status, reply.json["next_run"]) == (201, first)


async def test_a_schedule_that_has_ended_may_be_put_again_and_changed_but_gets_no_other_end_that_has_passed(server):
    first = await put(server, ends_at=LATER)
    etag = {"if-match": first.headers["etag"]}
    await server.clock.step(100 * 366 * 86_400)
    await go_on(server)
    again = await put(server, ends_at=LATER)
    assert (again.status, again.json["next_run"]) == (200, None)
    assert again.headers["etag"] == first.headers["etag"], "nothing was written"
    changed = await put(server, ends_at=LATER, tags=["t"], headers=etag)
    assert (changed.status, changed.json["next_run"], changed.json["tags"]) == (200, None, ["t"])
    assert (await put(server, ends_at="2101-01-01T00:00:00Z", headers=etag)).status == 412, "that comes first"
    reply = await put(server, ends_at="2101-01-01T00:00:00Z")
    assert (reply.status, reply.json["field"]) == (400, "ends_at")
    assert (await get(server))["ends_at"] == instants.text(instants.parse(LATER))
    assert (await put(server, ends_at="3000-01-01T00:00:00Z")).json["next_runs"], "it goes on"


@pytest.mark.parametrize("name", [".a", "a b", "a" * 101, "%C3%A4", "preview", "a%2Fb"])
async def test_a_name_that_cannot_be_one_is_refused(server, name):
    reply = await server.call("PUT", f"/schedules/{name}", DAILY)
    assert reply.status in (400, 405)


async def test_cron_needs_a_time_zone_and_an_interval_none(server):
    reply = await server.call("PUT", "/schedules/a", {"cron": "@daily", "task": WEBHOOK})
    assert (reply.status, reply.json["field"]) == (400, "time_zone")
    assert (await server.call("PUT", "/schedules/a", {"every": 60, "task": WEBHOOK})).status == 201


async def test_a_run_expires_so_long_after_its_time(server):
    task = {"webhook": {"url": "http://localhost:9000/", "expires_at": "30m"}}
    view = (await put(server, task=task)).json
    assert view["task"]["webhook"]["expires_at"] == "30m"
    run = (await server.call("GET", f"/tasks/{view['next_runs'][0]['task_id']}")).json["webhook"]
    assert instants.parse(run["expires_at"]) - instants.parse(run["execution_time"]) == 1_800_000_000


async def test_any_type_can_be_done_again_and_again_and_secrets_are_shown_to_few(server):
    await server.call("PUT", "/schedules/h", {"every": "1h", "task": {"hash": {"secret": "geheim"}}})
    view = await get(server, "h")
    assert view["task"] == {"hash": {"secret": "geheim"}}
    task = {"webhook": {"url": "http://localhost:9000/", "headers": SECRET}}
    await put(server, task=task)
    audit = json.dumps((await server.call("GET", "/audit")).json)
    assert "task.webhook.headers" in audit
    assert "geheim" not in audit


async def test_what_was_done_to_a_schedule_is_in_the_audit_log(server):
    await put(server)
    await put(server, tags=["t"])
    await server.call("POST", "/schedules/reports/pause")
    await server.call("POST", "/schedules/reports/resume")
    await server.call("DELETE", "/schedules/reports")
    rows = (await server.call("GET", "/audit?kind=schedule")).json["audit"]
    assert [row["action"] for row in rows] == ["delete", "resume", "pause", "change", "create"]
    assert {row["subject"] for row in rows} == {"reports"}
    assert rows[3]["changes"] == {"tags": {"after": ["t"]}}


@pytest.mark.parametrize(
    ("missed", "runs", "missed_times"),
    [
        ("once", [("0:00:00", 3)], 2),
        ("all", [("0:00:00", None), ("1:00:00", 1), ("2:00:00", 1)], 0),
        ("none", [("0:00:00", None)], 2),
    ],
)
@pytest.mark.parametrize("way", ["put", "pause", "resume"])
async def test_what_was_missed_is_made_up_for_before_a_change_is_made(server, missed, runs, missed_times, way):
    asked = {"every": "1h", "missed": missed, "overlap": "allow", "task": WEBHOOK}
    await server.call("PUT", "/schedules/e", asked)
    first = instants.parse((await get(server, "e"))["next_run"])
    await server.clock.step(3.5 * 3_600)
    if way == "put":
        reply = await server.call("PUT", "/schedules/e", {**asked, "every": "2h"})
    else:
        reply = await server.call("POST", f"/schedules/e/{way}")
    found = [
        (str(timedelta(microseconds=instants.parse(run["scheduled_for"]) - first)), run.get("missed"))
        for run in reversed(reply.json["last_runs"])
    ]
    assert (found, reply.json["missed_times"]) == (runs, missed_times), "what stood in the queue is decided of later"


async def test_years_without_a_server_hold_up_no_change(server, monkeypatch):
    await server.call("PUT", "/schedules/e", {"every": "1s", "missed_within": "366d", "task": WEBHOOK})
    await server.clock.step(3 * 366 * 86_400)
    store = server.service.schedules._store
    steps, advance = [], store.advance_schedules
    monkeypatch.setattr(store, "advance_schedules", lambda advances: steps.append(advances) or advance(advances))
    view = (await server.call("POST", "/schedules/e/pause")).json
    assert (len(steps), view["paused"]) == (1, True)
    (run,) = [run for run in view["last_runs"] if "missed" in run]
    assert run["missed"] == 366 * 86_400


def bearer(reply):
    return {"authorization": f"Bearer {reply.json['key']}"}


async def test_who_may_not_see_secrets_sees_none_and_cannot_put_back_what_stands_for_them(server):
    admin = bearer(await server.call("POST", "/keys", {"name": "a", "role": "admin"}))
    write = bearer(await server.call("POST", "/keys", {"name": "w", "role": "write"}, admin))
    read = bearer(await server.call("POST", "/keys", {"name": "r", "role": "read"}, admin))
    task = {"webhook": {"url": "http://localhost:9000/", "headers": SECRET}}
    first = await put(server, headers=write, task=task)
    assert first.status == 201
    assert b"geheim" not in first.body
    assert first.json["task"]["webhook"]["headers"] == {"authorization": "***"}
    assert first.json["put_by"]["name"] == "w"
    seen = await server.call("GET", "/schedules/reports", headers=admin)
    assert seen.json["task"] == task
    assert seen.headers["etag"] != first.headers["etag"]
    assert b"geheim" not in (await server.call("GET", "/schedules", headers=admin)).body

    back = await put(server, headers=write, task=first.json["task"])
    assert (back.status, back.json["code"], back.json["field"]) == (
        400,
        "masked_value",
        "task.webhook.headers.authorization",
    )
    assert (await put(server, headers={**write, "if-match": first.headers["etag"]}, task=task)).status == 200
    assert (await put(server, headers=read, task=task)).status == 403
    run = seen.json["next_runs"][0]["task_id"]
    assert (await server.call("GET", f"/tasks/{run}", headers=read)).json["webhook"]["created_by"]["name"] == "w"


async def test_readers_of_events_are_told_of_a_schedule_and_of_its_runs(server):
    engine = server.service.schedules._engine
    told = []
    with contextlib.ExitStack() as leaving:
        reader = engine.events.join(Interest(), is_signals=False, push=lambda _: False, cut=lambda: None)
        leaving.callback(reader.leave)
        note = engine.events._note
        engine.events._note = lambda event: (told.append(event), note(event))
        await put(server)
        await put(server, jitter="5m")
        await server.call("POST", "/schedules/reports/pause")
        await server.call("POST", "/schedules/reports/resume")
        await server.call("DELETE", "/schedules/reports")
    assert [(event.kind.value, event.change and event.change.value) for event in told] == [
        ("created", None),
        ("schedule", "created"),
        ("deleted", None),
        ("created", None),
        ("schedule", "patched"),
        ("deleted", None),
        ("schedule", "paused"),
        ("created", None),
        ("schedule", "resumed"),
        ("deleted", None),
        ("schedule", "deleted"),
    ]
    assert {event.schedule for event in told} == {"reports"}, "of the runs, too"


async def test_run_makes_one_now_beside_the_regular_ones(server):
    first = (await put(server)).json["next_runs"][0]
    before = await get(server)
    reply = await server.call("POST", "/schedules/reports/run")
    assert reply.status == 201
    (made,) = reply.json["runs"]
    task = (await server.call("GET", f"/tasks/{made['id']}")).json["webhook"]
    assert (task["schedule"], task["run_kind"], task["scheduled_for"]) == ("reports", "manual", made["scheduled_for"])
    assert instants.parse(task["execution_time"]) == instants.parse(made["scheduled_for"])
    after = await get(server)
    assert after["next_runs"][0] == first
    assert [run["kind"] for run in after["last_runs"]] == ["manual"]
    assert (after["changed_at"], after["next_run"]) == (before["changed_at"], before["next_run"])
    assert (await server.call("POST", "/schedules/missing/run")).json["code"] == "schedule_not_found"


async def test_backfill_makes_the_runs_of_the_past_due_now_and_as_often_as_it_is_asked(server):
    await put(server, cron="@daily", time_zone="UTC", paused=True)
    span = {"from": "2020-03-01T00:00:00Z", "to": "2020-03-04T02:00:00+02:00"}
    for _ in range(2):
        reply = await server.call("POST", "/schedules/reports/backfill", span)
        assert reply.status == 201
        assert [run["scheduled_for"][:10] for run in reply.json["runs"]] == ["2020-03-01", "2020-03-02", "2020-03-03"]
    tasks = (await server.call("GET", "/tasks?schedule=reports")).json["tasks"]
    assert {task["webhook"]["run_kind"] for task in tasks} == {"backfill"}
    assert len({task["webhook"]["id"] for task in tasks}) == 6
    assert all(task["webhook"]["execution_time"] > "2020-03-05" for task in tasks), "they are due now"
    rows = (await server.call("GET", "/audit?subject=reports")).json["audit"]
    assert [row["action"] for row in rows][:2] == ["backfill", "backfill"]
    assert rows[0]["changes"]["runs"] == {"after": 3}


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"from": "soon"}, "from"),
        ({"to": "2020-03-01T00:00:00Z"}, "to"),
        ({"to": LATER}, "to"),
        ({"to": "2020-03-01T16:41:00Z"}, "to"),
        ({"until": "2020-03-02T00:00:00Z"}, "until"),
    ],
)
async def test_a_backfill_that_cannot_be_is_refused_by_its_field(server, members, field):
    await put(server, cron="* * * * *", time_zone="UTC")
    span = {"from": "2020-03-01T00:00:00Z", "to": "2020-03-01T16:40:00Z"}
    reply = await server.call("POST", "/schedules/reports/backfill", {**span, **members})
    assert (reply.status, reply.json["field"]) == (400, field)
    assert (await get(server))["last_runs"] == []
    assert len((await server.call("POST", "/schedules/reports/backfill", span)).json["runs"]) == 1_000


async def test_an_asked_for_run_is_made_once_with_an_idempotency_key(server):
    await put(server)
    headers = {"idempotency-key": "k"}
    first, again = [await server.call("POST", "/schedules/reports/run", headers=headers) for _ in range(2)]
    assert first.json == again.json
    assert again.headers["idempotency-replayed"] == "true"
    assert len((await get(server))["last_runs"]) == 1


async def test_a_job_that_workers_pull_can_be_done_again_and_again(server):
    task = {"job": {"queue": "reports", "json": {"a": 1}}}
    view = (await server.call("PUT", "/schedules/j", {"every": "1h", "task": task})).json
    assert view["task"] == task
    for number in (0, 1):
        await server.clock.step(3_600)
        await go_on(server)
        (job,) = (await server.call("POST", "/queues/reports/claim", {"max": 5, "wait": 0})).json["jobs"]
        assert (job["json"], number == 0) == ({"a": 1}, job["id"] == view["next_runs"][0]["task_id"])


async def test_what_is_said_of_overlap_and_of_how_many_there_are_is_shown(server):
    first = (await put(server)).json
    assert (first["overlap"], first["started"], first["skipped"]) == ("skip", 0, 0)
    assert "max_runs" not in first
    view = (await put(server, overlap="queue", max_runs=3)).json
    assert (view["overlap"], view["max_runs"]) == ("queue", 3)
    assert view["next_run"] == first["next_run"]
    for members, field in (({"overlap": "never"}, "overlap"), ({"max_runs": 0}, "max_runs")):
        refused = await put(server, **members)
        assert (refused.status, refused.json["field"]) == (400, field)


async def test_what_is_said_of_missed_times_is_shown(server):
    first = (await put(server)).json
    assert (first["missed"], first["missed_within"], first["missed_times"]) == ("once", "1d", 0)
    view = (await put(server, missed="all", missed_within="90m")).json
    assert (view["missed"], view["missed_within"], view["next_run"]) == ("all", "90m", first["next_run"])
    (record, _) = (await server.call("GET", "/audit?subject=reports")).json["audit"]
    assert record["changes"]["missed"] == {"before": "once", "after": "all"}
    for members, field in (
        ({"missed": "twice"}, "missed"),
        ({"missed_within": 0}, "missed_within"),
        ({"missed_within": "367d"}, "missed_within"),
        ({"missed_within": "soon"}, "missed_within"),
    ):
        for refused in (
            await put(server, **members),
            await server.call("POST", "/schedules/preview", {**DAILY, **members}),
        ):
            assert (refused.status, refused.json["field"]) == (400, field)


async def test_a_run_that_was_missed_says_so(server):
    await put(server, cron="* * * * *", missed="none")
    store = server.service.schedules._store
    await store.claim_due({})
    await server.clock.step(90)
    await go_on(server)
    (attempt,) = (await store.claim_due({1: 1})).attempts
    await store.admit([attempt])
    task = (await server.call("GET", f"/tasks/{attempt.task_id}")).json["webhook"]
    assert (task["state"], task["left_out"], "missed" in task) == ("cancelled", "missed", False)
    said = (await server.call("GET", f"/tasks/{attempt.task_id}/explain")).json
    assert "no server was up when it was due" in said["msg"]
    assert (await get(server))["missed_times"] == 1

    await put(server, cron="* * * * *", missed="once")
    await server.clock.step(600)
    await go_on(server)
    (attempt,) = (await store.claim_due({1: 1})).attempts
    await store.admit([attempt])
    task = (await server.call("GET", f"/tasks/{attempt.task_id}")).json["webhook"]
    assert task["missed"] == 10
    assert (await get(server))["last_runs"][0]["missed"] == 10


async def test_a_run_that_was_left_out_says_so(server):
    await put(server, cron="* * * * *")
    made = [(await server.call("POST", "/schedules/reports/run")).json["runs"][0]["id"] for _ in range(2)]
    store = server.service.schedules._store
    first, second = (await store.claim_due({1: 100})).attempts
    assert [first.task_id, second.task_id] == made
    assert [each.admission.word for each in await store.admit([first, second])] == ["started", "behind"]
    waits = (await server.call("GET", f"/tasks/{second.task_id}/explain")).json
    assert waits["reason"] == "overlap"
    assert "reports" in waits["msg"]
    assert (await server.call("GET", "/tasks?reason=full")).json["tasks"] == []


async def test_of_jobs_that_workers_claim_nothing_is_said_of_overlap(server):
    job = {"job": {"queue": "reports", "json": {}}}
    assert (await put(server, task=job)).json["overlap"] == "allow"
    assert (await put(server, task=job, overlap="allow")).status == 200
    for members in ({"overlap": "skip"}, {"max_runs": 3}):
        refused = await put(server, task=job, **members)
        assert (refused.status, refused.json["field"]) == (400, *members)
