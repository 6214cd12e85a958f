"""What a caller's values are on the wire."""

import base64
import json
from datetime import date, datetime, timedelta, timezone
from types import SimpleNamespace
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from every_call import ID, NOW
from wires import CREATED, TASK, answer, calling, problem

import tasker
from tasker.client.calls import tasks
from tasker.wire.fields import CallbackFields, CompletionFields, RetryFields

HOOK = "https://example.org/hook"
NAIVE = datetime(2027, 3, 1, 9, 30)  # noqa: DTZ001 - that is what it is about


def sent_of(**options):
    """The members of the webhook that ``schedule`` sends, without those that every one has."""
    with calling(answer(CREATED, 201)) as (client, wire):
        client.schedule(HOOK, **options)
    members = wire.bodies[0]["webhook"]
    assert members.pop("url") == HOOK
    if "id" not in options:
        assert UUID(members.pop("id")).version == 7
    return members


@pytest.mark.parametrize(
    ("at", "sent"),
    [
        (NOW, "2027-03-01T09:30:00+00:00"),
        (NOW.replace(microsecond=5), "2027-03-01T09:30:00.000005+00:00"),
        (NOW.astimezone(ZoneInfo("Europe/Berlin")), "2027-03-01T10:30:00+01:00"),
        (datetime(2027, 3, 1, tzinfo=timezone(timedelta(hours=1, seconds=1))), "2027-02-28T22:59:59Z"),
        ("2027-03-01T09:30:00Z", "2027-03-01T09:30:00Z"),
    ],
)
def test_a_moment_is_rfc_3339(at, sent):
    assert sent_of(at=at) == {"execution_time": sent}


@pytest.mark.parametrize(
    ("delay", "sent"), [(timedelta(days=1), 86_400), (timedelta(seconds=1.5), 1.5), (60, 60), (0.5, 0.5), ("3d", "3d")]
)
def test_a_length_is_seconds_or_text(delay, sent):
    assert sent_of(delay=delay, keep=delay, max_wait=delay, timeout=delay) == {
        "delay": sent,
        "keep": sent,
        "max_wait": sent,
        "timeout": sent,
    }


def test_a_local_time_is_what_the_clocks_show():
    berlin = ZoneInfo("Europe/Berlin")
    sent = {"local_time": "2027-03-01T09:30:00", "time_zone": "Europe/Berlin"}
    assert sent_of(local_time=NAIVE, time_zone=berlin) == sent
    assert sent_of(local_time="2027-03-01T09:30:00", time_zone="Europe/Berlin") == sent
    with pytest.raises(ValueError, match="local_time: expected a datetime without a time zone"):
        sent_of(local_time=NOW, time_zone=berlin)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("at", lambda client: client.schedule(HOOK, at=NAIVE)),
        ("at", lambda client: client.create("hash", {"secret": "x"}, at=NAIVE)),
        ("at", lambda client: list(client.schedule_many([{"url": HOOK, "at": NAIVE}]))),
        ("expires_at", lambda client: client.schedule(HOOK, delay=1, expires_at=NAIVE)),
        ("at", lambda client: client.update(ID, type="webhook", at=NAIVE)),
        ("at", lambda client: client.duplicate(ID, at=NAIVE)),
        ("due_after", lambda client: list(client.find(due_after=NAIVE))),
        ("ended_before", lambda client: client.operations.start("retry", filter={"ended_before": NAIVE})),
        ("starts_at", lambda client: client.schedules.put("a", HOOK, every=60, starts_at=NAIVE)),
        ("from_", lambda client: client.schedules.backfill("a", from_=NAIVE, to=NOW)),
        ("expires_at", lambda client: client.keys.create("a", role="read", expires_at=NAIVE)),
        ("from_", lambda client: client.stats_due(from_=NAIVE)),
        ("to", lambda client: client.failures(to=NAIVE)),
        ("after", lambda client: list(client.audit(after=NAIVE))),
    ],
)
def test_a_naive_datetime_is_refused_before_anything_is_sent_and_says_why(name, make):
    refused = pytest.raises(tasker.NaiveTimeError, match=f"^{name}: expected a datetime with a time zone")
    with calling(answer(CREATED, 201)) as (client, wire), refused as error:
        make(client)
    assert isinstance(error.value, ValueError)
    assert "could mean the time here, at the server, or UTC" in str(error.value)
    assert wire.requests == []


