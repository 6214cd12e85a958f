"""What is the same for all calls: parameters, headers, unknown paths, the ends of answers."""

import json
import re

import pytest
from rest_server import HASH, JSON, LATER, WEBHOOK, running

from tasker.access import Access
from tasker.api.problems import PROBLEMS
from tasker.api.routes.all import CALLS
from tasker.callers import GRANTED, Caller, Role, Scope
from tasker.model.completion_token import TokenClaim, completion_token

pytestmark = pytest.mark.anyio

KEYS = {"api_keys": ("first-key",)}
NOBODY = "01a20f5f-cad1-7ddf-9a84-7874a503bf14"
URL = "http://me:pass-word@localhost:9000/hook"


def name_of(call):
    return f"{call.method} {call.path}"


def path_of(call):
    return re.sub(r"\{(\w+)\}", lambda name: {"type": "hash", "state": "todo"}.get(name[1], "1"), call.path)


async def request_of(server, call):
    """A request for a call that is let in: its path and its headers."""
    headers = JSON if call.body is not None else {}
    if call.takes_token:
        token = completion_token(await server.store.completion_key(), TokenClaim(NOBODY, 1))
        headers = headers | {"authorization": f"Bearer {token}"}
    return path_of(call), headers


@pytest.mark.parametrize("call", CALLS, ids=name_of)
async def test_a_parameter_that_a_call_does_not_know_is_refused_and_those_it_knows_are_named(server, call):
    path, headers = await request_of(server, call)

    for query in ("limti=1", "limti", "limit=1&limti=2"):
        reply = await server.call(call.method, f"{path}?{query}", None, headers)

        known = [parameter.name for parameter in call.query]
        assert (reply.status, reply.json["code"]) == (400, "invalid_query")
        assert reply.json["field"] == ("limit" if query.startswith("limit") and "limit" not in known else "limti")
        assert reply.json["msg"].endswith(f"expected {', '.join(known)}" if known else "this call takes no parameters")


@pytest.mark.parametrize("call", CALLS, ids=name_of)
async def test_an_idempotency_key_is_refused_by_calls_that_make_nothing(server, call):
    path, headers = await request_of(server, call)

    reply = await server.call(call.method, path, None, headers | {"Idempotency-Key": "k"})

    if call.is_repeatable:
        assert reply.json.get("field") != "Idempotency-Key"
        return
    assert (reply.status, reply.json["code"], reply.json["field"]) == (400, "invalid_request", "Idempotency-Key")


@pytest.mark.parametrize("call", CALLS, ids=name_of)
async def test_with_keys_every_call_that_is_not_open_is_refused_before_anything_else_is_said(call):
    path = path_of(call)
    async with running(**KEYS) as server:
        reply = await server.call(call.method, f"{path}?limti=1", None, {"Idempotency-Key": "k"})

        assert reply.status == (400 if call.scope is Scope.OPEN and not call.takes_token else 401)


def test_only_the_health_of_the_server_where_to_begin_and_what_a_token_lets_in_is_open():
    is_open = {call.path: call.takes_token for call in CALLS if call.scope is Scope.OPEN}
    assert [path for path, takes_token in is_open.items() if not takes_token] == ["/", "/healthz", "/readyz"]
    assert [call.path for call in CALLS if call.takes_token] == [
        f"/completions/{what}" for what in ("complete", "fail", "heartbeat", "release")
    ]


def test_every_error_that_a_call_declares_has_an_answer():
    assert {error for call in CALLS for error in call.raises} <= set(PROBLEMS)


@pytest.mark.parametrize("call", CALLS, ids=name_of)
async def test_a_call_is_made_with_its_own_scope_and_with_no_other(call, monkeypatch):
    assert isinstance(call.scope, Scope), "every call names one"
    async with running(**KEYS) as server:
        path, headers = await request_of(server, call)
        for scope in GRANTED:
            key = Caller(frozenset({Scope.OPEN, scope}), "1", "the key")
            monkeypatch.setattr(Access, "_caller", lambda *_, key=key: key)

            reply = await server.call(call.method, f"{path}?limti=1", None, headers)

            if call.scope in (scope, Scope.OPEN):
                assert (reply.status, reply.json["code"]) == (400, "invalid_query"), "it is let in"
            else:
                assert (reply.status, reply.json["code"]) == (403, "scope_missing")
                assert f"'the key' lacks the scope {call.scope.value}" in reply.json["msg"]
                assert "admin have it" in reply.json["msg"] or "role admin" in reply.json["msg"]


