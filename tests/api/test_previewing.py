"""When a schedule would run."""

import pytest
from rest_server import WEBHOOK

pytestmark = pytest.mark.anyio

BERLIN = {"cron": "30 2 * * *", "time_zone": "Europe/Berlin"}
TASK = {"webhook": {"url": "http://localhost:9000/hook", "expires_at": "30m"}}


async def preview(server, **members):
    reply = await server.call("POST", "/schedules/preview", members)
    assert reply.status == 200, reply
    return reply.json


async def test_the_next_times_are_shown_in_utc_and_by_the_clock_with_what_is_special(server):
    shown = await preview(server, **BERLIN, starts_at="2127-10-25T00:00:00Z", ends_at="2127-10-28T00:00:00Z")
    assert shown == {
        "words": "At 02:30 every day.",
        "runs": [
            {"scheduled_for": f"2127-10-{when}.000000Z", "local_time": f"2127-10-{day}T02:30:00", "note": note}
            for when, day, note in [
                ("25T00:30:00", "25", "normal"),
                ("26T00:30:00", "26", "first_of_two"),
                ("27T01:30:00", "27", "normal"),
            ]
        ],
    }


async def test_ten_times_are_shown_from_now_on(server):
    shown = await preview(server, cron="@hourly", time_zone="UTC")
    assert [run["scheduled_for"][11:16] for run in shown["runs"]] == [f"{hour:02}:00" for hour in range(9, 19)]


async def test_a_length_is_counted_from_now_if_it_has_no_start(server):
    shown = await preview(server, every="15m")
    assert [run["scheduled_for"][11:19] for run in shown["runs"][:3]] == ["08:15:00", "08:30:00", "08:45:00"]
    assert shown["words"] == "Every 15m, counted from 2027-01-15T08:00:00.000000Z."


async def test_it_says_that_one_of_two_days_is_enough(server):
    shown = await preview(server, cron="0 0 13 * FRI", time_zone="UTC")
    assert "(OR)" in shown["words"]


async def test_it_takes_what_a_put_takes_and_shows_the_times_that_the_schedule_has_then(server):
    asked = {**BERLIN, "task": TASK, "jitter": "5m", "paused": False, "tags": ["a"]}
    shown = await preview(server, **asked)
    assert (await server.call("GET", "/schedules")).json["schedules"] == [], "nothing is stored"
    put = (await server.call("PUT", "/schedules/nightly", asked)).json
    assert [{name: run[name] for name in shown["runs"][0]} for run in put["next_runs"]] == shown["runs"]
    assert put["words"] == shown["words"]


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({}, None),
        ({"cron": "30 2 * *", "time_zone": "UTC"}, "cron"),
        ({"cron": "30 2 * * *"}, "time_zone"),
        (BERLIN | {"time_zone": "Berlin"}, "time_zone"),
        ({"every": "0s"}, "every"),
        (BERLIN | {"task": WEBHOOK}, "task.webhook.execution_time"),
        (BERLIN | {"task": {"webhook": {"url": 5}}}, "task.webhook.url"),
        (BERLIN | {"name": "nightly"}, "name"),
    ],
    ids=str,
)
async def test_what_could_not_be_put_is_refused_in_the_same_words(server, members, field):
    refused = await server.call("POST", "/schedules/preview", members)
    assert (refused.status, refused.json.get("field")) == (400, field)
    put = await server.call("PUT", "/schedules/nightly", {"task": TASK} | members)
    assert put.json["msg"] == refused.json["msg"]


async def test_no_schedule_is_called_preview(server):
    refused = await server.call("PUT", "/schedules/preview", BERLIN | {"task": TASK})
    assert refused.status in (400, 405)
