"""Schedules: when they run, what has run, and their forms."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.responses import Response

from tasker.api.new_schedule import NewSchedule, Preview, asked_of, checked_name, previewed
from tasker.api.new_task import BodyDecoder
from tasker.callers import Scope
from tasker.dashboard import edits
from tasker.dashboard.numbers import whole
from tasker.dashboard.visits import Pages, Visit
from tasker.errors import InvalidQueryError, InvalidRequestError, InvalidTaskError, RevisionPassedError, TaskerError
from tasker.model import names
from tasker.model.idempotency import KeptAnswer
from tasker.model.schedule import Missed, Overlap
from tasker.service.schedules import ScheduleStatus
from tasker.wire.schedule_views import plan_members, preview_view, schedule_summary, schedule_view
from tasker.wire.schedules import ScheduleView

pages = Pages(place="Schedules")

TASK: Final = {"webhook": {"url": "https://example.org/hook", "json": {}}}
"""What the form of a new schedule begins with."""

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "overlap": tuple(each.value for each in Overlap),
    "missed": tuple(each.value for each in Missed),
}
"""The words that a field may have; the first one counts if nothing is said."""

_LENGTH: Final = 50
_PLAN: Final = (
    *("cron", "every", "time_zone", "overlap", "missed", "missed_within"),
    *("jitter", "starts_at", "ends_at", "max_runs", "tags"),
)
"""The fields of the form that say when, in its order."""

_new = BodyDecoder(NewSchedule, list(NewSchedule.__struct_fields__))
_preview = BodyDecoder(Preview, list(Preview.__struct_fields__))


@pages.get("/schedules")
async def find(visit: Visit) -> Response:
    """Show schedules by name."""
    after = visit.asked("after")
    if after is not None and not names.is_name(after):
        raise InvalidQueryError("after", "expected the name of a schedule")
    found = await visit.service.schedules.page(after=after, limit=_LENGTH)
    following = visit.url("/schedules", [("after", found[-1].name)]) if len(found) == _LENGTH else None
    return visit.show(
        "schedules.html",
        title="Schedules",
        schedules=[schedule_summary(schedule) for schedule in found],
        following=following,
    )


@pages.get("/schedules/{name}")
async def show(visit: Visit) -> Response:
    """Show a schedule: what comes, and what was."""
    status = await visit.service.schedules.get(visit.caller, visit.values["name"])
    view = _view(status)
    return visit.show(
        "schedule.html",
        title=view.name,
        schedule=view,
        plan={name: value for name, value in plan_members(status.schedule).items() if name != "tags"},
        queued=status.queued,
        task=msgspec.json.decode(view.task),
    )


def _view(status: ScheduleStatus, *, has_secrets: bool = False) -> ScheduleView:
    return schedule_view(
        status.schedule,
        next_runs=status.next_runs,
        queued=status.queued,
        last_runs=status.last_runs,
        has_secrets=has_secrets,
    )


@pages.get("/new-schedule", Scope.TASKS_WRITE)
async def form(visit: Visit) -> Response:
    """Show the form of a new schedule."""
    task = msgspec.json.format(msgspec.json.encode(TASK), indent=2).decode()
    return _form(visit, {"cron": "0 9 * * MON-FRI", "time_zone": visit.zone, "task": task})


@pages.get("/schedules/{name}/edit", Scope.TASKS_WRITE)
async def edit(visit: Visit) -> Response:
    """Show the form of a schedule that is there."""
    status = await visit.service.schedules.get(visit.caller, visit.values["name"])
    return _form(visit, _said(status), before=status)


def _said(status: ScheduleStatus) -> dict[str, str]:
    """Return what the form of a schedule says."""
    plan = plan_members(status.schedule)
    said = {name: ", ".join(value) if name == "tags" else str(value) for name, value in plan.items()}
    task = msgspec.json.format(bytes(_view(status).task), indent=2).decode()
    return {**said, "task": task, "name": status.schedule.name}


def _form(
    visit: Visit,
    said: Mapping[str, str],
    *,
    before: ScheduleStatus | None = None,
    field: str = "",
    problem: str = "",
    status: int = 200,
) -> Response:
    return visit.show(
        "schedule_form.html",
        status=status,
        title="New schedule" if before is None else f"Edit {before.schedule.name}",
        said={**dict.fromkeys(("name", "task", *_PLAN), ""), **said},
        fields=_PLAN,
        choices=CHOICES,
        name="" if before is None else before.schedule.name,
        revision=None if before is None else before.schedule.revision,
        field=field,
        problem=problem,
        words="",
        runs=[],
        wrong="",
    )


@pages.post("/new-schedule", Scope.TASKS_WRITE)
async def create(visit: Visit) -> Response:
    """Create a schedule; or show the form again, with what is wrong."""
    return await _put(visit, visit.said("name"), None)


@pages.post("/schedules/{name}/edit", Scope.TASKS_WRITE)
async def change(visit: Visit) -> Response:
    """Change a schedule; or show the form again, with what is wrong."""
    name = visit.values["name"]
    return await _put(visit, name, await visit.service.schedules.get(visit.caller, name))


async def _put(visit: Visit, name: str, before: ScheduleStatus | None) -> Response:
    said = dict(visit.form)
    revision = whole(visit.said("revision"))
    try:
        asked = asked_of(_decoded(_new, said, with_task=True, before=before), visit.context.new_tasks.decode)
        await visit.service.schedules.put(
            visit.caller,
            checked_name(name),
            asked,
            revisions=None if before is None or revision is None else frozenset({revision}),
        )
    except RevisionPassedError:
        problem = "Somebody else has changed it since you began. Look at it, and save again to have it as it is here."
        return _form(visit, said, before=before, problem=problem, status=409)
    except (InvalidRequestError, InvalidTaskError) as error:
        field = error.field.partition(".")[0].partition("[")[0]
        inner = error.field.partition(".")[2]
        problem = f"{inner}: {error.problem}" if inner else error.problem
        return _form(visit, said, before=before, field=field, problem=problem, status=400)
    return visit.go(f"/schedules/{name}", done="schedule_create" if before is None else "schedule_change")


@pages.post("/schedules/preview", Scope.TASKS_READ)
async def preview(visit: Visit) -> Response:
    """Say when the schedule of a form would run: a part of its page."""
    try:
        plan = previewed(_decoded(_preview, dict(visit.form), with_task=False), visit.context.new_tasks.decode)
        plan, runs = visit.service.schedules.preview(plan)
    except TaskerError as error:
        return visit.show("schedule_preview.html", wrong=str(error), words="", runs=[])
    view = preview_view(plan, runs)
    return visit.show("schedule_preview.html", wrong="", words=view.words, runs=view.runs)


def _decoded(
    decoder: BodyDecoder, said: Mapping[str, str], *, with_task: bool, before: ScheduleStatus | None = None
) -> Any:  # noqa: ANN401 - the decoder's shape
    """Return what a form says in the shape of a request. A task that is left as it is shown keeps its secrets.

    Args:
        with_task: whether the form has a task, too.
        before: the schedule that the form has shown.

    Raises:
        InvalidRequestError, InvalidTaskError: it is none.
    """
    members: dict[str, Any] = {name: value.strip() for name, value in said.items() if name in _PLAN and value.strip()}
    if "tags" in members:
        members["tags"] = [tag for tag in map(str.strip, members["tags"].split(",")) if tag]
    if (number := whole(members.get("max_runs", ""))) is not None:
        members["max_runs"] = number
    if with_task:
        try:
            members["task"] = edits.read(said.get("task", ""))
        except ValueError as error:
            raise InvalidRequestError("task", str(error)) from None
        if before is not None and members["task"] == msgspec.json.decode(_view(before).task):
            members["task"] = msgspec.json.decode(_view(before, has_secrets=True).task)
    return decoder.decode_body(msgspec.json.encode(members))


@pages.post("/schedules/{name}/pause", Scope.TASKS_WRITE)
async def pause(visit: Visit) -> Response:
    """Make no runs."""
    status = await visit.service.schedules.pause(visit.caller, visit.values["name"])
    return visit.go(f"/schedules/{status.schedule.name}", done="pause")


@pages.post("/schedules/{name}/resume", Scope.TASKS_WRITE)
async def resume(visit: Visit) -> Response:
    """Make runs again."""
    status = await visit.service.schedules.resume(visit.caller, visit.values["name"])
    return visit.go(f"/schedules/{status.schedule.name}", done="resume")


@pages.post("/schedules/{name}/run", Scope.TASKS_WRITE)
async def run(visit: Visit) -> Response:
    """Make a run now."""
    runs = await visit.service.schedules.run(visit.caller, visit.values["name"], None)
    assert not isinstance(runs, KeptAnswer)  # noqa: S101 - nothing is kept without a key
    return visit.go(f"/schedules/{visit.values['name']}", done="schedule_run", id=runs[0].id)


@pages.post("/schedules/{name}/skip", Scope.TASKS_WRITE)
async def skip(visit: Visit) -> Response:
    """Call off the next run: the one that stands in the queue."""
    status = await visit.service.schedules.get(visit.caller, visit.values["name"])
    if status.queued is None:
        raise InvalidRequestError("", "no run stands in the queue, so there is none to skip")
    await visit.service.tasks.cancel(visit.caller, status.queued)
    return visit.go(f"/schedules/{visit.values['name']}", done="schedule_skip")


@pages.post("/schedules/{name}/delete", Scope.TASKS_WRITE)
async def delete(visit: Visit) -> Response:
    """Delete it, and its run that stands in the queue."""
    await visit.service.schedules.delete(visit.caller, visit.values["name"])
    return visit.go("/schedules", done="schedule_delete")
