"""GET /stats/due: steps, what they are without being asked for, and what is refused."""

import pytest
from rest_server import HASH, on_one_store

from tasker.model import instants
from tasker.model.instants import SECOND

pytestmark = pytest.mark.anyio

HOUR = 3_600 * SECOND


async def due(server, words=""):
    reply = await server.call("GET", f"/stats/due{words}")
    assert reply.status == 200, reply
    return reply.json


async def test_without_a_word_it_tells_of_the_next_24_hours_by_the_hour(server):
    answered = await due(server)
    now = server.clock.now()
    first, last = now // HOUR * HOUR, -(-(now + 24 * HOUR) // HOUR) * HOUR
    assert answered["from"] == instants.text(first)
    assert answered["step_seconds"] == 3_600
    assert [step["from"] for step in answered["steps"]] == [instants.text(at) for at in range(first, last, HOUR)]
    assert answered["to"] == instants.text(last)
    assert {step["due"] for step in answered["steps"]} == {0}


async def test_tasks_are_counted_in_their_steps_and_the_span_is_widened_to_whole_ones(server):
    for time in ("2126-02-10T16:30:00+01:00", "2126-02-10T15:44:59.999999Z", "2126-02-10T15:45:00Z"):
        await server.new({"hash": {"execution_time": time, "secret": "x"}})
    answered = await due(server, "?from=2126-02-10T15:31:00Z&to=2126-02-10T16:50:00%2B01:00&step=15m")
    assert answered == {
        "from": "2126-02-10T15:30:00.000000Z",
        "to": "2126-02-10T16:00:00.000000Z",
        "step_seconds": 900,
        "steps": [
            {"from": "2126-02-10T15:30:00.000000Z", "due": 2},
            {"from": "2126-02-10T15:45:00.000000Z", "due": 1},
        ],
    }


async def test_what_was_not_counted_says_at_least(server, monkeypatch):
    monkeypatch.setattr("tasker.stores.due_counting.DUE_COUNTED_TO", 2)
    for _ in range(3):
        await server.new(HASH)
    answered = await due(server, "?from=2126-02-10T15:30:00Z&to=2126-02-10T15:32:00Z&step=60")
    assert [step["due"] for step in answered["steps"]] == [{"at_least": 2}, 0]


@on_one_store
@pytest.mark.parametrize(
    ("words", "msg"),
    [
        ("step=x", "step: expected seconds as a number, or a whole number with a unit, such as 90s, 30m, 12h or 7d"),
        ("step=0", "step: expected 1s or more, got: '0'"),
        ("step=1s", "step: expected at most 500 steps from from to to, got 86400; a step of 1h fits"),
        ("from=today", "from: expected an RFC 3339 time with an offset"),
        ("from=1969-12-31T23:59:59Z", "from: expected a time of the year 1970 or later"),
        ("to=2001-01-01T00:00:00Z", "to: expected a later time than from, which, if it is not given, is 20"),
        (
            "from=2126-01-01T00:00:00Z&to=2126-01-01T00:00:00Z",
            "to: expected a later time than from, which is 2126-01-01T00:00:00.000000Z, got: '2126-01-01T00:00:00Z'",
        ),
        ("types=webhook", "types: unknown here; expected from, to, step"),
    ],
)
async def test_a_word_that_cannot_be_used_is_refused_with_what_would_be_right(server, words, msg):
    assert (await server.refused("GET", f"/stats/due?{words}")).startswith(msg)


async def test_the_end_of_the_calendar_can_be_asked_for(server):
    answered = await due(server, "?from=9999-12-31T23:00:00Z&to=9999-12-31T23:59:59.999999Z&step=36500d")
    assert answered["to"] == "9999-12-31T23:59:59.999999Z"
    assert await due(server, "?to=9999-12-31T23:59:59Z")
