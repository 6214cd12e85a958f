"""The clock of a server that is there for tests."""

from typing import Final

from starlette.responses import Response

from tasker.api.bodies import answer
from tasker.api.calls import READING, WRITING, Answer, Body, Call, Request
from tasker.callers import Scope
from tasker.errors import NoDevClockError
from tasker.wire.dev_clock import ClockMove, ClockView, clock_view


@Call(
    method="GET",
    path="/dev/clock",
    summary="How the clock of a server for tests stands. Only with --dev-clock.",
    scope=Scope.ADMIN,
    answers=(Answer(description="How it stands.", shape=ClockView),),
    errors=(NoDevClockError, *READING),
    page="dev-clock.md#look",
).answered_by
async def get_clock(request: Request) -> Response:
    """Answer with how the clock stands."""
    status = request.service.clock.status()
    return answer(clock_view(status.now, frozen=status.is_frozen))


@Call(
    method="POST",
    path="/dev/clock",
    summary="Stop, set or advance the clock of a server for tests; answers once nothing due is left running.",
    scope=Scope.ADMIN,
    body=Body(ClockMove),
    answers=(Answer(description="How it stands, now that nothing due is left running.", shape=ClockView),),
    errors=(NoDevClockError, *WRITING),
    page="dev-clock.md#move",
).answered_by
async def move_clock(request: Request) -> Response:
    """Move the clock. A caller who leaves is not worked for any longer: the clock stops on its way."""
    has_left = False

    def leave() -> None:
        nonlocal has_left
        has_left = True

    request.when_left(leave)
    status = await request.service.clock.move(request.caller, request.body, is_given_up=lambda: has_left)
    return answer(clock_view(status.now, frozen=status.is_frozen))


CALLS: Final = (get_clock, move_clock)
