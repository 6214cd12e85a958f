"""What befalls tasks, without an engine: they are claimed, and end as a test says."""

from tasker.model import lifecycle
from tasker.model.attempt import Exchange, Failed, Phases, Succeeded
from tasker.model.task import Fault
from tasker.wire.fields import decode_end_fields, retry_policy

NEAR = 10
"""Seconds from the beginning of the manual clock to the time of the tasks here."""
SOON = "2027-01-15T08:00:10Z"
"""The same as a time."""

REFUSED = Failed(Fault("connect_refused", "the target refuses connections"), is_alive=False)
"""The destination is down."""
ANSWERED = Exchange(
    phases=Phases(dns=None, connect=0.001, first_byte=0.25, total=0.26),
    status=500,
    headers={"content-type": "text/plain"},
    body="oh no",
    note="cut off",
)
OVERLOADED = Failed(Fault("status_500", "the target answered 500"), is_alive=False, exchange=ANSWERED)
DONE = Succeeded()


def webhook(**more):
    """A request for a webhook that is due at ``SOON``."""
    return {"webhook": {"execution_time": SOON, "url": "http://localhost:9000/hook", "body": "x"} | more}


async def claim(server, *, free=100):
    """Claim what is due, as the engine does."""
    claimed = await server.store.claim_due({task_type.pool: free for task_type in server.registry.types})
    return claimed.attempts


async def end(server, attempt, outcome):
    """Let an attempt end."""
    now = server.clock.now()
    policy = retry_policy(decode_end_fields(attempt.payload))
    settlement = lifecycle.settle(outcome, attempt=attempt, retry=policy, started_at=now, now=now, rand=0.5)
    await server.store.settle(attempt, settlement)


async def run(server, outcome):
    """Claim what is due and let all of it end; how many that were."""
    attempts = await claim(server)
    for attempt in attempts:
        await end(server, attempt, outcome)
    return len(attempts)


async def failed_task(server, **more):
    """A task that failed; its id. The clock has come to its time."""
    task_id = await server.new(webhook(retry={"max_attempts": 1}, **more))
    await server.clock.step(NEAR)
    assert await run(server, OVERLOADED) == 1
    return task_id


async def destination_of(server, task_id):
    return (await server.call("GET", f"/tasks/{task_id}/explain")).json["destination"]


async def worked(server):
    """Work on all operations, as the engine does."""
    work = server.service.operations._engine.operations
    while (await work.step()).done:
        pass
