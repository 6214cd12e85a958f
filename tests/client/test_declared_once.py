"""What the client says once again is what the server says: parameters, filters, exceptions, calls."""

import inspect
import re
from pathlib import Path

import httpx2
import msgspec
import pytest
from every_call import BARE, METHODS, docstring, sent

import tasker
from tasker.api.calls import Calls, path_of
from tasker.api.new_operation import NewOperation
from tasker.api.new_schedule import Backfill, ScheduleFields
from tasker.api.problems import PROBLEMS
from tasker.api.routes.all import CALLS
from tasker.client import errors, options
from tasker.client.answers import Event, Job, Schedule, Task
from tasker.client.asynchronous.by_key import AsyncTaskByKey
from tasker.client.core import _NOTHING_DONE, _UNKNOWN
from tasker.client.synchronous.by_key import TaskByKey
from tasker.event_filters import EVENT_FILTERS
from tasker.filters import FILTERS, SORTS
from tasker.wire.completions import Complete, Fail, Heartbeat
from tasker.wire.destinations import DestinationChange, NewDestination
from tasker.wire.events import EventView
from tasker.wire.fields import HashFields, JobFields, RequestFields, TaskFields, WebhookFields
from tasker.wire.keys import NewKey
from tasker.wire.queues import ClaimedJob, ClaimOfSeveralRequest, ClaimRequest
from tasker.wire.schedules import ScheduleView
from tasker.wire.tasks import TaskView

PROBLEM = {"title": "T", "status": 418, "code": "teapot", "detail": "no", "msg": "no"}

LEFT_OUT = {
    "getMetrics": "monitoring systems read it, as text",
    "getBeginning": "it is for people who look around",
    "getClock": "a server that is there for tests has it; the helpers for tests call it",
    "moveClock": "the same",
    "listTasksByType": "find does the same, page by page",
    "listTasksByState": "find does the same, page by page",
}
"""Calls that the client has no method for, and why."""

RENAMED = {"execution_time": "at", "body_base64": "body", "from": "from_", "to": "to"}
"""Members of the API, and the parameters that they are here."""


def names(*shapes):
    """The members of shapes, by the names of the API."""
    return {field.encode_name for shape in shapes for field in msgspec.structs.fields(shape)}


def as_parameters(members):
    return {RENAMED.get(name, name) for name in members}


def parameters(method):
    return set(inspect.signature(method).parameters) - {"self"}


def keys_of(typed):
    return set(typed.__annotations__)


def described_in(text):
    """The parameters that a docstring describes."""
    part = text.partition("Args:\n")[2].partition("\n\n")[0]
    return re.findall(r"^ {4}(\w+): ", part, re.MULTILINE)


def client_of(answer, kind=tasker.Client):
    return kind("http://server", "key", transport=httpx2.MockTransport(answer), retries=0)


def test_a_webhook_is_scheduled_with_what_the_api_takes_for_one():
    given = keys_of(options.WebhookOptions) | {"url"}
    assert given - {"idempotency_key"} == as_parameters(names(WebhookFields, RequestFields))
    assert keys_of(options.NewWebhook) == given - {"idempotency_key"}


def test_a_task_is_created_with_what_the_api_takes_for_every_type():
    assert keys_of(options.TaskOptions) - {"idempotency_key"} == as_parameters(names(TaskFields, RequestFields))
    assert names(HashFields, JobFields) - names(TaskFields) == {"secret", "queue", "json", "timeout"}, (
        "members that are among the fields of create"
    )


def test_a_task_is_changed_in_all_that_can_be_another():
    named = {"id", "key", "on_conflict", "max_wait"}
    assert keys_of(options.ChangeOptions) == as_parameters(names(WebhookFields, RequestFields)) - named


def test_the_filters_are_those_of_the_server():
    assert list(options.Filters.__annotations__) == [each.name for each in FILTERS]
    assert keys_of(options.EventFilters) == {each.name for each in EVENT_FILTERS}


