"""A worker, in this process, and the server that it calls: what becomes of calls, however they end."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import threading
from datetime import UTC, datetime, timedelta

import pytest
import rest_server

import tasker
from polling import holds
from tasker.client.asynchronous.client import AsyncClient
from tasker.errors import StartError
from tasker.task_types.function import function_types
from tasker.task_types.registry import Registry
from tasker.worker.context import About, Context
from tasker.worker.loading import load_app
from tasker.worker.processes import Processes
from tasker.worker.worker import Worker

pytestmark = pytest.mark.anyio

ONCE = {"max_attempts": 1}
AT_ONCE = {"max_attempts": 5, "initial_delay": 0}


@pytest.fixture
def app():
    return tasker.App()


class Place:
    """A server with an app, and a worker that can be started there."""

    def __init__(self, server, app):
        self.server, self.app = server, app
        self.client = AsyncClient(f"http://127.0.0.1:{server.port}", retries=0)
        self.stopping = asyncio.Event()
        self.working = None

    def start(self, **options):
        self.worker = Worker(self.app, self.client, **options)
        self.working = asyncio.ensure_future(self.worker.run(self.stopping))
        return self.worker

    async def stop(self):
        self.stopping.set()
        await self.working

    async def new(self, name, args=None, **members):
        return await self.server.new({name: {"delay": 0, "args": args or {}, **members}})

    async def shown(self, task_id):
        (shown,) = (await self.server.call("GET", f"/tasks/{task_id}")).json.values()
        return shown

    async def once(self, task_id, holds):
        """Return the task once *holds* says so of what is shown of it; fail if it does not soon."""
        async with asyncio.timeout(20):
            while not holds(shown := await self.shown(task_id)):  # noqa: ASYNC110 - as in ``polling.holds``
                await asyncio.sleep(0.01)
        return shown

    async def ended(self, task_id):
        return await self.once(task_id, lambda shown: shown["state"] in ("done", "failed", "cancelled"))


def has_progress(shown):
    return "progress" in shown


def asleep(app, **declared):
    """Declare the function ``f``, which sleeps; return what is set when it begins, and why it was cancelled."""
    began, seen = asyncio.Event(), []

    @app.task("f", **declared)
    async def f() -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append(tasker.context().over)
            raise

    return began, seen


@pytest.fixture
async def place_of(monkeypatch, app):
    original = rest_server.registry_of
    monkeypatch.setattr(
        rest_server, "registry_of", lambda clock, **how: Registry([*original(clock, **how).types, *function_types(app)])
    )
    async with contextlib.AsyncExitStack() as stack:

        async def make():
            place = Place(await stack.enter_async_context(rest_server.running()), app)
            stack.push_async_callback(place.client.close)

            async def end():
                if place.working is not None:
                    place.worker._grace = timedelta(0)
                    await place.stop()

            stack.push_async_callback(end)
            return place

        yield make


async def test_functions_of_both_kinds_are_called_and_their_results_kept(app, place_of):
    @app.task("a.sync")
    def sync(number: int, more: int = 1) -> int:
        return number + more

    @app.task("a.asynchronous")
    async def asynchronous(number: int) -> dict[str, int]:
        return {"number": number}

    place = await place_of()
    place.start()
    one, two = await place.new("a.sync", {"number": 4}), await place.new("a.asynchronous", {"number": 4})
    assert (await place.ended(one))["result"] == 5
    assert (await place.ended(two))["result"] == {"number": 4}


async def test_a_function_that_returns_nothing_has_no_result(app, place_of):
    @app.task("f")
    def f() -> None:
        pass

    place = await place_of()
    place.start()
    shown = await place.ended(await place.new("f"))
    assert shown["state"] == "done"
    assert "result" not in shown


async def test_the_context_tells_of_the_attempt(app, place_of):
    seen = []

    @app.task("f", timeout=60)
    def f() -> None:
        context = tasker.context()
        seen.append(context)
        if context.attempt == 1:
            raise tasker.Retry("again", after=0)

    place = await place_of()
    place.start()
    task_id = await place.new("f", key="k", tags=["a"], retry=AT_ONCE)
    assert (await place.ended(task_id))["attempts"] == 2
    one, two = seen
    assert (one.task_id, one.name, one.key, list(one.tags)) == (task_id, "f", "k", ["a"])
    assert (one.attempt, two.attempt) == (1, 2)
    assert one.execution_time == two.execution_time
    assert one.deadline is not None
    assert one.over is None


async def test_the_context_of_a_call_is_its_own(app, place_of):
    @app.task("f")
    async def f(pause: float) -> str:
        await asyncio.sleep(pause)
        return tasker.context().task_id

    place = await place_of()
    place.start()
    ids = [await place.new("f", {"pause": 0.05 - n / 100}) for n in range(5)]
    assert [(await place.ended(task_id))["result"] for task_id in ids] == ids


async def test_progress_is_shown_while_the_function_runs(app, place_of):
    going = threading.Event()

    @app.task("f")
    def f() -> None:
        tasker.context().heartbeat(0.25, "a quarter")
        tasker.context().heartbeat(msg="a little more")
        assert going.wait(20)

    place = await place_of()
    place.start()
    task_id = await place.new("f")
    shown = await place.once(task_id, has_progress)
    assert (shown["progress"]["progress"], shown["progress"]["msg"]) == (0.25, "a little more")
    going.set()
    await place.ended(task_id)


@pytest.mark.parametrize(
    ("said", "shown_as"),
    [("x" * 100_000, "x" * 1000), ("\ud800 two\nlines\0", "? two lines"), (404, "404")],
    ids=["long", "control", "a number"],
)
async def test_whatever_a_function_says_of_its_progress_costs_it_nothing(app, place_of, said, shown_as):
    going = threading.Event()

    @app.task("f")
    def f() -> bool:
        tasker.context().heartbeat(0.25, said)
        return going.wait(20) and tasker.context().over is None

    place = await place_of()
    place.start()
    task_id = await place.new("f")
    shown = await place.once(task_id, has_progress)
    assert shown["progress"]["msg"] == shown_as
    going.set()
    assert (await place.ended(task_id))["result"] is True


async def test_an_exception_fails_the_attempt_and_another_one_follows(app, place_of):
    @app.task("f", retry=AT_ONCE)
    async def f() -> int:
        if tasker.context().attempt < 3:
            raise KeyError("x")
        return tasker.context().attempt

    place = await place_of()
    place.start()
    task_id = await place.new("f")
    shown = await place.ended(task_id)
    assert (shown["state"], shown["attempts"], shown["result"]) == ("done", 3, 3)
    records = (await place.server.call("GET", f"/tasks/{task_id}/attempts")).json
    assert [record["error"] and record["error"]["code"] for record in records] == ["key_error", "key_error", None]
    assert "KeyError: 'x'" in records[0]["error"]["details"]["traceback"]


async def test_retry_waits_at_least_as_long_as_it_says(app, place_of):
    @app.task("f", retry=AT_ONCE)
    def f() -> None:
        if tasker.context().attempt == 1:
            raise tasker.Retry("busy", after="5m")

    place = await place_of()
    place.start()
    task_id = await place.new("f")
    shown = await place.once(task_id, lambda shown: (shown["state"], shown["attempts"]) == ("todo", 1))
    assert (shown["last_error"]["code"], shown["last_error"]["msg"]) == ("retry", "busy")
    await place.server.clock.advance(299)
    await asyncio.sleep(0.05)
    assert (await place.shown(task_id))["attempts"] == 1
    await place.server.clock.advance(1)
    assert (await place.ended(task_id))["attempts"] == 2


async def test_fail_ends_the_task_whatever_the_policy_says(app, place_of):
    @app.task("f", retry=AT_ONCE)
    def f() -> None:
        raise tasker.Fail("no such customer", code="no_customer")

    place = await place_of()
    place.start()
    shown = await place.ended(await place.new("f"))
    assert (shown["state"], shown["attempts"]) == ("failed", 1)
    assert (shown["last_error"]["code"], shown["last_error"]["msg"]) == ("no_customer", "no such customer")


class SpeechlessError(Exception):
    def __str__(self):
        return self.args[0]  # there is none


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), SpeechlessError()])
@pytest.mark.parametrize("is_async", [False, True])
async def test_nothing_that_a_function_raises_ends_the_worker(app, place_of, error, is_async):
    if is_async:

        @app.task("f", retry=ONCE)
        async def f() -> None:
            raise error
    else:

        @app.task("f", retry=ONCE)
        def g() -> None:
            raise error

    place = await place_of()
    place.start()
    for _ in range(2):
        shown = await place.ended(await place.new("f"))
        assert (shown["state"], shown["last_error"]["code"]) == (
            "failed",
            {SystemExit: "system_exit", KeyboardInterrupt: "keyboard_interrupt"}.get(type(error), "speechless_error"),
        )


async def test_arguments_that_the_release_of_the_worker_does_not_take_fail_for_good(app, place_of):
    called = []

    @app.task("f", retry=AT_ONCE)
    def f(customer: int) -> None:
        called.append(customer)

    newer = tasker.App()

    @newer.task("f")
    def g(customer: str, colour: str) -> None:
        called.append(customer)

    place = await place_of()
    place.app = newer
    place.start()
    shown = await place.ended(await place.new("f", {"customer": 4}))
    assert (shown["state"], shown["attempts"], called) == ("failed", 1, [])
    assert shown["last_error"]["code"] == "bad_arguments"
    assert "the arguments do not fit f: " in shown["last_error"]["msg"]


async def test_an_async_function_past_its_timeout_is_cancelled(app, place_of):
    _, seen = asleep(app, timeout=0.1, retry=ONCE)
    place = await place_of()
    worker = place.start()
    shown = await place.ended(await place.new("f"))
    assert (shown["last_error"]["code"], shown["last_error"]["msg"]) == (
        "timeout",
        "it took longer than its timeout of 0.1 s",
    )
    assert seen == ["timeout"]
    await holds(lambda: not worker._running)


async def test_the_timeout_of_a_task_counts_in_place_of_that_of_the_function(app, place_of):
    asleep(app, timeout="10m", retry=ONCE)
    place = await place_of()
    place.start()
    shown = await place.ended(await place.new("f", timeout=0.1))
    assert shown["last_error"]["code"] == "timeout"


async def test_a_thread_past_its_timeout_keeps_its_slot_and_page_and_log_say_so(app, place_of, caplog):
    going, over = threading.Event(), []

    @app.task("f", timeout=0.1, retry=AT_ONCE)
    def f(is_slow: bool) -> str:
        if is_slow and tasker.context().attempt == 1:
            assert going.wait(20)
            with contextlib.suppress(tasker.AttemptOverError):
                tasker.context().check()
            over.append(tasker.context().over)
        return f"attempt {tasker.context().attempt}"

    caplog.set_level(logging.INFO, "tasker.worker")
    place = await place_of()
    worker = place.start(slots=2)
    task_id = await place.new("f", {"is_slow": True})
    shown = await place.ended(task_id)  # by a retry, in the other slot, while the thread still runs
    assert (shown["state"], shown["attempts"], shown["result"]) == ("done", 2, "attempt 2")
    (first, _) = (await place.server.call("GET", f"/tasks/{task_id}/attempts")).json
    assert first["error"]["code"] == "timeout"
    assert first["error"]["msg"] == (
        f"it took longer than its timeout of 0.1 s; the function still runs on the worker {worker.name}, "
        "whose slot stays taken until it returns"
    )
    await holds(lambda: len(worker._running) == 1)
    assert "its slot stays taken until it returns" in caplog.text
    assert (await place.ended(await place.new("f", {"is_slow": False})))["state"] == "done"
    assert len(worker._running) == 1
    going.set()
    await holds(lambda: not worker._running)
    assert over == ["timeout"]
    assert "its slot is free, what it returned is dropped" in caplog.text


async def test_no_more_is_claimed_than_there_are_slots(app, place_of):
    going, running = threading.Event(), []

    @app.task("a")
    def a() -> None:
        running.append("a")
        assert going.wait(20)

    @app.task("b")
    def b() -> None:
        running.append("b")
        assert going.wait(20)

    place = await place_of()
    ids = [await place.new(name) for name in "aabbaabb"]
    place.start(slots=3)
    await holds(lambda: len(running) == 3)
    await asyncio.sleep(0.05)
    states = [(await place.shown(task_id))["state"] for task_id in ids]
    assert (len(running), states.count("in_progress")) == (3, 3)
    going.set()
    for task_id in ids:
        assert (await place.ended(task_id))["state"] == "done"


async def test_a_cancelled_task_stops_its_function(app, place_of):
    began, seen = asleep(app)
    place = await place_of()
    worker = place.start(lease=timedelta(seconds=3))
    task_id = await place.new("f")
    await began.wait()
    await place.server.call("POST", f"/tasks/{task_id}/cancel")
    await holds(lambda: not worker._running)
    assert seen == ["cancelled"]
    assert (await place.shown(task_id))["state"] == "cancelled"


async def test_an_attempt_that_others_have_now_is_stopped(app, place_of):
    began, seen = asleep(app)
    place = await place_of()
    worker = place.start(lease=timedelta(seconds=3))
    task_id = await place.new("f")
    await began.wait()
    await place.server.call("POST", f"/tasks/{task_id}/cancel")
    await place.server.call("DELETE", f"/tasks/{task_id}")
    await holds(lambda: not worker._running)
    assert seen == ["lost"]


async def test_only_some_functions_are_run_if_the_worker_is_told_so(app, place_of):
    for name in ("a", "b"):
        app.task(name)(lambda: None)
    place = await place_of()
    place.start(only=["b"])
    a, b = await place.new("a"), await place.new("b")
    assert (await place.ended(b))["state"] == "done"
    assert (await place.shown(a))["state"] == "todo"
    with pytest.raises(StartError, match="the app has no function 'c'; it has a, b"):
        Worker(app, place.client, only=["c"])


async def test_a_worker_that_is_told_to_stop_lets_calls_end_and_takes_nothing_new(app, place_of):
    began, going = asyncio.Event(), asyncio.Event()

    @app.task("f")
    async def f() -> str:
        began.set()
        await going.wait()
        return "done in time"

    place = await place_of()
    place.start(slots=1)
    one = await place.new("f")
    await began.wait()
    place.stopping.set()
    two = await place.new("f")
    await asyncio.sleep(0.05)
    assert not place.working.done()
    going.set()
    await place.working
    assert (await place.shown(one))["result"] == "done in time"
    assert (await place.shown(two))["state"] == "todo"


async def test_what_is_left_after_the_grace_period_goes_back_and_uses_up_no_attempt(app, place_of):
    began, going = [], threading.Event()

    @app.task("a")
    async def a() -> None:
        began.append("a")
        await asyncio.sleep(60)

    @app.task("b")
    def b() -> None:
        began.append("b")
        going.wait(20)

    place = await place_of()
    place.start(grace=timedelta(seconds=0.05))
    ids = [await place.new("a"), await place.new("b")]
    await holds(lambda: len(began) == 2)
    await place.stop()
    for task_id in ids:
        shown = await place.shown(task_id)
        assert (shown["state"], shown["attempts"], shown["last_error"]) == ("todo", 0, None)
    going.set()


async def test_a_worker_waits_for_a_server_that_is_away_and_tells_it_what_has_ended(app, place_of, caplog):
    going = asyncio.Event()

    @app.task("f")
    async def f() -> str:
        await going.wait()
        return "kept"

    place = await place_of()
    worker = place.start()
    task_id = await place.new("f")
    await holds(lambda: len(worker._running) == 1)
    port = place.server.port
    await place.server.stop()
    going.set()
    await holds(lambda: "cannot tell how an attempt ended, trying again" in caplog.text)
    await holds(lambda: "cannot claim tasks, trying again" in caplog.text)
    import socket  # noqa: PLC0415 - only here

    original = socket.create_server
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(socket, "create_server", lambda _, **how: original(("127.0.0.1", port), **how))
        async with rest_server.listening(place.server):
            assert (await place.ended(task_id))["result"] == "kept"
            await place.stop()


PROCESSES = """
import os, sys, time
import tasker

