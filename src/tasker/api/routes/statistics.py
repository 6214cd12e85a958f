"""What is counted of tasks over time."""

from typing import Final

import msgspec
from starlette.responses import Response

from tasker.api.bodies import answer, json_answer
from tasker.api.calls import READING, Answer, Call, Request
from tasker.api.spans import STEP, moment, span_ahead, span_back, steps_of
from tasker.callers import Scope
from tasker.errors import InvalidQueryError
from tasker.model.history import KEPT, MINUTE
from tasker.wire.statistics import DueView, FailuresView, StatsHistory, due_view, failures_view, history_view


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
async def get_stats_due(request: Request) -> Response:
    """Answer with how many tasks are due in each step."""
    statistics = request.service.statistics
    steps = steps_of(request.query, span_ahead(request.query, statistics.now()))
    return _answer_in_lines(due_view(steps, await statistics.due(steps)))


@Call(
    method="GET",
    path="/stats/history",
    summary="What was created, what came of attempts, and how late they began, in steps of time.",
    scope=Scope.TASKS_READ,
    query=(moment("from", "24 h before to"), moment("to", "now"), STEP),
    answers=(Answer(description="The steps, at most 500.", shape=StatsHistory),),
    errors=(InvalidQueryError, *READING),
    page="history.md#what-happened",
).answered_by
async def get_stats_history(request: Request) -> Response:
    """Answer with what was counted in each step."""
    statistics = request.service.statistics
    span = span_back(request.query, statistics.now())
    why = f" from {KEPT[MINUTE].days} days ago back"
    steps = steps_of(request.query, span, least=(finest := statistics.finest(span.first)), why=why * (finest != MINUTE))
    found = await statistics.history(steps)
    return _answer_in_lines(history_view(steps, found.tallies, found.destinations))


@Call(
    method="GET",
    path="/failures",
    summary="What failed, and how often: attempts that failed alike are one group.",
    scope=Scope.TASKS_READ,
    query=(moment("from", "24 h before to"), moment("to", "now")),
    answers=(Answer(description="The groups, the largest first, at most 100.", shape=FailuresView),),
    errors=(InvalidQueryError, *READING),
    page="history.md#what-failed",
).answered_by
async def get_failures(request: Request) -> Response:
    """Answer with groups of failures."""
    statistics = request.service.statistics
    span = span_back(request.query, statistics.now())
    found = await statistics.failures(span.first, span.until)
    return answer(failures_view(found.first, found.until, found.groups, found.others))


def _answer_in_lines(view: DueView | StatsHistory) -> Response:
    """Return the answer that is *view* in JSON, with a line for each step: so people can read it in a terminal."""
    head = msgspec.json.encode(msgspec.structs.replace(view, steps=[])).removesuffix(b"]}")
    return json_answer(head + b"\n" + b",\n".join(map(msgspec.json.encode, view.steps)) + b"]}")


CALLS: Final = (get_stats_due, get_stats_history, get_failures)