@pytest.mark.parametrize("name", ["at", "local_time"])
@pytest.mark.parametrize("value", [3, date(2027, 3, 28)])
def test_what_is_no_moment_is_refused_before_anything_is_sent(name, value):
    with calling(answer(CREATED)) as (client, wire), pytest.raises(TypeError) as error:
        client.schedule("http://x.example/", **{name: value})
    assert str(error.value).startswith(f"{name}: expected a datetime with")
    assert str(error.value).endswith(f"got: {type(value).__name__}")
    assert wire.requests == []


def test_one_of_many_that_cannot_be_sent_is_named():
    with calling(answer({"tasks": [CREATED]}, 201)) as (client, _):
        sending = client.schedule_many(iter([{"url": HOOK, "delay": 1}, {"url": HOOK, "at": NAIVE}]), chunk=1)
        assert next(sending).id == CREATED["id"]
        with pytest.raises(tasker.NaiveTimeError) as error:
            next(sending)
    assert error.value.__notes__ == ["task 1 of those that were to be created"]
    with calling(answer({"tasks": [CREATED]}, 201)) as (client, wire), pytest.raises(TypeError) as error:
        next(client.schedule_many([{"url": HOOK, "json": object()}]))
    assert error.value.__notes__ == ["task 0 of those that were to be created"]
    assert wire.requests == []


def test_a_body_is_text_bytes_or_json():
    assert sent_of(body="x") == {"body": "x"}
    assert sent_of(body=b"\x00\x01") == {"body_base64": base64.b64encode(b"\x00\x01").decode()}
    assert sent_of(json={"order": 17, "at": NOW}) == {"json": {"order": 17, "at": "2027-03-01T09:30:00Z"}}
    assert sent_of(json=None) == {"json": None}


def test_what_is_none_is_not_given():
    names = ("at", "delay", "retry", "tags", "headers", "body", "key", "on_conflict", "timeout", "id", "on_failure")
    assert list(sent_of(**dict.fromkeys(names), idempotency_key=None)) == ["id"], "the client makes one"


def test_everything_else_is_sent_as_it_is():
    options = {
        "method": "PUT",
        "headers": {"x-order": "17"},
        "success": ["2xx", 404],
        "completion": {"deadline": "30m"},
        "retry": {"max_attempts": 5},
        "on_success": "https://example.org/done",
        "on_failure": {"url": "https://example.org/failed"},
        "tags": ("customer:42",),
        "group": "customer-42",
        "key": "order-17",
        "on_conflict": "debounce",
        "id": UUID(ID),
    }
    assert sent_of(**options) == {**options, "tags": ["customer:42"], "id": ID}


def test_shapes_of_the_api_can_be_given_as_they_are():
    sent = sent_of(
        retry=RetryFields(max_attempts=5),
        completion=CompletionFields(deadline="30m"),
        on_failure=CallbackFields(url="https://example.org/failed"),
    )
    assert sent == {
        "retry": {"max_attempts": 5},
        "completion": {"deadline": "30m"},
        "on_failure": {"url": "https://example.org/failed"},
    }


def test_what_has_no_json_is_refused_before_anything_is_sent():
    with calling(answer(CREATED, 201)) as (client, wire), pytest.raises(TypeError):
        client.schedule(HOOK, delay=1, json={"what": object()})
    assert wire.requests == []


