"""What a task was given is read once on its way, by the decoder of its type."""

import msgspec
import pytest
from structlog.testing import capture_logs

from tasker.engine import worker
from tasker.interfaces.tasks import TaskFilter
from tasker.model.task import State
from tasker.wire.fields import TaskFields

pytestmark = pytest.mark.anyio


class CountedFields(TaskFields, frozen=True, kw_only=True):
    do: str

    def __post_init__(self):
        reads.append(self)


reads = []


@pytest.fixture
def idle_bench(idle_bench):
    """Its first type counts how often its fields are read."""
    reads.clear()
    idle_bench.types[0].fields = CountedFields
    jobs = idle_bench.engine._worker._jobs
    jobs["scripted"] = worker._Job(idle_bench.types[0], jobs["scripted"].timeouts)
    return idle_bench


async def callbacks_of(bench, parent):
    listed = (await bench.store.list_page(TaskFilter(), after=None, limit=99)).tasks
    return [msgspec.json.decode(task.payload) for task in listed if task.parent_id == parent]


@pytest.mark.parametrize(("do", "told"), [("succeed", "on_failure"), ("fail", "on_success")])
async def test_a_payload_is_read_once_for_the_attempt_the_policy_and_what_may_follow(
    bench, clock, monkeypatch, do, told
):
    def read_again(_):
        raise AssertionError("it was read already")

    monkeypatch.setattr("tasker.wire.fields.decode_end_fields", read_again)
    task = await bench.add(do, at=1, max_attempts=1, told={told: "http://c:82/told"})
    await clock.advance(1)

    assert (len(reads), bench.telemetry.done + bench.telemetry.failed) == (1, 1)
    assert await callbacks_of(bench, task) == []


@pytest.mark.parametrize(
    "payload",
    [b'{"do":5,"on_failure":"http://c/told"}', b'{"on_failure":"http://c/told"}'],
    ids=["another type", "a member is missing"],
)
async def test_a_payload_that_its_type_cannot_read_ends_the_task_for_good_and_whoever_asked_is_told(
    bench, clock, payload
):
    task = await bench.add(None, at=1, payload=payload)
    following = await bench.add("succeed", at=1)
    with capture_logs() as logged:
        await clock.advance(100)

    ended = await bench.store.get(task)
    assert (ended.state, ended.attempts, ended.last_fault.code) == (State.FAILED, 1, "unreadable_payload")
    assert ended.last_fault.msg == "the fields that are stored with the task are not those of the task type scripted"
    assert [line["task_id"] for line in logged if line["log_level"] == "error"] == [task]
    [callback] = await callbacks_of(bench, task)
    assert callback["json"]["error"]["code"] == "unreadable_payload"
    assert [start[0] for start in bench.starts] == [following]


@pytest.mark.parametrize("payload", [b'{"do":"succe', b'{"do":"\xff"}', b"[" * 100_000, b"7"])
async def test_a_payload_that_nobody_can_read_ends_its_own_task_alone(bench, clock, payload):
    task = await bench.add(None, at=1, payload=payload)
    following = await bench.add("succeed", at=1)
    await clock.advance(1)

    assert (await bench.store.get(task)).last_fault.code == "unreadable_payload"
    assert [start[0] for start in bench.starts] == [following]


async def test_the_end_of_a_task_whose_type_is_gone_is_told(bench, clock):
    gone = type(bench.types[0])(clock, name="gone")
    task = await bench.add("succeed", at=1, type_=gone, told={"on_failure": "http://c/told"})
    await clock.advance(1)

    [callback] = await callbacks_of(bench, task)
    assert callback["json"]["error"]["code"] == "unknown_task_type"