app = tasker.App()


@app.task("work")
def work(what: str) -> object:
    context = tasker.context()
    if what == "pid":
        print("a function may print")
        return os.getpid()
    if what == "sleep":
        context.heartbeat(0.5, "asleep")
        time.sleep(60)
    if what == "die":
        os.kill(os.getpid(), 9)
    if what == "exit":
        sys.exit(3)
    if what == "raise":
        raise tasker.Fail("no", code="no_way")
    return [context.attempt, context.key]


@app.task("loop")
async def loop() -> int:
    return os.getpid()
"""


@pytest.fixture
async def processes(tmp_path, monkeypatch):
    (tmp_path / "work_of_processes.py").write_text(PROCESSES)
    monkeypatch.chdir(tmp_path)
    processes = Processes("work_of_processes:app", ("INFO", "json"))
    yield processes
    await processes.close()


@pytest.fixture
async def place_with_processes(processes, place_of, app, monkeypatch):
    app._functions.update(load_app("work_of_processes:app").functions)
    place = await place_of()
    place.start(slots=2, processes=processes)
    return place


async def test_functions_run_in_processes_which_are_used_again(place_with_processes):
    place = place_with_processes
    pids = {(await place.ended(await place.new("work", {"what": "pid"})))["result"] for _ in range(3)}
    assert len(pids) == 1
    assert pids != {os.getpid()}
    assert (await place.ended(await place.new("loop")))["result"] == os.getpid()
    task_id = await place.new("work", {"what": "tell"}, key="k")
    assert (await place.ended(task_id))["result"] == [1, "k"]


async def test_a_process_past_its_timeout_is_killed_and_replaced(place_with_processes, processes):
    place = place_with_processes
    before = (await place.ended(await place.new("work", {"what": "pid"})))["result"]
    shown = await place.ended(await place.new("work", {"what": "sleep"}, timeout=0.5, retry=ONCE))
    assert (shown["last_error"]["code"], shown["last_error"]["msg"]) == (
        "timeout",
        "it took longer than its timeout of 0.5 s",
    )
    assert shown["progress"]["msg"] == "asleep"
    with pytest.raises(ProcessLookupError):
        os.kill(before, signal.SIGCONT)
    after = (await place.ended(await place.new("work", {"what": "pid"})))["result"]
    assert after != before


@pytest.mark.parametrize(
    ("what", "code", "msg"),
    [
        ("die", "process_ended", "the process of the function ended before it: it was ended by SIGKILL"),
        ("exit", "system_exit", "SystemExit: 3"),
        ("raise", "no_way", "no"),
    ],
)
async def test_what_happens_in_a_process_fails_the_attempt_alone(place_with_processes, what, code, msg):
    place = place_with_processes
    shown = await place.ended(await place.new("work", {"what": what}, retry=ONCE))
    assert (shown["last_error"]["code"], shown["last_error"]["msg"]) == (code, msg)
    assert (await place.ended(await place.new("work", {"what": "pid"})))["state"] == "done"


async def test_the_process_of_a_cancelled_task_is_killed(place_with_processes):
    place = place_with_processes
    place.worker._lease = timedelta(seconds=3)
    task_id = await place.new("work", {"what": "sleep"})
    await place.once(task_id, has_progress)
    await place.server.call("POST", f"/tasks/{task_id}/cancel")
    await holds(lambda: not place.worker._running)
    assert (await place.shown(task_id))["state"] == "cancelled"


async def test_processes_end_with_the_worker(place_with_processes, processes):
    place = place_with_processes
    pid = (await place.ended(await place.new("work", {"what": "pid"})))["result"]
    await place.stop()
    await processes.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def call_of(processes, what):
    about = About(name="work", execution_time=datetime.now(UTC))
    return processes.start(
        load_app(processes._place).functions["work"], json.dumps({"what": what}).encode(), Context(about)
    )


async def test_to_stop_a_call_that_has_ended_does_nothing_to_the_next_one_in_its_process(processes):
    first = call_of(processes, "pid")
    await asyncio.wait({first._task})
    first.stop()  # its timeout has come at the very moment
    second = call_of(processes, "pid")
    assert (await first.ended).result == (await second.ended).result


async def test_nothing_is_left_open_of_a_process_that_has_ended(processes):
    call = call_of(processes, "die")
    assert (await call.ended).code == "process_ended"
    assert call._process._writer.is_closing()
    assert processes._all == set()
