"""tasker in the process of a test: the real thing, on a clock that stands still."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

import tasker
from tasker.config import Settings
from tasker.testing.memory import TaskerMemory
from tasker.testing.recording_client import Answered

HOOK = "https://shop.example/hook"


@pytest.fixture
def memory():
    with TaskerMemory() as started:
        started.clock.set("2027-03-27T12:00:00Z")
        yield started


def test_nothing_starts_before_the_clock_is_moved_or_somebody_says_so(memory):
    memory.client.schedule(HOOK, delay=0, json={"order": 17})
    memory.client.schedule(HOOK, delay="1h", json={"order": 18})
    assert memory.assert_scheduled(HOOK, json={"order": 17}, within=0).state == "todo"
    assert memory.sent == []
    memory.run_due()
    assert [sent.json for sent in memory.sent] == [{"order": 17}]
    memory.clock.advance("59m")
    assert len(memory.sent) == 1
    memory.clock.advance("1m")
    assert [sent.json for sent in memory.sent] == [{"order": 17}, {"order": 18}]


def test_what_is_sent_is_recorded_as_its_receiver_would_get_it(memory):
    memory.client.schedule(HOOK, delay="1h", json={"order": 17}, headers={"X-Shop": "1"}, method="PUT")
    memory.clock.advance("1h")
    (sent,) = memory.sent
    assert (sent.method, sent.url, sent.body) == ("PUT", HOOK, b'{"order":17}')
    assert sent.at == datetime(2027, 3, 27, 13, tzinfo=UTC)
    assert (sent.headers["x-shop"], sent.headers["content-type"]) == ("1", "application/json")


def test_answers_are_those_that_were_said_last_and_for_so_many_times(memory):
    memory.answer("https://shop.example/", 503)
    memory.answer(HOOK, 500, times=1)
    memory.refuse(HOOK, times=1)
    retry = {"max_attempts": 3, "initial_delay": 60, "factor": 1}
    id_ = memory.client.schedule(HOOK, delay=0, retry=retry).id
    memory.clock.advance("1d")
    codes = [attempt.error.code for attempt in memory.client.attempts(id_)]
    assert codes == ["connect_refused", "status_500", "status_503"]
    assert len(memory.sent) == 2, "what was refused did not arrive"


def test_waits_of_retries_have_no_jitter(memory):
    memory.answer(HOOK, 503, times=2)
    memory.client.schedule(HOOK, delay=0, retry={"max_attempts": 3, "initial_delay": 60, "factor": 2})
    memory.clock.advance("1d")
    first = memory.sent[0].at
    assert [sent.at - first for sent in memory.sent] == [timedelta(seconds=each) for each in (0, 60, 180)]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_function_may_answer(memory, is_async):
    def respond(sent):
        return Answered(429, {"retry-after": "3600"}) if sent.json["first"] else 200

    async def respond_async(sent):
        await asyncio.sleep(0)
        return respond(sent)

    memory.answer(HOOK, respond_async if is_async else respond)
    id_ = memory.client.schedule(HOOK, delay=0, json={"first": True}).id
    memory.run_due()
    task = memory.client.get(id_)
    assert (task.state, task.last_error.code) == ("todo", "status_429")


def test_callbacks_and_schedules_are_walked(memory):
    memory.client.schedule(HOOK, delay="1h", on_success="https://shop.example/told")
    memory.client.schedules.put("daily", {"webhook": {"url": HOOK + "/daily"}}, cron="0 9 * * *", time_zone="UTC")
    memory.clock.advance("3d")
    urls = [sent.url for sent in memory.sent]
    assert urls == [HOOK, "https://shop.example/told", *[HOOK + "/daily"] * 3]


def test_the_assertion_says_what_is_scheduled_instead(memory):
    memory.client.schedule(HOOK, delay="2h", key="order-17")
    with pytest.raises(AssertionError) as failed:
        memory.assert_scheduled(key="order-17", within="1h")
    assert "expected a task that is todo, key='order-17', due within 1h, found 0" in str(failed.value)
    assert "webhook due in 2:00:00 key='order-17' url='https://shop.example/hook'" in str(failed.value)
    memory.assert_scheduled(key="order-17", within="2h")
    memory.assert_scheduled(key="order-17", within=timedelta(hours=2), count=1)
    with pytest.raises(AssertionError, match="expected 2 tasks that are todo"):
        memory.assert_scheduled(HOOK, count=2)
    memory.assert_not_scheduled(key="order-18")
    with pytest.raises(AssertionError, match="expected no task"):
        memory.assert_not_scheduled(HOOK)


def test_of_several_that_fit_the_earliest_due_is_returned(memory):
    later = memory.client.schedule(HOOK, delay="2h").id
    sooner = memory.client.schedule(HOOK, delay="1h").id
    assert memory.assert_scheduled(HOOK).id == sooner
    assert [task.id for task in memory.scheduled()] == [sooner, later]


def test_refusals_are_those_of_a_server(memory):
    memory.client.schedule(HOOK, delay="1h", key="order-17")
    with pytest.raises(tasker.KeyInUse):
        memory.client.schedule(HOOK, delay="1h", key="order-17")
    with pytest.raises(tasker.InvalidTask):
        memory.client.schedule("ftp://x", delay="1h")


def test_waiting_for_an_end_is_told_when_the_clock_is_moved_elsewhere(memory):
    id_ = memory.client.schedule(HOOK, delay="1h").id
    ended = []
    waiting = threading.Thread(target=lambda: ended.append(memory.client.wait(id_, timeout=30)))
    waiting.start()
    memory.clock.advance("1h")
    waiting.join(30)
    assert ended[0].state == "done"


def test_a_client_that_waits_in_vain_waits_real_seconds(memory):
    id_ = memory.client.schedule(HOOK, delay="1h").id
    with pytest.raises(tasker.WaitTimedOut):
        memory.client.wait(id_, timeout=0.05)


def test_a_clock_that_runs_starts_what_is_due(memory):
    memory.clock.run()
    assert not memory.clock.is_frozen
    id_ = memory.client.schedule(HOOK, delay=0).id
    assert memory.client.wait(id_, timeout=30).state == "done"
    memory.clock.freeze()
    still = memory.client.schedule(HOOK, delay=0).id
    assert memory.client.get(still).state == "todo"


def test_asynchronous_code_uses_it_from_its_own_event_loop(memory):
    async def code():
        async with memory.async_client() as client:
            made = await client.schedule(HOOK, delay="1h")
            waiting = asyncio.create_task(client.wait(made.id, timeout=30))
            await asyncio.to_thread(memory.clock.advance, "1h")
            return await waiting

    assert asyncio.run(code()).state == "done"


def test_events_are_streamed(memory):
    async def code():
        async with memory.async_client() as client:
            events = client.events()
            reading = asyncio.create_task(anext(events))
            while not reading.done():
                await client.schedule(HOOK, delay="1h")
                await asyncio.sleep(0.01)
            await events.aclose()
            return reading.result()

    assert asyncio.run(asyncio.wait_for(code(), 30)).event == "created"


def test_a_naive_moment_is_refused(memory):
    with pytest.raises(tasker.NaiveTimeError):
        memory.clock.set(datetime(2027, 1, 1))  # noqa: DTZ001 - as the test says


def test_its_settings_may_be_others(memory):
    settings = Settings(api_keys=("0123456789abcdef0123 admin root",))
    with TaskerMemory(settings) as other:
        other.client.schedule(HOOK, delay=0)
        other.run_due()
        assert len(other.sent) == 1
    assert memory.sent == [], "each has its own"


def test_variables_of_whoever_runs_the_test_do_not_matter(monkeypatch):
    monkeypatch.setenv("TASKER_KEY_FILE", "/nowhere")
    monkeypatch.setenv("TASKER_URL", "http://production.example")
    with TaskerMemory() as other:
        other.client.schedule(HOOK, delay=0)
        other.assert_scheduled(HOOK)
