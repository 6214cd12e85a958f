"""The ETag of a task."""

import pytest
from fates import NEAR, OVERLOADED, run, webhook

pytestmark = pytest.mark.anyio


async def test_an_etag_is_another_one_after_each_write_that_shows(server):
    task_id = await server.new(webhook(retry={"max_attempts": 1}))
    path = f"/tasks/{task_id}"
    first = (await server.call("GET", path)).headers["etag"]
    assert (await server.call("GET", path)).headers["etag"] == first == '"0"'
    await server.clock.step(NEAR)
    await run(server, OVERLOADED)
    failed = (await server.call("GET", path)).headers["etag"]
    again = await server.call("POST", f"{path}/retry")
    assert len({first, failed, again.headers["etag"]}) == 3
    assert (await server.call("GET", path)).headers["etag"] == again.headers["etag"]
