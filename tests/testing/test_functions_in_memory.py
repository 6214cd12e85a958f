"""An app's functions, called in the thread of the test."""

import asyncio
import threading

import pytest

import tasker
from tasker.testing.memory import TaskerMemory

app = tasker.App()
calls = []


@app.task("report.build", retry={"max_attempts": 3, "initial_delay": 60, "factor": 1, "jitter": 0.5})
def build(customer: int, *, month: str = "july") -> dict[str, int]:
    calls.append((customer, month, threading.current_thread().name, tasker.context().attempt))
    tasker.context().heartbeat(0.5, "half")
    if customer == 13:
        raise LookupError("no such customer")
    return {"rows": customer}


@app.task("report.send", timeout="1s")
async def send(address: str) -> None:
    calls.append((address, asyncio.get_running_loop()))
    await asyncio.sleep(60 if address == "slow" else 0)
    if address == "next":
        await build.options(delay="1h").schedule(7)


@pytest.fixture
def memory():
    calls.clear()
    with TaskerMemory(app=app) as started:
        started.clock.set("2027-03-27T12:00:00Z")
        yield started


def test_a_function_is_called_when_it_is_due_in_the_thread_of_the_test(memory):
    made = build.options(delay="1h", key="july").schedule_sync(42)
    memory.assert_scheduled(type="report.build", key="july", within="1h")
    memory.run_due()
    assert calls == []
    memory.clock.advance("1h")
    assert calls == [(42, "july", threading.current_thread().name, 1)]
    task = memory.client.get(made.id)
    assert (task.state, task.result) == ("done", {"rows": 42})
    assert task.ended_at == "2027-03-27T13:00:00.000000Z"


def test_retries_are_walked_and_the_error_is_kept(memory):
    made = build.schedule_sync(13)
    memory.clock.advance("1h")
    assert [call[3] for call in calls] == [1, 2, 3]
    task = memory.client.get(made.id)
    assert (task.state, task.last_error.msg) == ("failed", "LookupError: no such customer")
    ended = [attempt.ended_at for attempt in memory.client.attempts(made.id)]
    assert ended == [f"2027-03-27T12:0{minute}:00.000000Z" for minute in (0, 1, 2)]


def test_arguments_are_checked_as_ever(memory):
    with pytest.raises(tasker.TaskerError):
        build.schedule_sync("many")
    with pytest.raises(tasker.InvalidTask) as refused:
        memory.client.create("report.build", {"args": {"customer": "many"}}, delay=0)
    assert refused.value.field == "report.build.args.customer"


def test_webhooks_and_functions_are_walked_together_each_at_its_time(memory):
    memory.client.schedule("https://shop.example/", delay="30m")
    build.options(delay="1h").schedule_sync(1)
    build.options(delay="2h", on_success="https://shop.example/told").schedule_sync(2)
    memory.clock.advance("1d")
    assert [call[0] for call in calls] == [1, 2]
    assert [(sent.url, sent.at.hour) for sent in memory.sent] == [
        ("https://shop.example/", 12),
        ("https://shop.example/told", 14),
    ]


def test_what_a_function_schedules_is_called_within_the_same_walk(memory):
    send.options(delay="1h").schedule_sync("next")
    memory.clock.advance("2h")
    assert [call[0] for call in calls] == ["next", 7]


def test_an_async_function_is_called_in_a_loop_of_its_own(memory):
    send.schedule_sync("now")
    memory.run_due()
    assert calls[0][0] == "now"


def test_in_an_event_loop_it_is_called_there(memory):
    async def code():
        await send.options(delay="1h").schedule("now")
        await memory.advance_async("1h")
        assert calls == [("now", asyncio.get_running_loop())]
        await send.schedule("now")
        with pytest.raises(RuntimeError, match="await run_due_async"):
            memory.run_due()
        memory.assert_scheduled(type="report.send")
        await memory.run_due_async()
        memory.assert_not_scheduled(type="report.send")

    asyncio.run(code())


def test_an_async_function_is_stopped_at_its_timeout(memory):
    made = send.options(timeout=0.1).schedule_sync("slow")
    memory.run_due()
    assert memory.client.get(made.id).last_error.code == "timeout"


def test_while_everything_is_paused_no_function_is_called(memory):
    build.options(delay="1h").schedule_sync(1)
    memory.client.pause()
    memory.clock.advance("2h")
    assert calls == []
    memory.client.resume()
    memory.run_due()
    assert [call[0] for call in calls] == [1]


def test_the_app_calls_the_server_of_its_own_again_after_the_test(monkeypatch):
    monkeypatch.setenv("TASKER_URL", "http://127.0.0.1:9")
    loop = asyncio.new_event_loop()

    async def url():
        return app.async_client().url

    with TaskerMemory(app=app):
        build.schedule_sync(1)
        assert loop.run_until_complete(url()) == "http://localhost"
    try:
        assert app.client().url == loop.run_until_complete(url()) == "http://127.0.0.1:9"
    finally:
        loop.run_until_complete(app.aclose())
        loop.close()