def test_a_change_takes_away_what_is_none_and_keeps_what_is_not_named():
    with calling(answer(TASK)) as (client, wire):
        client.update(ID, type="webhook", delay="1d", on_failure=None, expires_at=None, headers={"x": None})
        client.update(ID, {"secret": "new"}, type="hash", if_match='"3"')
    assert wire.bodies == [
        {"webhook": {"delay": "1d", "on_failure": None, "expires_at": None, "headers": {"x": None}}},
        {"hash": {"secret": "new"}},
    ]
    assert [request.headers.get("if-match") for request in wire.requests] == [None, '"3"']


def test_the_type_of_a_task_is_read_if_nobody_says_it():
    job = {"job": {**TASK["webhook"], "type": "job"}}
    with calling(answer(job)) as (client, wire):
        client.update(ID, delay=60)
    assert [request.method for request in wire.requests] == ["GET", "PATCH"]
    assert wire.requests[1].content == b'{"job":{"delay":60}}'


@pytest.mark.parametrize(
    ("item", "sent"),
    [
        ({"url": HOOK, "delay": timedelta(hours=1)}, {"webhook": {"url": HOOK, "delay": 3_600}}),
        (
            {"type": "job", "queue": "reports", "json": {"a": 1}, "at": NOW},
            {"job": {"queue": "reports", "json": {"a": 1}, "execution_time": "2027-03-01T09:30:00+00:00"}},
        ),
        ({"job": {"queue": "reports", "delay": "1h"}}, {"job": {"queue": "reports", "delay": "1h"}}),
        ({"url": HOOK, "id": ID}, {"webhook": {"url": HOOK, "id": ID}}),
        ({"hash": {"id": ID}}, {"hash": {"id": ID}}),
        ({"json": {"a": 1}}, {"webhook": {"json": {"a": 1}}}),
    ],
)
def test_one_of_many_may_be_said_in_three_ways(item, sent):
    with calling(answer({"tasks": [CREATED]}, 201)) as (client, wire):
        before = {**item}
        list(client.schedule_many([item]))
    ((type_, members),) = wire.bodies[0][0].items()
    assert UUID(members["id"]).version == 7
    assert {type_: {"id": members["id"], **members}} == {type_: {"id": members["id"], **sent[type_]}}
    assert item == before


def test_ids_of_many_tasks_sort_as_they_were_given(monkeypatch):
    moment = tasks.time.time_ns()
    monkeypatch.setattr(tasks, "time", SimpleNamespace(time_ns=lambda: moment))  # a clock that is not fine enough
    with calling(answer({"tasks": [CREATED] * 1_000}, 201)) as (client, wire):
        list(client.schedule_many({"url": HOOK, "delay": 1} for _ in range(1_000)))
    ids = [item["webhook"]["id"] for item in wire.bodies[0]]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("chunk", [0, 10_001])
def test_a_chunk_has_as_many_tasks_as_the_server_takes(chunk):
    with calling(answer({"tasks": []}, 201)) as (client, wire), pytest.raises(ValueError, match="1 to 10000"):
        list(client.schedule_many([{"url": HOOK}], chunk=chunk))
    assert wire.requests == []


def test_an_answer_that_tells_of_too_few_tasks_is_none():
    with calling(answer({"tasks": []}, 201)) as (client, _), pytest.raises(tasker.UnexpectedAnswer):
        list(client.schedule_many([{"url": HOOK, "delay": 1}]))


def test_many_tasks_that_nobody_iterates_over_are_warned_of():
    with calling(answer({"tasks": []}, 201)) as (client, wire), pytest.warns(RuntimeWarning, match="not iterated"):
        client.schedule_many([{"url": HOOK, "delay": 1}])
    assert wire.requests == []


def test_nothing_of_many_is_read_before_it_is_its_turn():
    read = []

    def items():
        for number in range(4):
            read.append(number)
            yield {"url": HOOK, "delay": 1}

    with calling(answer({"tasks": [CREATED, CREATED]}, 201)) as (client, _):
        sending = client.schedule_many(items(), chunk=2)
        assert read == []
        next(sending)
        assert read == [0, 1]
        assert len(list(sending)) == 3


