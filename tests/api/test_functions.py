"""Functions as task types: what is asked of them over the API, and what the server knows of their arguments."""

import dataclasses

import pytest
import rest_server

import tasker
from tasker.api.openapi.document import document
from tasker.api.routes.all import CALLS
from tasker.task_types.function import function_types
from tasker.task_types.registry import Registry

pytestmark = pytest.mark.anyio

app = tasker.App()


@dataclasses.dataclass
class Line:
    product: str
    count: int = 1


@app.task("report.build", retry={"max_attempts": 3, "initial_delay": 5})
def build(customer: int, lines: list[Line] | None = None) -> None:
    """Build the report
    of a customer.

    Not of two.
    """


@app.task("clean")
def clean() -> None:
    pass


@pytest.fixture
async def server(monkeypatch):
    original = rest_server.registry_of
    monkeypatch.setattr(
        rest_server, "registry_of", lambda clock, **how: Registry([*original(clock, **how).types, *function_types(app)])
    )
    async with rest_server.running() as server:
        yield server


def a_call(args=None, **members):
    return {"report.build": {"delay": 0, **({} if args is None else {"args": args}), **members}}


async def claim(server, *queues, **body):
    reply = await server.call("POST", "/queues/claim", {"queues": list(queues), **body})
    assert reply.status == 200, reply
    return reply.json["jobs"]


async def told(server, what, job, body=None, *, status=200):
    reply = await server.call("POST", f"/completions/{what}", body, {"authorization": f"Bearer {job['token']}"})
    assert reply.status == status, reply
    return reply.json


async def test_a_call_is_stored_as_it_was_asked_and_claimed_from_the_queue_of_the_function(server):
    task_id = await server.new(a_call({"customer": 42, "lines": [{"product": "a", "count": 2}]}, key="k"))
    shown = (await server.call("GET", f"/tasks/{task_id}")).json["report.build"]
    args = {"customer": 42, "lines": [{"product": "a", "count": 2}]}
    assert (shown["type"], shown["args"]) == ("report.build", args)
    (job,) = await claim(server, "type:clean", "type:report.build")
    assert (job["id"], job["type"], job["args"], job["key"]) == (task_id, "report.build", args, "k")
    await told(server, "complete", job, {"result": {"pages": 3}})
    (listed,) = (await server.call("GET", "/tasks/type/report.build")).json
    assert (listed["state"], listed["result"]) == ("done", {"pages": 3})


async def test_the_retry_policy_of_the_function_is_stored_unless_the_request_has_one(server):
    async def policy(task_id):
        return (await server.call("GET", f"/tasks/{task_id}")).json["report.build"]["retry"]

    one = await server.new(a_call({"customer": 1}))
    other = await server.new(a_call({"customer": 1}, retry={"max_attempts": 9}))
    assert await policy(one) == {"max_attempts": 3, "initial_delay": 5.0}
    assert await policy(other) == {"max_attempts": 9}
    reply = await server.call("PATCH", f"/tasks/{other}", {"report.build": {"retry": None}})
    assert reply.status == 200, reply
    assert await policy(other) == {"max_attempts": 3, "initial_delay": 5.0}


@pytest.mark.parametrize(
    ("body", "field", "expected"),
    [
        (a_call(), "report.build.args", "expected a value, it is missing"),
        (a_call({}), "report.build.args.customer", "expected a value, it is missing"),
        (a_call({"customer": "42"}), "report.build.args.customer", "expected a whole number, got text in quotes"),
        (a_call({"customer": 1, "colour": 1}), "report.build.args.colour", "expected one of customer, lines"),
        (
            a_call({"customer": 1, "lines": [{"count": 3}]}),
            "report.build.args.lines[0].product",
            "expected a value, it is missing",
        ),
        (a_call({"customer": 1}, timeout=0), "report.build.timeout", ">= 0.1"),
        (a_call({"customer": 1}, group="g"), "report.build.group", "expected no group"),
        (a_call({"customer": 1}, delay="soon"), "report.build.delay", "expected seconds as a number"),
    ],
)
async def test_arguments_are_checked_when_the_task_is_created(server, body, field, expected):
    reply = await server.call("POST", "/tasks/new", body)
    assert (reply.status, reply.json["code"], reply.json["field"]) == (400, "invalid_task", field)
    assert expected in reply.json["msg"]


async def test_a_change_of_arguments_is_checked_too(server):
    task_id = await server.new(a_call({"customer": 1}, delay="1h"))
    changed = await server.call("PATCH", f"/tasks/{task_id}", {"report.build": {"args": {"customer": 2}}})
    assert changed.json["report.build"]["args"] == {"customer": 2}
    refused = await server.call("PATCH", f"/tasks/{task_id}", {"report.build": {"args": {"customer": None}}})
    assert (refused.status, refused.json["field"]) == (400, "report.build.args.customer")


async def test_a_function_without_arguments_takes_none_or_an_empty_object(server):
    for body in ({"delay": 0}, {"delay": 0, "args": {}}):
        await server.new({"clean": body})
    assert len(await claim(server, "type:clean", max=9)) == 2


@pytest.mark.parametrize(
    "body", [{"report.biuld": {"delay": 0, "args": {"customer": 1}}}, {"reports": {"delay": 0, "args": {}}}]
)
async def test_a_function_that_is_not_known_is_refused_and_the_ways_out_are_named(body):
    async with rest_server.running() as server:
        msg = await server.refused("POST", "/tasks/new", body)
        assert msg == (
            f"{next(iter(body))}: expected one of hash, job, webhook, got a name that is unknown here; "
            "functions are known to a server that is started with their --app; "
            "without it, create a job, and have a worker claim it"
        )