def test_a_schedule_is_put_with_what_the_api_takes_for_one():
    assert keys_of(options.PlanOptions) == names(ScheduleFields)
    assert parameters(tasker.Client("http://x").schedules.backfill) == (
        as_parameters(names(Backfill)) | {"name", "idempotency_key"}
    )


@pytest.mark.parametrize(
    ("method", "shape", "others"),
    [
        ("operations.start", NewOperation, {"idempotency_key"}),
        ("destinations.make", NewDestination, set()),
        ("destinations.update", DestinationChange, {"id"}),
        ("keys.create", NewKey, set()),
        ("queues.claim", ClaimRequest, {"queue"}),
        ("queues.claim_any", ClaimOfSeveralRequest, set()),
        ("completions.complete", Complete, {"token"}),
        ("completions.fail", Fail, {"token"}),
        ("completions.heartbeat", Heartbeat, {"token"}),
    ],
)
def test_other_methods_take_the_members_of_the_body(method, shape, others):
    place, name = method.split(".")
    taken = parameters(getattr(getattr(tasker.Client("http://x"), place), name))
    assert taken == names(shape) | others


def test_the_parameters_of_a_query_are_all_there():
    query = {call.operation_id: {each.name for each in call.query} for call in CALLS}
    filters = {each.name for each in FILTERS}
    assert query.pop("findTasks") == filters | {"sort", "limit", "cursor", "fields", "count"}
    assert parameters(tasker.Client.find) == {"sort", "limit", "summary", "filters"}
    assert query.pop("listChanges") == parameters(tasker.Client.audit) | {"cursor"}
    assert query.pop("readEvents") == keys_of(options.EventFilters) | {"signals"}
    span = as_parameters(query.pop("getStatsDue"))
    assert span == parameters(tasker.Client.stats_due) == parameters(tasker.Client.stats_history)
    assert as_parameters(query.pop("getStatsHistory")) == span
    assert as_parameters(query.pop("getFailures")) == parameters(tasker.Client.failures)
    assert {name for names in query.values() for name in names} == {"wait", "limit", "cursor"}, "see every_call"


@pytest.mark.parametrize(
    ("method", "typed"),
    [
        ("schedule", options.WebhookOptions),
        ("find", options.Filters),
        ("events", options.EventFilters),
        ("schedules.put", options.PlanOptions),
    ],
)
def test_a_docstring_describes_each_parameter_that_it_takes(method, typed):
    described = described_in(docstring(tasker.Client("http://x"), method))
    explicit = inspect.signature(
        getattr(tasker.Client, method) if "." not in method else type(tasker.Client("http://x").schedules).put
    ).parameters
    packed = [name for name, each in explicit.items() if each.kind is each.VAR_KEYWORD]
    assert sorted(described) == sorted([*typed.__annotations__, *(set(explicit) - {"self", *packed})])


@pytest.mark.parametrize("name", METHODS)
def test_every_docstring_describes_its_own_parameters(name):
    client = tasker.Client("http://x")
    place, _, method = name.rpartition(".")
    if place == "by_key":
        return  # as the method of the client of that name
    taken = parameters(getattr(getattr(client, place) if place else client, method))
    text = docstring(client, name)
    assert len(taken) < 2 or taken - {"plan", "options", "changes", "filters", "when"} <= set(described_in(text)), text


def test_there_is_an_exception_for_each_code_of_the_documentation():
    rows = _rows_of_problems()
    assert {*rows} - {"not_implemented"} == set(errors.BY_CODE)
    for code, kind in errors.BY_CODE.items():
        assert kind.__name__ == "".join(word.capitalize() for word in code.split("_"))
        assert kind.__doc__.startswith(f"{rows[code]}. "), "it says the status"
        assert getattr(tasker, kind.__name__) is kind
    assert {code: rows[code] for _, code in PROBLEMS.values()} == {code: status for status, code in PROBLEMS.values()}


