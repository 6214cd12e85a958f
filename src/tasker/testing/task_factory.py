"""Makes tasks for tests."""

import itertools

from tasker.ids import new_id
from tasker.model import instants
from tasker.model.gate import Destination, GateKind, queue_named
from tasker.model.instants import Instant
from tasker.model.task import PULLED, Pool, Task

_moments = itertools.count(1_700_000_000_000_000)


def a_task(
    *,
    due_at: Instant,
    type_: str = "webhook",
    pool: int = 1,
    payload: bytes = b'{"url":"http://localhost/","body":"x"}',
    host: str | None = None,
    group: str | None = None,
    queue: str | None = None,
    expires_at: Instant | None = None,
) -> Task:
    """Return a new task that is due at *due_at*, with an id that sorts after those made before.

    Args:
        payload: what the task type is given, as a JSON object.
        host: its destination, as scheme, host and port; None: it has none, and nothing holds it
            back.
        group: the group that it names; None: none.
        queue: of a job, which it is then: the queue that it names.
        expires_at: when it is too late to start it; None: never.
    """
    destination = None if host is None else Destination(GateKind.HOST, host)
    if queue is not None:
        type_, pool, destination = "job", PULLED, queue_named(queue)
        payload = b'{"queue":"%b"}' % queue.encode()
    return Task(
        id=new_id(next(_moments)),
        type=type_,
        pool=Pool(pool),
        payload=payload,
        execution_time=instants.text(due_at),
        execution_at=due_at,
        due_at=due_at,
        destination=destination if group is None else Destination(GateKind.GROUP, group),
        host=None if group is None else destination,
        expires_at=expires_at,
    )
