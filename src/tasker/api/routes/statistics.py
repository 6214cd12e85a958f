"""What is counted of tasks over time."""

from typing import Final

from starlette.responses import Response

from tasker.api.bodies import answer
from tasker.api.calls import READING, Answer, Call, Request
from tasker.api.spans import STEP, moment, span_ahead, steps_of
from tasker.callers import Scope
from tasker.errors import InvalidQueryError
from tasker.wire.statistics import DueView, due_view


@Call(
    method="GET",
    path="/stats/due",
    summary="How many tasks are due when, in steps of time.",
    scope=Scope.TASKS_READ,
    query=(moment("from", "now"), moment("to", "24 h after from"), STEP),
    answers=(Answer(description="The steps, at most 500.", shape=DueView),),
    errors=(InvalidQueryError, *READING),
    page="history.md#what-is-due",
).answered_by
async def get_due(request: Request) -> Response:
    """Answer with how many tasks are due in each step."""
    statistics = request.service.statistics
    steps = steps_of(request.query, span_ahead(request.query, statistics.now()))
    return answer(due_view(steps, await statistics.due(steps)))


CALLS: Final = (get_due,)