async def test_what_is_no_function_is_not_spoken_of_as_one():
    async with rest_server.running() as server:
        msg = await server.refused("POST", "/tasks/new", {"webhok": {"delay": 0, "url": "http://localhost/"}})
        assert "--app" not in msg


async def test_many_calls_are_created_at_once(server):
    reply = await server.call("POST", "/tasks/batch", [a_call({"customer": n}) for n in range(3)])
    assert reply.status == 201, reply
    assert len(await claim(server, "type:report.build", max=9)) == 3
    refused = await server.call("POST", "/tasks/batch", [a_call({"customer": 1}), a_call({"customer": "x"})])
    assert refused.json["refusals"][0]["field"] == "report.build.args.customer"


async def test_a_schedule_calls_a_function(server):
    plan = {
        "every": "1h",
        "task": {"report.build": {"args": {"customer": 1}}},
    }
    reply = await server.call("PUT", "/schedules/nightly", plan)
    assert reply.status in (200, 201), reply
    bad = {**plan, "task": {"report.build": {"args": {}}}}
    refused = await server.call("PUT", "/schedules/nightly", bad)
    assert (refused.status, refused.json["field"]) == (400, "task.report.build.args.customer")


async def test_a_job_cannot_stand_in_the_queue_of_a_function(server):
    msg = await server.refused("POST", "/tasks/new", {"job": {"delay": 0, "queue": "type:report.build"}})
    assert msg.startswith("job.queue: ")


def test_the_description_has_the_arguments():
    registry = rest_server.registry_of(None)
    schemas = document(CALLS, Registry([*registry.types, *function_types(app)]))["components"]["schemas"]
    new = schemas["NewReport.build"]
    assert new["description"] == "Build the report of a customer."
    assert "args" in new["required"]
    assert "args" not in schemas["NewClean"].get("required", [])
    arguments = schemas["Arguments_report.build"]
    assert arguments["required"] == ["customer"]
    assert arguments["properties"]["customer"] == {"type": "integer"}
    assert "report.build" in schemas["NewTask"]["properties"]
    assert "report.build" in schemas["Task"]["properties"]


async def test_a_claim_of_several_queues_takes_what_is_due_in_one_of_them(server):
    ids = [await server.new({"clean": {"delay": 0}}) for _ in range(2)]
    await server.new(a_call({"customer": 1}))
    found = []
    while jobs := await claim(server, "type:clean", "type:report.build", max=9):
        assert len({job["type"] for job in jobs}) == 1
        found.append([job["id"] for job in jobs])
    assert sorted(map(len, found)) == [1, 2]
    assert ids in found


@pytest.mark.parametrize(
    ("body", "field", "expected"),
    [
        ({}, "queues", "missing"),
        ({"queues": []}, "queues", "not empty"),
        ({"queues": ["a b"]}, "queue", "expected the name of a queue"),
        ({"queues": ["a"], "lease": "2s"}, "lease", "expected 3s to 1d"),
    ],
)
async def test_a_claim_of_several_queues_that_cannot_be_made_is_refused(server, body, field, expected):
    reply = await server.call("POST", "/queues/claim", body)
    assert (reply.status, reply.json["field"]) == (400, field)
    assert expected in reply.json["msg"]


async def test_a_claim_of_several_queues_needs_the_scope_of_each():
    async with rest_server.running(api_keys=("0123456789abcdefg",)) as server:
        admin = {"authorization": "Bearer 0123456789abcdefg"}
        await server.call("POST", "/keys", {"name": "a", "role": "admin"}, admin)
        made = await server.call("POST", "/keys", {"name": "w", "scopes": ["queues:work:type:a.b"]}, admin)
        key = {"authorization": f"Bearer {made.json['key']}"}
        one = await server.call("POST", "/queues/claim", {"queues": ["type:a.b"]}, key)
        assert one.status == 200, one
        both = await server.call("POST", "/queues/claim", {"queues": ["type:a.b", "c"]}, key)
        assert (both.status, both.json["code"]) == (403, "scope_missing")
        assert "queues:work:c" in both.json["msg"]


async def test_what_is_given_back_is_due_as_before_and_no_attempt_is_used(server):
    task_id = await server.new(a_call({"customer": 1}))
    (job,) = await claim(server, "type:report.build")
    answer = await told(server, "release", job)
    assert answer == {"id": task_id, "state": "todo", "deadline": None}
    shown = (await server.call("GET", f"/tasks/{task_id}")).json["report.build"]
    assert (shown["state"], shown["attempts"]) == ("todo", 0)
    assert (await told(server, "release", job, status=409))["code"] == "completion_late"
    (again,) = await claim(server, "type:report.build")
    assert (again["id"], again["attempt"]) == (task_id, 1)
    assert (await told(server, "complete", job, status=409))["code"] == "completion_late"
    await told(server, "complete", again)
    assert (await told(server, "release", again, status=409))["code"] == "completed_before"


async def test_what_is_given_back_goes_to_who_waits(server):
    await server.new(a_call({"customer": 1}))
    (job,) = await claim(server, "type:report.build")
    connection = await server.connect()
    request = rest_server.request_bytes("POST", "/queues/claim", {"queues": ["type:report.build"], "wait": 60})
    await connection.send(request)
    await told(server, "release", job)
    (again,) = (await connection.reply()).json["jobs"]
    assert again["id"] == job["id"]
    await connection.close()


async def test_what_was_cancelled_meanwhile_is_not_given_back(server):
    task_id = await server.new(a_call({"customer": 1}))
    (job,) = await claim(server, "type:report.build")
    await server.call("POST", f"/tasks/{task_id}/cancel")
    assert (await told(server, "release", job, status=409))["code"] == "cancelled"
