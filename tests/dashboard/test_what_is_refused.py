"""What pages answer when something behind them fails, and what of them needs which scope."""

import contextlib

import pytest
from pages_in_process import STORES, pages_on

from tasker import callers
from tasker.api.routes.all import CALLS
from tasker.callers import Scope
from tasker.dashboard.screens.all import PAGES
from tasker.dashboard.screens.tasks import _EXPORTED
from tasker.errors import StoreBusyError, StoreUnavailableError, TooManyReadersError
from tasker.model.api_key import ApiKey, digest_of

pytestmark = pytest.mark.anyio

OWNER, READER = "owner-key-0123456789", "reader-key-0123456789"
TASK = {"url": "http://a.example/", "delay": "1h"}
CALL_OF = {
    ("GET", "/"): ("GET", "/tasks"),
    ("GET", "/tasks/{id}/edit"): ("PATCH", "/tasks/{id}"),
    ("POST", "/tasks/{id}/edit"): ("PATCH", "/tasks/{id}"),
    ("POST", "/tasks/{id}/postpone"): ("PATCH", "/tasks/{id}"),
    ("POST", "/tasks/{id}/delete"): ("DELETE", "/tasks/{id}"),
    ("GET", "/tasks/export.{form}"): ("GET", "/tasks"),
    ("GET", "/new"): ("POST", "/tasks/new"),
    ("POST", "/new"): ("POST", "/tasks/new"),
    ("GET", "/new/json"): ("POST", "/tasks/new"),
    ("POST", "/new/json"): ("POST", "/tasks/new"),
    ("POST", "/new/check"): ("POST", "/tasks/new"),
    ("GET", "/timeline"): ("GET", "/stats/due"),
    ("GET", "/new-schedule"): ("PUT", "/schedules/{name}"),
    ("POST", "/new-schedule"): ("PUT", "/schedules/{name}"),
    ("GET", "/schedules/{name}/edit"): ("PUT", "/schedules/{name}"),
    ("POST", "/schedules/{name}/edit"): ("PUT", "/schedules/{name}"),
    ("POST", "/schedules/{name}/skip"): ("POST", "/tasks/{id}/cancel"),
    ("POST", "/schedules/{name}/delete"): ("DELETE", "/schedules/{name}"),
    ("POST", "/destinations/{id}/limits"): ("PATCH", "/destinations/{id}"),
    ("POST", "/operations/look"): ("POST", "/operations"),
    ("POST", "/operations/{id}/begin"): ("POST", "/operations"),
    ("POST", "/everything/pause"): ("POST", "/pause"),
    ("POST", "/everything/resume"): ("POST", "/resume"),
    ("GET", "/system"): ("GET", "/stats"),
    ("GET", "/live"): ("GET", "/events"),
}
"""Which call a page is to the API, where the two have not the same method and path."""


@contextlib.asynccontextmanager
async def keyed():
    """The dashboard of a server with two keys: one may see tasks, and nothing else."""
    async with pages_on() as pages:
        for key, role, scopes in ((OWNER, "admin", ()), (READER, None, (Scope.TASKS_READ.value,))):
            name, digest = key[:5], digest_of(key.encode())
            await pages.store.create_key(ApiKey(id=name, name=name, role=role, scopes=scopes, digest=digest))
        await pages.service.keys.ring.refresh()
        yield pages


def showing(key):
    return [("authorization", f"Bearer {key}")]


# What is needed


def test_each_page_needs_what_its_call_needs():
    needs = {(call.method, call.path): call.scope for call in CALLS}
    own = [page for page in PAGES if page.scope is not Scope.OPEN]

    assert {(page.method, page.path): page.scope for page in own} == {
        (page.method, page.path): needs[CALL_OF.get((page.method, page.path), (page.method, page.path))] for page in own
    }
    assert {page.path for page in PAGES if page.scope is Scope.OPEN} == {"/sign-in", "/sign-out", "/theme"}


async def test_what_was_changed_at_a_destination_is_shown_to_those_who_may_see_the_audit_log():
    async with keyed() as pages:
        await pages.send("/new", TASK, headers=showing(OWNER))
        gate = (await pages.service.destinations.page(after=0, limit=1))[0].record.gate.id
        await pages.send(f"/destinations/{gate}/pause", {}, headers=showing(OWNER))

        seen = [(await pages.get(f"/destinations/{gate}", headers=showing(key))).text for key in (OWNER, READER)]

    assert ["What happened to it" in text for text in seen] == [True, False]