def test_a_chunk_of_long_tasks_has_fewer():
    def made(request):
        return answer({"tasks": [CREATED] * len(json.loads(request.content))}, 201)

    long = {"url": HOOK, "delay": 1, "body": "x" * 3_000_000}
    huge = {**long, "body": "x" * 9_000_000}
    with calling(made) as (client, wire):
        assert len(list(client.schedule_many([long, long, long, huge, {"url": HOOK, "delay": 1}]))) == 5
    assert [len(body) for body in wire.bodies] == [2, 1, 1, 1]


def test_places_are_among_all_in_chunks_of_any_length():
    refused = problem(400, "invalid_tasks", refusals=[{"index": 0, "code": "invalid_task", "msg": "no"}])
    long = {"url": HOOK, "delay": 1, "body": "x" * 5_000_000}
    with calling(answer({"tasks": [CREATED]}, 201), refused) as (client, _):
        sending = client.schedule_many([long, long])
        next(sending)
        with pytest.raises(tasker.InvalidTasks, match="those before are") as error:
            next(sending)
    assert [each.index for each in error.value.refusals] == [1]
    with calling(refused) as (client, _), pytest.raises(tasker.InvalidTasks) as error:
        next(client.schedule_many([long, long]))
    assert [each.index for each in error.value.refusals] == [0]


@pytest.mark.parametrize(
    ("task", "sent"),
    [
        (HOOK, {"webhook": {"url": HOOK}}),
        ({"url": HOOK, "json": [1]}, {"webhook": {"url": HOOK, "json": [1]}}),
        ({"url": HOOK, "expires_at": timedelta(hours=1)}, {"webhook": {"url": HOOK, "expires_at": 3_600}}),
        ({"type": "job", "queue": "reports"}, {"job": {"queue": "reports"}}),
        ({"job": {"queue": "reports"}}, {"job": {"queue": "reports"}}),
    ],
)
def test_the_task_of_a_schedule_may_be_said_in_four_ways(task, sent):
    with calling(answer({}, 418)) as (client, wire), pytest.raises(tasker.UnexpectedAnswer):
        client.schedules.put("report", task, every=timedelta(minutes=15), ends_at=NOW, paused=False, tags=("a",))
    assert wire.bodies[0] == {
        "task": sent,
        "every": 900,
        "ends_at": "2027-03-01T09:30:00+00:00",
        "paused": False,
        "tags": ["a"],
    }


def test_filters_are_parameters_of_the_query():
    with calling(answer({"tasks": [], "next": None})) as (client, wire):
        list(
            client.find(
                state=["todo", "failed"],
                tag="a b&c",
                parent=UUID(ID),
                destination=3,
                due_after=NOW,
                key=None,
                sort="-due",
                summary=True,
            )
        )
    assert wire.requests[0].url.params.multi_items() == [
        ("state", "todo"),
        ("state", "failed"),
        ("tag", "a b&c"),
        ("parent", ID),
        ("destination", "3"),
        ("due_after", "2027-03-01T09:30:00+00:00"),
        ("sort", "-due"),
        ("fields", "summary"),
        ("limit", "500"),
    ]


def test_pages_go_on_at_the_cursor_whatever_a_proxy_makes_of_the_path():
    pages = (
        answer({"tasks": [TASK, TASK], "next": "/proxied/tasks?limit=500&tag=a&cursor=abc%3D"}),
        answer({"tasks": [], "next": "/tasks?cursor=def"}),
        answer({"tasks": [TASK], "next": None}),
    )
    with calling(*pages) as (client, wire):
        assert len(list(client.find(tag="a"))) == 3
    assert [request.url.path for request in wire.requests] == ["/tasks"] * 3
    assert [request.url.params.get("cursor") for request in wire.requests] == [None, "abc=", "def"]
    assert {request.url.params["tag"] for request in wire.requests} == {"a"}


