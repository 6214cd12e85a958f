"""What is to be done again and again: put, look, pause, resume, run, delete."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from tasker.api.bodies import answer
from tasker.api.calls import NOTHING, READING, WRITING, Answer, Body, Call, Request
from tasker.api.etags import etag
from tasker.api.idempotency import MadeAnswer
from tasker.api.new_schedule import Backfill, NewSchedule, Preview, asked_of, checked_name, previewed, span_of
from tasker.api.routes import pages
from tasker.callers import Scope
from tasker.errors import (
    InvalidQueryError,
    InvalidRequestError,
    MaskedValueError,
    ScheduleNotFoundError,
    TimeZoneUnknownError,
    UpgradeUnfinishedError,
)
from tasker.model import names
from tasker.model.task import Task
from tasker.service.schedules import ScheduleStatus
from tasker.wire.schedule_views import preview_view, runs_made, schedule_summary, schedule_view
from tasker.wire.schedules import PreviewView, RunsMade, SchedulePage, ScheduleView

_VALUE: Final = {"type": "string", "pattern": f"^{names.PATTERN}$"}
_ETAG: Final = {
    "ETag": {
        "description": "Each change of the schedule gives it a new one.",
        "schema": {"type": "string"},
    }
}
_NOW: Final = (Answer(description="The schedule now.", shape=ScheduleView, headers=_ETAG),)


@Call(
    method="PUT",
    path="/schedules/{name}",
    summary="Create a schedule, or change it. Its next run stands in the queue as a task.",
    scope=Scope.TASKS_WRITE,
    value=_VALUE,
    body=Body(NewSchedule, limit=None),
    answers=(
        Answer(description="The schedule, which was there.", shape=ScheduleView, headers=_ETAG),
        Answer(description="The schedule, which is new.", status=201, shape=ScheduleView, headers=_ETAG),
    ),
    errors=(InvalidRequestError, MaskedValueError, UpgradeUnfinishedError, *WRITING),
    page="schedules.md#put-a-schedule",
    is_conditional=True,
).answered_by
async def put_schedule(request: Request) -> Response:
    """Create or change a schedule."""
    name = checked_name(request.values["name"])
    asked = asked_of(request.body, request.context.new_tasks.decode)
    status, is_new = await request.service.schedules.put(request.caller, name, asked, revisions=request.revisions)
    return _answered(status, HTTPStatus.CREATED if is_new else HTTPStatus.OK)


@Call(
    method="POST",
    path="/schedules/preview",
    summary="Say when a schedule would run. Nothing is stored.",
    scope=Scope.TASKS_READ,
    body=Body(Preview, limit=None),
    answers=(Answer(description="When it would run.", shape=PreviewView),),
    errors=(InvalidRequestError, MaskedValueError),
    page="schedules.md#look-before-you-put",
).answered_by
async def preview_schedule(request: Request) -> Response:
    """Say when a schedule would run."""
    plan = previewed(request.body, request.context.new_tasks.decode)
    anchored_plan, runs = request.service.schedules.preview(plan)
    return answer(preview_view(anchored_plan, runs))


@Call(
    method="GET",
    path="/schedules",
    summary="List schedules by name, a page at a time.",
    scope=Scope.TASKS_READ,
    query=pages.parameters("schedules", cursor=_VALUE),
    answers=(Answer(description="Schedules.", shape=SchedulePage, headers=pages.HEADERS),),
    errors=(InvalidQueryError, *READING),
    page="schedules.md#list-schedules",
).answered_by
async def list_schedules(request: Request) -> Response:
    """Answer with schedules."""
    length = pages.length_of(request)
    found = await request.service.schedules.page(after=_position(request), limit=length)
    path = pages.next_path(request, found[-1].name if len(found) == length else None)
    return pages.answer_page(SchedulePage([schedule_summary(schedule) for schedule in found], path))


@Call(
    method="GET",
    path="/schedules/{name}",
    summary="Read a schedule: its next times, and its latest runs.",
    scope=Scope.TASKS_READ,
    value=_VALUE,
    answers=_NOW,
    errors=(ScheduleNotFoundError, *READING),
    page="schedules.md#read-a-schedule",
).answered_by
async def get_schedule(request: Request) -> Response:
    """Answer with a schedule."""
    return _answered(await request.service.schedules.get(request.caller, request.values["name"]))


@Call(
    method="DELETE",
    path="/schedules/{name}",
    summary="Delete a schedule, and its run that stands in the queue.",
    scope=Scope.TASKS_WRITE,
    value=_VALUE,
    answers=(Answer(description="The schedule is deleted.", status=204),),
    errors=(ScheduleNotFoundError, UpgradeUnfinishedError, *WRITING),
    page="schedules.md#delete-a-schedule",
    is_conditional=True,
).answered_by
async def delete_schedule(request: Request) -> Response:
    """Delete a schedule."""
    await request.service.schedules.delete(request.caller, request.values["name"], revisions=request.revisions)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@Call(
    method="POST",
    path="/schedules/{name}/pause",
    summary="Make no runs of a schedule, and remove the one that stands in the queue. Takes no body.",
    scope=Scope.TASKS_WRITE,
    value=_VALUE,
    body=NOTHING,
    answers=_NOW,
    errors=(ScheduleNotFoundError, UpgradeUnfinishedError, *WRITING),
    page="schedules.md#pause-and-resume-a-schedule",
).answered_by
async def pause_schedule(request: Request) -> Response:
    """Pause a schedule."""
    return _answered(await request.service.schedules.pause(request.caller, request.values["name"]))


@Call(
    method="POST",
    path="/schedules/{name}/resume",
    summary="Make runs of a schedule again, from its first time after now on. Takes no body.",
    scope=Scope.TASKS_WRITE,
    value=_VALUE,
    body=NOTHING,
    answers=_NOW,
    errors=(ScheduleNotFoundError, TimeZoneUnknownError, UpgradeUnfinishedError, *WRITING),
    page="schedules.md#pause-and-resume-a-schedule",
).answered_by
async def resume_schedule(request: Request) -> Response:
    """Resume a schedule."""
    return _answered(await request.service.schedules.resume(request.caller, request.values["name"]))


@Call(
    method="POST",
    path="/schedules/{name}/run",
    summary="Make a run of a schedule now, beside its regular ones. Takes no body.",
    scope=Scope.TASKS_WRITE,
    value=_VALUE,
    body=NOTHING,
    answers=(Answer(description="The run.", status=201, shape=RunsMade),),
    errors=(ScheduleNotFoundError, UpgradeUnfinishedError, *WRITING),
    page="schedules.md#run-a-schedule-now",
    is_repeatable=True,
).answered_by
async def run_schedule(request: Request) -> Response:
    """Make a run now."""
    return await request.once(
        lambda once: request.service.schedules.run(request.caller, request.values["name"], once), _made
    )


@Call(
    method="POST",
    path="/schedules/{name}/backfill",
    summary="Make the runs of a schedule for times that have passed, at most 1000.",
    scope=Scope.TASKS_WRITE,
    value=_VALUE,
    body=Body(Backfill),
    answers=(Answer(description="The runs, the earliest time first.", status=201, shape=RunsMade),),
    errors=(InvalidRequestError, ScheduleNotFoundError, TimeZoneUnknownError, UpgradeUnfinishedError, *WRITING),
    page="schedules.md#make-the-runs-of-the-past",
    is_repeatable=True,
).answered_by
async def backfill_schedule(request: Request) -> Response:
    """Make runs for times that have passed."""
    since, until = span_of(request.body)
    return await request.once(
        lambda once: request.service.schedules.backfill(
            request.caller, request.values["name"], since=since, until=until, repeatable=once
        ),
        _made,
    )


def _made(runs: Sequence[Task]) -> MadeAnswer:
    return MadeAnswer(HTTPStatus.CREATED, bytes(answer(runs_made(runs)).body))


def _answered(status: ScheduleStatus, code: int = HTTPStatus.OK) -> Response:
    view = schedule_view(
        status.schedule,
        next_runs=status.next_runs,
        queued=status.queued,
        last_runs=status.last_runs,
        has_secrets=status.has_secrets,
    )
    tag = etag(status.schedule.revision, is_masked=not status.has_secrets)
    return answer(view, status=code, headers={"etag": tag})


def _position(request: Request) -> str | None:
    cursor = pages.cursor_of(request)
    if cursor is not None and not names.is_name(cursor):
        raise InvalidQueryError("cursor", "expected the cursor of a page before, as its next gives it")
    return cursor


CALLS: Final = (
    put_schedule,
    preview_schedule,
    list_schedules,
    get_schedule,
    delete_schedule,
    pause_schedule,
    resume_schedule,
    run_schedule,
    backfill_schedule,
)