async def test_nodes_are_shown_to_those_who_may_see_them():
    async with keyed() as pages:
        seen = [(await pages.get("/", headers=showing(key))).text for key in (OWNER, READER)]

    assert ["Nodes</h2>" in text for text in seen] == [True, False]


# Secrets


async def test_a_schedule_whose_task_is_left_as_it_is_shown_keeps_its_secrets():
    task = '{"webhook": {"url": "http://a.example/", "headers": {"x-key": "canary-1"}}}'
    plan = {"cron": "0 9 * * *", "time_zone": "UTC", "name": "a", "task": task}
    async with pages_on() as pages:
        await pages.send("/new-schedule", plan)
        shown = await pages.get("/schedules/a/edit")
        masked = '{"webhook": {"url": "http://a.example/", "headers": {"x-key": "***"}}}'

        changed = await pages.send("/schedules/a/edit", {**plan, "cron": "0 10 * * *", "task": masked})
        moved = await pages.send("/schedules/a/edit", {**plan, "task": masked.replace("a.example", "b.example")})
        schedule = await pages.store.schedule("a")

    assert "canary-1" not in shown.text
    assert (changed.status, moved.status) == (303, 400)
    assert schedule.plan.cron == "0 10 * * *"
    assert b"canary-1" in bytes(schedule.template.payload)


# What fails


@pytest.mark.parametrize("error", [StoreUnavailableError("the disk is gone"), StoreBusyError()])
async def test_a_database_that_does_not_answer_is_said_with_a_next_step(error):
    async with pages_on() as pages:
        pages.service.finding.page = pages.service.tasks.create = failing(error)

        read = await pages.get("/tasks")
        sent = await pages.send("/new/json", {"text": '{"webhook": {"delay": "1h", "url": "http://a/"}}'})

    assert (read.status, read.headers["cache-control"]) == (503, "no-store")
    assert "Try again" in read.text
    assert "http://a/" in sent.text


async def test_a_page_that_fails_before_its_first_byte_is_an_error_page():
    async with pages_on() as pages:
        pages.service.events.reading = failing_at_once(TooManyReadersError())

        answer = await pages.get("/live")

    assert answer.status == 503
    assert "content-security-policy" in answer.headers


async def test_a_file_that_fails_half_way_is_visibly_cut_short():
    async with pages_on() as pages:
        await filled(pages, _EXPORTED + 1)
        whole = await pages.get("/tasks/export.ndjson")
        find = pages.service.finding.page

        async def once(*args, cursor, **named):
            if cursor is not None:
                raise StoreUnavailableError("the disk is gone")
            return await find(*args, cursor=cursor, **named)

        pages.service.finding.page = once
        half = await pages.get("/tasks/export.ndjson")

    assert (whole.is_whole, whole.text.count("\n")) == (True, _EXPORTED + 1)
    assert (half.is_whole, half.text.count("\n")) == (False, _EXPORTED)


async def test_of_a_file_there_are_two_forms_and_a_head_that_reads_none_of_it():
    async with pages_on() as pages:
        await filled(pages, 2)

        assert (await pages.get("/tasks/export.xml")).status == 404
        head = await pages.get("/tasks/export.csv", method="HEAD")

    assert (head.status, head.headers["content-type"], head.text) == (200, "text/csv; charset=utf-8", "")


async def test_a_method_that_a_page_does_not_take_is_refused_with_those_that_it_takes():
    async with pages_on() as pages:
        answer = await pages.send("/tasks", {})

    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("kind", STORES)
async def test_every_page_that_needs_no_id_is_there_on_every_store(kind):
    async with pages_on(kind) as pages:
        await filled(pages, 3)
        paths = [page.path for page in PAGES if page.method == "GET" and "{" not in page.path and page.path != "/live"]

        statuses = {path: (await pages.get(path)).status for path in paths}

    assert statuses == {path: 303 if path == "/sign-in" else 200 for path in paths}


async def filled(pages, count):
    one = pages.context.new_tasks.decode(b'{"webhook": {"delay": "1h", "url": "http://a.example/"}}')
    for _ in range(count):
        await pages.service.tasks.create(callers.OWNER, one)


def failing(error):
    async def fail(*_, **__):
        raise error

    return fail


def failing_at_once(error):
    def fail(*_, **__):
        raise error

    return fail
