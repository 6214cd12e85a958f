"""What was refused in the PostgreSQL inbox is said on the first page: nobody else is told."""

import json

import pytest
from pages_in_process import pages_on

from tasker.ids import new_id

pytestmark = pytest.mark.anyio

REFUSED = "1 row of the PostgreSQL inbox was refused, and no task came of it. GET /inbox says why."


async def insert(pages, request):
    statement = "INSERT INTO tasker_inbox (id, request) VALUES ($1, $2::text::jsonb)"
    values = (new_id(pages.clock.now()), json.dumps(request))
    await pages.store._accepting.run(lambda connection: connection.execute(statement, *values))


async def test_the_overview_says_what_was_refused_and_what_waits():
    async with pages_on("postgres") as pages:
        assert REFUSED not in (await pages.get("/")).text
        await insert(pages, {"hash": {"secret": ""}})
        take = pages.service.inbox.take
        await take(None, 100, decode=pages.context.new_tasks.decode, largest=1_000)
        await insert(pages, {"hash": {"secret": "x", "delay": 1}})
        await pages.clock.advance(10)  # behind the look that pages share

        said = (await pages.get("/")).text

        assert REFUSED in said
        assert "No server has taken it from the inbox yet" in said  # what is overdue, by reason
        assert "reason=inbox" not in said  # no list of tasks has it
