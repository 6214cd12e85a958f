"""What a caller sees when the store fails, and when tasker has a defect."""

import pytest
from rest_server import HASH, problem_in, running

from tasker.errors import StoreBusyError, StoreFullError, StoreUnavailableError, TaskExistsError
from tasker.interfaces.tasks import Page

pytestmark = pytest.mark.anyio


class Failing:
    """A part of a service whose calls raise what they are told to."""

    def __init__(self, error):
        self.error = error

    async def _fail(self, *_, **__):
        raise self.error

    create = get = change = delete = run = cancel = retry = attempts = explain = stats = nodes = page = pause = (
        resume
    ) = limit = _fail


def failing(error):
    """Let every call that reaches a store raise *error*."""

    def fail(service):
        service.tasks = service.destinations = service.server = Failing(error)
        return service

    return fail


class FailingLater:
    """Tasks whose lists raise what they are told to after so many pages."""

    def __init__(self, tasks, error=None, *, pages=0):
        self._tasks, self.error, self._pages = tasks, error, pages

    def __getattr__(self, name):
        return getattr(self._tasks, name)

    async def page(self, caller, which, *, after, limit):
        if self._pages == 0:
            raise self.error
        self._pages -= 1
        return Page((await self._tasks.page(caller, which, after=None, limit=1)).tasks, "x")


CALLS = [
    ("POST", "/tasks/new", HASH),
    ("GET", "/tasks/019bbade-01c6-7d11-821f-bc1538901f12", None),
    ("PATCH", "/tasks/019bbade-01c6-7d11-821f-bc1538901f12", {"hash": {"secret": "x"}}),
    ("DELETE", "/tasks/019bbade-01c6-7d11-821f-bc1538901f12", None),
    ("POST", "/tasks/019bbade-01c6-7d11-821f-bc1538901f12/retry", None),
    ("POST", "/tasks/019bbade-01c6-7d11-821f-bc1538901f12/run", None),
    ("POST", "/tasks/019bbade-01c6-7d11-821f-bc1538901f12/cancel", None),
    ("GET", "/tasks/019bbade-01c6-7d11-821f-bc1538901f12/attempts", None),
    ("GET", "/tasks/019bbade-01c6-7d11-821f-bc1538901f12/explain", None),
    ("GET", "/destinations", None),
    ("GET", "/destinations/1", None),
    ("PATCH", "/destinations/1", {"max_running": 1}),
    ("POST", "/destinations/1/pause", None),
    ("POST", "/destinations/1/resume", None),
    ("GET", "/tasks/type/hash", None),
    ("GET", "/tasks/state/todo?limit=1", None),
    ("HEAD", "/tasks/state/todo", None),
    ("GET", "/stats", None),
    ("GET", "/nodes", None),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: " ".join(call[:2]))
@pytest.mark.parametrize(
    ("error", "status", "code", "retry_after"),
    [
        (StoreUnavailableError("I/O error", retry_after=3), 503, "store_unavailable", "3"),
        (StoreBusyError(), 503, "store_busy", "1"),
        (StoreFullError("disk full"), 507, "store_full", "1"),
        (TaskExistsError("x"), 409, "task_exists", None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_an_error_of_the_store_has_its_status(call, error, status, code, retry_after):
    async with running(service_of=failing(error)) as server:
        reply = await server.call(*call)

        assert (reply.status, reply.headers.get("retry-after")) == (status, retry_after)
        if call[0] != "HEAD":
            assert problem_in(reply) == str(error)
            assert reply.json["code"] == code


@pytest.mark.parametrize("call", CALLS, ids=lambda call: " ".join(call[:2]))
async def test_a_defect_is_answered_without_details_and_logged_without_the_request(call, logged):
    async with running(service_of=failing(ZeroDivisionError("inner secret"))) as server:
        reply = await server.call(*call)

        assert reply.status == 500
        assert b"inner" not in reply.body
        if call[0] != "HEAD":
            problem_in(reply)
        assert (await server.call("GET", "/healthz")).status == 200
    assert [(line["event"], line["method"]) for line in logged] == [("a request found a defect", call[0])]
    assert HASH["hash"]["secret"] not in str(logged)
    logged.clear()  # that one is meant to have a traceback


@pytest.mark.parametrize("error", [StoreUnavailableError("I/O error"), ZeroDivisionError("inner")])
async def test_a_list_that_fails_half_way_ends_without_its_end_and_with_one_line_in_the_log(error, logged, caplog):
    async with running(lambda tasks: FailingLater(tasks, error, pages=2)) as server:
        await server.new()
        raw = await server.raw("GET /tasks/state/todo HTTP/1.1\r\nhost: localhost\r\n\r\n")

        assert raw.startswith(b"HTTP/1.1 200 OK")
        assert b'[{"hash":{' in raw
        assert not raw.endswith(b"0\r\n\r\n")
        assert (await server.call("GET", "/healthz")).status == 200
    assert [line["event"] for line in logged] == ["an answer was cut short"]
    assert "inner" not in str(logged)
    assert caplog.records == []


async def test_a_server_that_cannot_write_is_not_ready_but_alive():
    def ailing(service):
        service.server.unready = lambda: "disk full"
        return service

    async with running(service_of=ailing) as server:
        ready, alive = await server.call("GET", "/readyz"), await server.call("GET", "/healthz")

    assert (ready.status, ready.json) == (503, {"status": "unavailable", "reason": "disk full"})
    assert ready.headers["retry-after"] == "1"
    assert alive.status == 200


async def test_an_empty_first_page_does_not_break_the_array():
    class Gappy(FailingLater):
        async def page(self, caller, which, *, after, limit):
            place = int(after or 0)
            tasks = (await self._tasks.page(caller, which, after=None, limit=1)).tasks
            return Page(tasks if place % 2 else [], str(place + 1) if place < 3 else None)

    async with running(Gappy) as server:
        await server.new()
        assert len((await server.call("GET", "/tasks/type/hash")).json) == 2


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/stats", "/nodes"])
async def test_an_answer_ends_with_a_line_feed_so_that_a_prompt_follows_on_a_line_of_its_own(server, path):
    body = (await server.call("GET", path)).body
    assert body.endswith((b"}\n", b"]\n"))
    assert not body.endswith(b"\n\n")
