"""What users write. Lines that are marked must be refused by both checkers, and no others."""

from datetime import UTC, datetime, timedelta
from typing import assert_type
from zoneinfo import ZoneInfo

from msgspec import UnsetType

import tasker
from tasker import webhooks
from tasker.client.options import NewWebhook, WebhookOptions
from tasker.wire.explanations import Explanation
from tasker.wire.tasks import AtLeast, Created, CreatedInBatch


def synchronous(client: tasker.Client) -> None:
    made = client.schedule("http://x", delay=timedelta(days=1), json={"a": [1]}, tags=("a",), retry={"max_attempts": 1})
    assert_type(made, Created)
    client.schedule("http://x", at=datetime.now(UTC), body=b"x", headers={"a": "b"}, success=["2xx", 404])
    client.schedule("http://x", local_time="2027-03-28T09:00:00", time_zone=ZoneInfo("Europe/Berlin"), retry="standard")
    client.schedule("http://x", dealy=60)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.schedule("http://x", at=60)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.schedule("http://x", on_conflict="drop")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.schedule(delay=60)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.create("job", {"queue": "a"}, delay=60, method="GET")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]

    again: WebhookOptions = {"delay": "1h", "key": made.id}
    client.schedule("http://x", **again)
    items: list[NewWebhook] = [{"url": "http://x", "delay": 1}]
    for each in client.schedule_many(items, on_progress=print):
        assert_type(each, CreatedInBatch)
    client.schedule_many({"type": "job", "queue": str(number), "delay": 1} for number in range(3))

    task = client.get(made.id)
    assert_type(task, tasker.Task)
    assert_type(task.key, str | UnsetType)
    task.state = "done"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    if task.state == "done" and task.last_error is not None:
        assert_type(task.last_error.code, str)
    for found in client.find(state=["todo", "failed"], due_after=datetime.now(UTC), limit=3):
        assert_type(found, tasker.Task)
    client.find(colour="blue")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    assert_type(client.count(tag="a"), int | AtLeast)
    assert_type(client.run(made.id), tasker.Task | Explanation)
    client.update(made.id, delay="1d", on_failure=None)
    client.update(made.id, key="a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    assert_type(client.by_key("a").cancel(), tasker.Task)
    for job in client.queues.claim("reports", max=10, wait=20, lease="5m"):
        assert_type(job, tasker.Job)
        client.completions.complete(job.token, job.json)
    for event in client.events(type="webhook"):
        assert_type(event, tasker.Event)
    client.schedules.put("a", {"url": "http://x"}, cron="@daily", time_zone="UTC")
    client.schedules.put("a", "http://x", cronn="@daily")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.operations.start("retry", filter={"state": "failed"})
    client.operations.start("explode", all=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.destinations.make(url="http://x", max_running=None)
    client.keys.create("a", role="god")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def asynchronous(client: tasker.AsyncClient) -> None:
    assert_type(await client.schedule("http://x", delay=60), Created)
    assert_type([found async for found in client.find(tag="a")], list[tasker.Task])
    async for made in client.schedule_many([{"url": "http://x", "delay": 1}]):
        assert_type(made, CreatedInBatch)
    for found in client.find(tag="a"):  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
        del found


def failing(client: tasker.Client) -> str:
    try:
        client.schedule("http://x", delay=60, key="a")
    except tasker.KeyInUse as error:
        assert_type(error.holder, str | None)
        assert_type(error.status, int)
        return error.message
    except (tasker.ServerUnreachable, tasker.NoAnswer):
        return "later"
    return tasker.kye  # type: ignore[attr-defined, no-any-return]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType]


def receiving(body: bytes, headers: dict[str, str]) -> str:
    webhooks.verify("text", headers, "whsec_")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    return webhooks.verify(body, headers, ["whsec_"], tolerance=timedelta(minutes=1)).id
