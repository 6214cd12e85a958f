"""A task whose time is said by the clocks of a zone."""

import pytest
from rest_server import WEBHOOK

from tasker.model import instants, zones
from tasker.wire.tasks import TimeNoteWord

pytestmark = pytest.mark.anyio

GAP = {"local_time": "2127-03-30T02:30:00", "time_zone": "Europe/Berlin"}
TWICE = {"local_time": "2127-10-26T02:30:00", "time_zone": "Europe/Berlin"}
ONCE = {"local_time": "2127-06-01T09:00:00", "time_zone": "America/New_York"}
MOMENTS = {
    "normal": (ONCE, "2127-06-01T13:00:00.000000Z", "2127-06-01T09:00:00-04:00"),
    "moved_by_gap": (GAP, "2127-03-30T01:00:00.000000Z", "2127-03-30T03:00:00+02:00"),
    "first_of_two": (TWICE, "2127-10-26T00:30:00.000000Z", "2127-10-26T02:30:00+02:00"),
}


def a_hash(**when):
    return {"hash": {"secret": "s", **when}}


def a_webhook(**members):
    return {"webhook": {"url": "http://localhost:9000/hook", **members}}


async def shown(server, task_id):
    ((_, task),) = (await server.call("GET", f"/tasks/{task_id}")).json.items()
    return task


def times(task):
    return {name: task[name] for name in ("execution_time", "local_time", "time_zone", "time_note") if name in task}


@pytest.mark.parametrize("new", [a_hash, a_webhook])
@pytest.mark.parametrize("note", MOMENTS)
async def test_a_task_at_a_local_time_says_the_moment_and_what_is_special_about_it(server, new, note):
    when, moment, text = MOMENTS[note]
    reply = await server.call("POST", "/tasks/new", new(**when))
    assert reply.status == 201
    task_id = reply.json["id"]
    assert reply.json == {"id": task_id, "execution_time": moment, "time_note": note}
    assert times(await shown(server, task_id)) == {"execution_time": text, "time_note": note, **when}
    stored = await server.store.get(task_id)
    assert (instants.text(stored.due_at), stored.zones) == (moment, zones.VERSION)
    lists = await server.call("GET", f"/tasks/type/{'hash' if new is a_hash else 'webhook'}")
    assert times(lists.json[0])["time_note"] == note


async def test_a_plain_task_is_answered_and_shown_as_before(server):
    reply = await server.call("POST", "/tasks/new", WEBHOOK)
    assert reply.json.keys() == {"id"}
    assert times(await shown(server, reply.json["id"])) == {"execution_time": WEBHOOK["webhook"]["execution_time"]}


async def test_with_a_key_the_answer_has_all_of_it(server):
    for outcome in ("created", "replaced", "kept"):
        on_conflict = "keep" if outcome == "kept" else "replace"
        reply = await server.call("POST", "/tasks/new", a_hash(key="k", on_conflict=on_conflict, **GAP))
        assert (reply.json["time_note"], reply.json["outcome"]) == ("moved_by_gap", outcome)


async def test_a_key_that_keeps_a_task_of_another_time_says_nothing_of_the_new_one(server):
    await server.new(a_hash(key="k", **ONCE))
    reply = await server.call("POST", "/tasks/new", a_hash(key="k", on_conflict="keep", **GAP))
    assert (reply.json["outcome"], reply.json["execution_time"]) == ("kept", MOMENTS["normal"][1])
    assert "time_note" not in reply.json


async def test_the_answer_to_a_batch_says_it_of_those_that_have_a_local_time(server):
    tasks = [WEBHOOK, a_hash(**GAP), a_hash(delay="1h"), a_webhook(key="k", **TWICE)]
    reply = await server.call("POST", "/tasks/batch", tasks)
    assert [{name: value for name, value in task.items() if name != "id"} for task in reply.json["tasks"]] == [
        {},
        {"execution_time": MOMENTS["moved_by_gap"][1], "time_note": "moved_by_gap"},
        {},
        {"execution_time": MOMENTS["first_of_two"][1], "time_note": "first_of_two", "outcome": "created"},
    ]


LATER = "2126-02-10T16:30:00+01:00"
REFUSED = [
    ({"local_time": GAP["local_time"]}, "time_zone", "expected a value, it is missing: by whose clocks"),
    ({"time_zone": "UTC"}, "local_time", "expected a value, it is missing: time_zone says by whose clocks"),
    ({"time_zone": "UTC", "execution_time": LATER}, "time_zone", "expected time_zone or execution_time, got both"),
    (GAP | {"execution_time": LATER}, "local_time", "expected local_time or execution_time, got both"),
    (GAP | {"delay": 1}, "local_time", "expected local_time or delay, got both"),
    (GAP | {"time_zone": "Berlin"}, "time_zone", "as it is spelled, Europe/Berlin"),
    (GAP | {"local_time": "2127-03-30T02:30:00Z"}, "local_time", "expected no offset"),
    (GAP | {"local_time": 17}, "local_time", "expected text in quotes"),
    (
        GAP | {"local_time": "1999-03-30T02:30:00"},
        "local_time",
        "expected a time in the future, got: '1999-03-30T02:30:00' in Europe/Berlin; here it is",
    ),
    (GAP | {"expires_at": "2127-03-30T01:00:00Z"}, "expires_at", "expected a time after"),
    ({}, "execution_time", "or delay, or local_time, in its place"),
]