def test_roles_are_names_for_these_scopes():
    metrics, read = {Scope.METRICS}, {Scope.METRICS, Scope.TASKS_READ}
    assert Role.METRICS.scopes - {Scope.OPEN} == metrics
    assert Role.READ.scopes - {Scope.OPEN} == read
    assert Role.WRITE.scopes - {Scope.OPEN} == read | {Scope.TASKS_WRITE, Scope.QUEUES_WORK, Scope.OPERATE}
    assert Role.ADMIN.scopes == set(Scope)


async def test_a_task_is_shown_whole_to_a_caller_who_may_see_secrets_and_masked_in_lists(server):
    callback = {"url": URL, "headers": {"x-key": "k-17"}}
    sent = {"url": URL, "headers": {"x-key": "k-17"}, "on_success": callback, "on_failure": URL}
    task_id = await server.new({"webhook": WEBHOOK["webhook"] | sent})

    (whole,) = (await server.call("GET", f"/tasks/{task_id}")).json.values()
    lists = [
        await server.call("GET", path)
        for path in ("/tasks/type/webhook", "/tasks/state/todo", "/tasks/state/todo?limit=5")
    ]

    assert {name: whole[name] for name in sent} == sent
    for reply in lists:
        assert [word for word in (b"pass-word", b"k-17") if word in reply.body] == []
        assert reply.body.count(b"http://me:***@localhost:9000/hook") == 3


async def test_the_service_masks_a_task_for_a_caller_who_may_not_see_secrets(server):
    task_id = await server.new({"webhook": WEBHOOK["webhook"] | {"url": URL}})

    task = await server.service.tasks.get(Caller(frozenset({Scope.TASKS_READ})), task_id)

    assert b"pass-word" not in task.payload


ROLES = {"api_keys": ("reading-key read grafana", "writing-key write shop", "owning-key")}
SECRETS = (b"pass-word", b"k-17", b"correct-horse")


@pytest.mark.parametrize("role", ["reading", "writing"])
async def test_whoever_may_not_see_secrets_sees_none_whatever_the_call(role):
    callback = {"url": URL, "headers": {"x-key": "k-17"}}
    sent = {"url": URL, "headers": {"x-key": "k-17"}, "on_success": callback, "on_failure": URL, "on_cancel": callback}
    owner, other = ({"authorization": f"Bearer {name}-key"} for name in ("owning", role))
    async with running(**ROLES) as server:
        ids = []
        for body in (HASH, {"webhook": WEBHOOK["webhook"] | sent | {"key": "k"}}):
            reply = await server.call("POST", "/tasks/new", body, owner)
            ids.append(reply.json["id"])
        gets = [call for call in CALLS if call.method == "GET" and call.path.startswith("/tasks")]
        changes = [("PATCH", {"webhook": {"tags": ["x"]}}), ("PATCH", {"hash": {"tags": ["x"]}})]
        paths = {"id": ids, "key": ["k"], "type": ["webhook", "hash"], "state": ["todo"]}
        seen = []
        for call in gets:
            name = re.search(r"\{(\w+)\}", call.path)
            for value in paths[name[1]] if name else [""]:
                path = re.sub(r"\{\w+\}", value, call.path)
                seen.append(await server.call("GET", path, None, other))
                assert seen[-1].status == 200, seen[-1]
        if role == "writing":
            for task_id in ids:
                calls = [(*change, f"/tasks/{task_id}") for change in changes]
                calls += [("POST", None, f"/tasks/{task_id}/{move}") for move in ("cancel", "retry", "run")]
                seen += [await server.call(method, path, body, other) for method, body, path in calls]
            operation = {"action": "change", "ids": ids}
            for change in ({"webhook": {"headers": {"x-key": "k-17"}}}, {"hash": {"secret": "correct-horse"}}):
                seen.append(await server.call("POST", "/operations", operation | {"change": change}, other))
            seen.append(await server.call("GET", "/operations", None, other))
            assert [reply.status for reply in seen[-3:]] == [202, 202, 200], seen[-3:]
        whole = [await server.call("GET", f"/tasks/{task_id}", None, owner) for task_id in ids]

    assert [(reply, word) for reply in seen for word in SECRETS if word in reply.body] == []
    assert sum(b"***" in reply.body for reply in seen) >= 7, "they are shown without"
    assert [word for word in SECRETS if not any(word in reply.body for reply in whole)] == []


