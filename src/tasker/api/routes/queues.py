"""Queues: what workers claim that pull."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Send
from starlette.types import Scope as Asgi

from tasker.api.calls import WRITING, Answer, Body, Call, Request
from tasker.api.problems import PRIVATE
from tasker.callers import Scope
from tasker.errors import UnauthorizedError
from tasker.interfaces.pulling import Pulled
from tasker.model import names
from tasker.model.gate import queue_of_type
from tasker.wire.queues import ClaimedJobs, ClaimOfSeveralRequest, ClaimRequest, claimed_json

_LONGEST_NAME: Final = len(queue_of_type("x" * names.LENGTH).name)


@Call(
    method="POST",
    path="/queues/{queue}/claim",
    summary="Claim due tasks of a queue, and wait for one if there is none.",
    scope=Scope.QUEUES_WORK,
    value={"type": "string", "minLength": 1, "maxLength": _LONGEST_NAME, "examples": ["reports"]},
    body=Body(ClaimRequest),
    answers=(Answer(description="The tasks, which the caller has until their leases end.", shape=ClaimedJobs),),
    errors=WRITING,
    page="queues.md#claim",
).answered_by
async def claim_jobs(request: Request) -> Response:
    """Answer with tasks of a queue, once there is one."""
    return await _claimed(request, [request.values["queue"]], request.body)


@Call(
    method="POST",
    path="/queues/claim",
    summary="Claim due tasks of one of several queues, and wait for one if there is none.",
    scope=Scope.QUEUES_WORK,
    body=Body(ClaimOfSeveralRequest),
    answers=(Answer(description="The tasks, which the caller has until their leases end.", shape=ClaimedJobs),),
    errors=WRITING,
    page="queues.md#claim-of-several-queues",
).answered_by
async def claim_jobs_of_several(request: Request) -> Response:
    """Answer with tasks of whichever of the queues has one first."""
    asked: ClaimOfSeveralRequest = request.body
    return await _claimed(request, asked.queues, asked)


async def _claimed(request: Request, names_of_queues: Sequence[str], asked: ClaimRequest) -> Response:
    queues, keys = request.service.queues, request.service.keys
    has_left = False

    def leave() -> None:
        nonlocal has_left
        has_left = True

    with ExitStack() as waiting:

        def when_over(end: Callable[[], None]) -> None:
            def over() -> None:
                leave()
                end()

            request.when_left(over)
            waiting.enter_context(keys.while_valid(request.caller, end))

        pulled = await queues.claim(
            request.caller,
            names_of_queues,
            most=asked.max,
            lease=asked.lease,
            longest=timedelta(seconds=asked.wait),
            when_left=when_over,
        )
    try:
        keys.check(request.caller)
    except UnauthorizedError:
        queues.give_back(pulled.attempts)
        raise
    return _Claimed(request, pulled, lambda: has_left)


class _Claimed(Response):
    """Tells a worker what it has. If it left before that, it has nothing, and is told so: it may read that still."""

    media_type = "application/json"

    def __init__(self, request: Request, pulled: Pulled, has_left: Callable[[], bool]) -> None:
        body = claimed_json(pulled.attempts, pulled.lease_until, request.service.queues.token)
        super().__init__(body, headers=PRIVATE)
        self._queues = request.service.queues
        self._pulled = pulled
        self._has_left = has_left

    async def __call__(self, scope: Asgi, receive: Receive, send: Send) -> None:
        """Send it, unless the worker has left."""
        is_told = False
        try:
            if self._has_left():
                nothing = claimed_json((), self._pulled.lease_until, self._queues.token)
                await Response(nothing, headers=PRIVATE, media_type=self.media_type)(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)
                is_told = not self._has_left()  # it may have, while those before it were not taken yet
        finally:
            if is_told:
                self._queues.taken(self._pulled)
            else:
                self._queues.give_back(self._pulled.attempts)


CALLS: Final = (claim_jobs, claim_jobs_of_several)
