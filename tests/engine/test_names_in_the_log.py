"""What the log calls an attempt."""

import pytest
import structlog
from msgspec.structs import replace

from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_an_attempt_has_its_key_and_its_trace_in_the_log(bench, clock):
    payload = {"do": "fail", "traceparent": TRACE, "retry": {"max_attempts": 1}}
    plain = await bench.add("fail", at=1)
    traced = await bench.add("fail", at=1, payload=payload)
    named = a_task(due_at=clock.now(), type_="scripted", pool=bench.types[0].pool, payload=b'{"do":"fail"}')
    await bench.store.create([replace(named, key="order-17", holds_key=True)])
    with structlog.testing.capture_logs() as lines:
        await clock.advance(1.5)
    told = {line["task_id"]: line for line in lines if line["event"] == "an attempt failed"}
    more = {id_: {name: line[name] for name in ("key", "traceparent") if name in line} for id_, line in told.items()}
    assert more == {plain: {}, traced: {"traceparent": TRACE}, named.id: {"key": "order-17"}}