def _rows_of_problems():
    page = Path(inspect.getfile(tasker)).parents[2] / "docs" / "rest" / "retries-and-errors.md"
    rows = re.findall(r"^\| (\d{3}) \| `(\w+)` \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {code: int(status) for status, code in rows}


def test_what_says_try_again_later_is_tried_again():
    later = {code for status, code in PROBLEMS.values() if status in (429, 503, 507)} | {"server_busy"}
    assert later | {"idempotency_in_flight"} == _NOTHING_DONE | _UNKNOWN
    unknown = {code for code in later if "may or may not" in errors.BY_CODE[code].__doc__}
    assert unknown == _UNKNOWN


def test_exported_names_are_those_of_the_checkers_and_can_be_had():
    for name in tasker.__all__:
        assert getattr(tasker, name) is not None
    public = {
        each.__name__ for each in vars(errors).values() if isinstance(each, type) and each.__module__ == errors.__name__
    }
    assert public <= set(tasker.__all__)


def test_the_client_shows_all_that_the_api_shows():
    assert names(Task) == names(TaskView) | {"fields", "result", "etag"}
    assert names(Job) == names(ClaimedJob) | {"fields"}
    assert names(Schedule) == names(ScheduleView) | {"etag"}
    assert names(Event) == names(EventView) | {"event", "event_id", "counts", "kinds", "reason"}


def test_every_public_method_is_among_those_that_are_tried():
    client = tasker.Client("http://x")
    found = set()
    for name in set(_public(client)) - {"url"}:
        value = getattr(client, name)
        inner = client.by_key("x") if name == "by_key" else value
        if name == "by_key" or not callable(value):
            found |= {f"{name}.{method}" for method in _public(inner) if callable(getattr(inner, method))}
        elif name not in BARE:
            found.add(name)
    assert found == set(METHODS)


def _public(thing):
    return [name for name in dir(thing) if not name.startswith("_")]


def test_every_call_of_the_api_has_a_method():
    made = {}
    calls = Calls(CALLS)

    def answer(request):
        asgi = {"path": request.url.path, "raw_path": request.url.raw_path.partition(b"?")[0]}
        found = calls.find(request.method, path_of(asgi))
        made[name] = found.call
        return httpx2.Response(
            418, headers={"content-type": "application/problem+json"}, content=msgspec.json.encode(PROBLEM)
        )

    with client_of(answer) as client:
        for name, make in METHODS.items():  # noqa: B007 - the answer reads it
            with pytest.raises(tasker.ApiError):
                sent(make(client))

    assert [name for name in METHODS if made.get(name) is None] == [], "there is no such call"
    reached = {call.operation_id for call in made.values()}
    assert {call.operation_id for call in CALLS} - reached == set(LEFT_OUT)


def test_both_clients_have_the_same_names_parameters_and_words():
    pairs = [(tasker.Client("http://x"), tasker.AsyncClient("http://x"))]
    pairs += [(getattr(pairs[0][0], name), getattr(pairs[0][1], name)) for name in _groups(pairs[0][0])]
    pairs += [(TaskByKey(None, "x"), AsyncTaskByKey(None, "x"))]
    for synchronous, asynchronous in pairs:
        assert _public(synchronous) == _public(asynchronous)
        for name in _public(synchronous):
            mine, other = getattr(type(synchronous), name, None), getattr(type(asynchronous), name, None)
            if callable(mine):
                assert list(inspect.signature(mine).parameters) == list(inspect.signature(other).parameters), name
                assert _words(mine.__doc__) == _words(other.__doc__), name


def _groups(client):
    return [name for name in _public(client) if not callable(getattr(client, name)) and name != "url"]


def _words(text):
    return re.sub(r"\b[Aa]sync(?=[A-Z])", "", text)


def test_the_orders_are_those_that_the_docstring_names():
    text = docstring(tasker.Client("http://x"), "find")
    assert all(f"``{sort}``" in text for sort in SORTS if not sort.startswith("-"))