@pytest.mark.parametrize(("when", "member", "problem"), REFUSED, ids=str)
async def test_what_is_no_local_time_is_refused_with_what_would_be_right(server, when, member, problem):
    reply = await server.call("POST", "/tasks/new", a_hash(**when))
    assert (reply.status, reply.json["field"]) == (400, f"hash.{member}")
    assert problem in reply.json["msg"]


async def changed(server, task_id, **patch):
    reply = await server.call("PATCH", f"/tasks/{task_id}", {"hash": patch})
    assert reply.status == 200, reply
    return times(reply.json["hash"])


async def test_a_change_gives_a_local_time_another_zone_and_another_kind_of_time(server):
    task_id = await server.new(a_hash(execution_time=LATER))
    assert await changed(server, task_id, **GAP) == {
        "execution_time": MOMENTS["moved_by_gap"][2],
        "time_note": "moved_by_gap",
        **GAP,
    }
    in_utc = GAP | {"time_zone": "UTC"}
    assert await changed(server, task_id, time_zone="UTC") == {
        "execution_time": "2127-03-30T02:30:00+00:00",
        "time_note": "normal",
        **in_utc,
    }
    later = in_utc | {"local_time": "2127-03-30T03:30:00"}
    assert await changed(server, task_id, local_time=later["local_time"]) == {
        "execution_time": "2127-03-30T03:30:00+00:00",
        "time_note": "normal",
        **later,
    }
    assert await changed(server, task_id, tags=["x"]) == await changed(server, task_id, **later)
    assert await changed(server, task_id, execution_time=LATER) == {"execution_time": LATER}


async def test_what_changed_is_in_the_history_of_the_task(server):
    task_id = await server.new(a_hash(**GAP))
    await changed(server, task_id, time_zone="UTC")
    _, change = (await server.call("GET", f"/tasks/{task_id}/history")).json["history"]
    assert change["change"]["changes"]["time_zone"] == {"before": "Europe/Berlin", "after": "UTC"}


@pytest.mark.parametrize(
    ("patch", "member"),
    [
        ({"time_zone": None}, "time_zone"),
        ({"local_time": None}, "local_time"),
        ({"local_time": None, "time_zone": None}, "execution_time"),
        ({"delay": 5, "local_time": "2127-03-30T03:30:00"}, "local_time"),
    ],
    ids=str,
)
async def test_a_change_must_leave_a_whole_time(server, patch, member):
    task_id = await server.new(a_hash(**GAP))
    reply = await server.call("PATCH", f"/tasks/{task_id}", {"hash": patch})
    assert (reply.status, reply.json["field"]) == (400, f"hash.{member}")


async def test_a_plain_task_needs_both_members_to_have_a_local_time(server):
    task_id = await server.new(a_hash(execution_time=LATER))
    reply = await server.call("PATCH", f"/tasks/{task_id}", {"hash": {"local_time": GAP["local_time"]}})
    assert (reply.status, reply.json["field"]) == (400, "hash.time_zone")


async def test_a_task_that_is_run_now_has_no_local_time_any_more(server):
    task_id = await server.new(a_hash(**GAP))
    reply = await server.call("POST", f"/tasks/{task_id}/run", {})
    assert times(reply.json["hash"]).keys() == {"execution_time"}


async def test_another_task_like_one_starts_at_a_local_time(server):
    old = await server.new(a_hash(**ONCE))
    reply = await server.call("POST", f"/tasks/{old}/duplicate", TWICE)
    note = "first_of_two"
    assert reply.json == {"id": reply.json["id"], "execution_time": MOMENTS[note][1], "time_note": note}
    assert times(await shown(server, reply.json["id"])) == {
        "execution_time": MOMENTS[note][2],
        "time_note": note,
        **TWICE,
    }
    plain = (await server.call("POST", f"/tasks/{old}/duplicate", {"execution_time": LATER})).json["id"]
    assert times(await shown(server, plain)) == {"execution_time": LATER}
    refused = await server.call("POST", f"/tasks/{old}/duplicate", TWICE | {"time_zone": "x"})
    assert (refused.status, refused.json["field"]) == (400, "time_zone")


def test_the_words_of_a_note_are_those_of_local_times():
    assert set(TimeNoteWord.__args__) == {note.value for note in zones.TimeNote if note.name != "SECOND_OF_TWO"}