@pytest.mark.parametrize(("limit", "limits"), [(0, []), (2, ["2"]), (3, ["3", "1"]), (501, ["500", "499"])])
def test_a_limit_is_what_comes_in_all(limit, limits):
    page = answer({"tasks": [TASK, TASK], "next": "/tasks?cursor=abc"})
    with calling(page) as (client, wire):
        found = client.find(limit=limit)
        assert len([next(found, None) for _ in range(min(limit, 3))]) == min(limit, 3)
    assert [request.url.params["limit"] for request in wire.requests] == limits


def test_the_next_page_of_destinations_stands_in_a_header():
    view = {
        "id": 1,
        "name": "hash",
        "kind": "type",
        "paused": False,
        "max_running": None,
        "max_per_second": None,
        "burst": 1,
        "running": 0,
        "held": 0,
        "circuit": {"state": "closed", "failures": 0, "open_until": None},
    }
    more = {"link": '</destinations?limit=500&cursor=1>; rel="next"'}
    with calling(answer([view], headers=more), answer([view])) as (client, wire):
        assert [each.id for each in client.destinations.find()] == [1, 1]
    assert [request.url.params.get("cursor") for request in wire.requests] == [None, "1"]


def test_a_limit_of_a_destination_is_taken_away_by_none_and_kept_when_it_is_not_named():
    with calling(answer({}, 418)) as (client, wire):
        for make in (
            lambda: client.destinations.update(1, max_running=None, max_per_second=2.5),
            lambda: client.destinations.make(group="customer-42", burst=3),
        ):
            with pytest.raises(tasker.UnexpectedAnswer):
                make()
    assert wire.bodies == [{"max_running": None, "max_per_second": 2.5}, {"group": "customer-42", "burst": 3}]


def test_an_operation_says_only_what_is_said():
    with calling(answer({}, 418)) as (client, wire):
        for make in (
            lambda: client.operations.start(
                "retry", filter={"state": "failed", "tag": ("a", "b"), "ended_after": NOW, "key": None}, per_second=5
            ),
            lambda: client.operations.start("postpone", ids=[UUID(ID)], by=timedelta(days=1)),
            lambda: client.operations.start("change", all=True, change={"delay": "1d", "on_failure": None}),
            lambda: client.operations.start("change", all=True, change={"type": "job", "queue": "b"}, dry_run=True),
        ):
            with pytest.raises(tasker.UnexpectedAnswer):
                make()
    assert wire.bodies == [
        {
            "action": "retry",
            "filter": {"state": "failed", "tag": ["a", "b"], "ended_after": "2027-03-01T09:30:00+00:00"},
            "per_second": 5,
        },
        {"action": "postpone", "ids": [ID], "by": 86_400},
        {"action": "change", "all": True, "change": {"webhook": {"delay": "1d", "on_failure": None}}},
        {"action": "change", "all": True, "change": {"job": {"queue": "b"}}, "dry_run": True},
    ]


def test_a_report_says_only_what_is_said():
    with calling(answer({}, 418)) as (client, wire):
        for make in (
            lambda: client.completions.complete("t"),
            lambda: client.completions.complete("t", None),
            lambda: client.completions.fail("t"),
            lambda: client.completions.fail("t", retry=False, details={"a": 1}, retry_after=timedelta(minutes=1)),
            lambda: client.completions.heartbeat("t", progress=0, deadline="1h"),
        ):
            with pytest.raises(tasker.UnexpectedAnswer):
                make()
    assert wire.bodies == [
        {},
        {"result": None},
        {"retry": True},
        {"retry": False, "details": {"a": 1}, "retry_after": 60},
        {"progress": 0, "deadline": "1h"},
    ]


def test_any_call_can_be_made():
    with calling(answer({"a": 1}), answer(None, 204)) as (client, wire):
        assert client.request("POST", "/new/call?x=1", json={"b": None}, headers={"x-a": "b"}) == {"a": 1}
    (request,) = wire.requests
    assert (request.url.path, request.url.params["x"], request.content) == ("/new/call", "1", b'{"b":null}')
    assert request.headers["x-a"] == "b"
    assert request.headers["content-type"] == "application/json"