async def test_lists_show_the_secret_of_a_hash_to_whoever_may_see_secrets(server):
    await server.new(HASH)

    for path in ("/tasks/type/hash", "/tasks/state/todo", "/tasks"):
        assert b"correct-horse" in (await server.call("GET", path)).body


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *[
            ("GET", "/healthz"),
            ("GET", "/stats"),
            ("GET", "/nodes"),
            ("GET", "/openapi.json"),
            ("GET", "/nope"),
            ("PUT", "/stats"),
        ],
        *[
            ("GET", "/tasks/state/todo"),
            ("GET", "/tasks/state/todo?limit=1"),
            ("GET", "/tasks/state/done"),
            ("GET", "/tasks/1"),
        ],
        *[("GET", "/destinations"), ("GET", "/destinations/1"), ("GET", "/tasks/{id}"), ("GET", "/tasks/{id}/explain")],
        ("GET", "/tasks/{id}/attempts"),
    ],
)
async def test_every_answer_in_json_is_a_whole_line(server, method, path):
    task_id = await server.new()

    reply = await server.call(method, path.format(id=task_id), headers=JSON)

    assert reply.body.endswith(b"\n")
    assert not reply.body.endswith(b"\n\n")
    json.loads(reply.body)


async def test_the_answer_to_a_new_task_is_a_line(server):
    reply = await server.call("POST", "/tasks/new", HASH)

    assert reply.body.count(b"\n") == 1
    assert reply.body.endswith(b"}\n")
    assert int(reply.headers["content-length"]) == len(reply.body)


@pytest.mark.parametrize(
    ("method", "path", "status"), [("POST", "/tasks", 405), ("GET", "/nope", 404), ("POST", "/tasks/new/", 404)]
)
async def test_who_misses_the_path_is_told_where_tasks_are_created_and_calls_described(server, method, path, status):
    text = await server.refused(method, path, HASH if method == "POST" else None, status=status)

    assert "POST /tasks/new" in text
    assert "/openapi.json" in text


FORM = {
    "webhook": '{"webhook": {"execution_time": ..., "url": ...}}',
    "hash": '{"hash": {"execution_time": ..., "secret": ...}}',
}


@pytest.mark.parametrize(
    ("request_", "form"),
    [
        (WEBHOOK["webhook"], "webhook"),
        (HASH["hash"], "hash"),
        ({"url": "http://h/"}, "webhook"),
        ({"execution_time": LATER}, "webhook"),
        ({}, "webhook"),
    ],
    ids=str,
)
async def test_who_leaves_out_the_name_of_the_type_is_shown_the_form(server, request_, form):
    assert FORM[form] in await server.refused("POST", "/tasks/new", request_)


@pytest.mark.parametrize(("body", "kind"), [({"order": 17}, "an object"), ([1], "an array")])
async def test_who_sends_json_as_a_body_is_told_of_json(server, body, kind):
    text = await server.refused("POST", "/tasks/new", {"webhook": WEBHOOK["webhook"] | {"body": body}})

    assert text == f"webhook.body: expected text in quotes, got {kind}; to send JSON, use json in place of body"


async def test_a_call_that_says_little_takes_little(server):
    body = b" " * (64 * 1024) + b"{}"

    text = await server.refused("POST", "/destinations/1/pause", body, status=413)

    assert "65536" in text
    assert "--max-body-bytes" not in text
    assert (await server.call("POST", "/destinations/1/pause", body[2:])).status == 404, "there is none"


# Where to begin


async def test_a_program_that_asks_for_nothing_gets_the_calls(server):
    reply = await server.call("GET", "/")

    assert (reply.status, reply.headers["vary"]) == (200, "accept")
    assert (reply.json["ui"], reply.json["openapi"]) == ("/ui/", "/openapi.json")
    assert reply.json["calls"] == [name_of(call) for call in CALLS]


@pytest.mark.parametrize(
    "accept", ["text/html", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"]
)
async def test_a_browser_is_sent_to_the_dashboard(server, accept):
    reply = await server.call("GET", "/", headers={"accept": accept})

    assert (reply.status, reply.headers["location"], reply.headers["vary"]) == (303, "/ui/", "accept")


async def test_links_begin_with_what_a_proxy_takes_away():
    async with running(root_path="/tasker") as server:
        to = await server.call("GET", "/", headers={"accept": "text/html"})
        said = (await server.call("GET", "/")).json

    assert (to.headers["location"], said["ui"], said["openapi"]) == (
        "/tasker/ui/",
        "/tasker/ui/",
        "/tasker/openapi.json",
    )


async def test_without_a_dashboard_a_browser_gets_the_calls_too():
    async with running(no_dashboard=True) as server:
        reply = await server.call("GET", "/", headers={"accept": "text/html"})

    assert (reply.status, "ui" in reply.json) == (200, False)


async def test_where_to_begin_needs_no_key():
    async with running(**KEYS) as server:
        assert (await server.call("GET", "/")).status == 200
