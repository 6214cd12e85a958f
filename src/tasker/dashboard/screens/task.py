"""One task: where it is, what happened, and what can be done."""

from typing import Any, Final

import msgspec
from starlette.responses import Response

from tasker.callers import Scope
from tasker.changing import Patch
from tasker.dashboard import edits
from tasker.dashboard.gists import gist_of
from tasker.dashboard.lines_of_time import line_of
from tasker.dashboard.numbers import whole
from tasker.dashboard.snippets import snippets_of
from tasker.dashboard.visits import Pages, Visit
from tasker.errors import InvalidTaskError, RevisionPassedError, TaskerError
from tasker.model import instants, lengths
from tasker.model.instants import microseconds
from tasker.model.new_task import Made
from tasker.model.operation import postponed
from tasker.model.task import PULLED, State, Task
from tasker.wire.explanations import explanation_view
from tasker.wire.fields import RequestFields, request_type
from tasker.wire.masking import masked
from tasker.wire.task_views import task_json

pages = Pages()

LATER: Final = {"10m": "+10 min", "1h": "+1 h", "1d": "+1 d"}
"""How far buttons put a task off."""


@pages.get("/tasks/{id}")
async def show(visit: Visit) -> Response:
    """Show a task."""
    history = await visit.service.audit.history(visit.values["id"])
    task = masked(history.task)
    finding = await visit.service.tasks.explain_task(task.id)
    gist = gist_of(task)
    return visit.show(
        "task.html",
        title=gist.text or task.type,
        task=task,
        gist=gist,
        explanation=explanation_view(finding),
        view=_members(task),
        line=line_of(history),
        has_all=history.has_all,
        snippets=snippets_of(task),
        later=LATER,
        is_waiting=task.state is State.TODO,
        is_open=task.state in (State.TODO, State.IN_PROGRESS),
        is_again=finding.can_retry,
        is_pulled=task.pool == PULLED,
    )


def _members(task: Task) -> dict[str, Any]:
    """Return what GET shows of a task, by name."""
    view: dict[str, Any] = msgspec.json.decode(task_json(task))
    return view


@pages.post("/tasks/{id}/run", Scope.TASKS_WRITE)
async def run(visit: Visit) -> Response:
    """Have it run now."""
    task, finding = await visit.service.tasks.run(visit.caller, visit.values["id"])
    return visit.go(f"/tasks/{task.id}", done="run_held" if finding.is_kept_back else "run")


@pages.post("/tasks/{id}/retry", Scope.TASKS_WRITE)
async def retry(visit: Visit) -> Response:
    """Have it run again."""
    task = await visit.service.tasks.retry(visit.caller, visit.values["id"])
    return visit.go(f"/tasks/{task.id}", done="retry")


@pages.post("/tasks/{id}/cancel", Scope.TASKS_WRITE)
async def cancel(visit: Visit) -> Response:
    """Cancel it."""
    task = await visit.service.tasks.cancel(visit.caller, visit.values["id"])
    return visit.go(f"/tasks/{task.id}", done="cancel" if task.state is State.CANCELLED else "cancelling")


@pages.post("/tasks/{id}/delete", Scope.TASKS_WRITE)
async def delete(visit: Visit) -> Response:
    """Delete it for good."""
    await visit.service.tasks.delete(visit.caller, visit.values["id"])
    return visit.go("/tasks", done="delete")


@pages.post("/tasks/{id}/postpone", Scope.TASKS_WRITE)
async def postpone(visit: Visit) -> Response:
    """Put it off by a length, or have it wait until a time of the visitor's clocks."""
    task = await visit.service.tasks.get(visit.caller, visit.values["id"])
    at = visit.said("at")
    try:
        if at:
            given = {
                "local_time": at if at.count(":") > 1 else f"{at}:00",
                "time_zone": visit.said("zone") or visit.zone,
            }
        else:
            by = microseconds(lengths.parse(visit.said("by")))
            given = {"execution_time": instants.text(postponed(task.due_at, by, visit.now))}
    except ValueError as error:
        raise InvalidTaskError("at" if at else "by", str(error)) from None
    await _change(visit, task, given)
    return visit.go(f"/tasks/{task.id}", done="change")


async def _change(visit: Visit, task: Task, given: dict[str, Any], *, revision: int | None = None) -> Task:
    return await visit.service.tasks.change(
        visit.caller,
        task.id,
        Patch(task.type, edits.members(given)),
        decode=visit.context.new_tasks.decode,
        revisions=None if revision is None else frozenset({revision}),
    )


@pages.post("/tasks/{id}/duplicate", Scope.TASKS_WRITE)
async def duplicate(visit: Visit) -> Response:
    """Create another task like it, due after a length."""
    when = RequestFields(delay=visit.said("delay") or "0s")
    made = await visit.service.tasks.duplicate(visit.caller, visit.values["id"], when, None)
    assert isinstance(made, Made)  # noqa: S101 - nothing is kept without a key
    return visit.go(f"/tasks/{made.id}", done="duplicate", id=made.id)


@pages.get("/tasks/{id}/edit", Scope.TASKS_WRITE)
async def edit(visit: Visit) -> Response:
    """Show what it was given, to be changed."""
    task = masked(await visit.service.tasks.get(visit.caller, visit.values["id"]))
    given = _given(visit, task)
    return _editor(visit, task, text=given, before=given, revision=task.revision)


@pages.post("/tasks/{id}/edit", Scope.TASKS_WRITE)
async def change(visit: Visit) -> Response:
    """Change it: only by what differs from what was shown. What somebody else has changed meanwhile is shown, too."""
    task = masked(await visit.service.tasks.get(visit.caller, visit.values["id"]))
    text, before, revision = visit.said("text"), visit.said("before"), whole(visit.said("revision"))
    try:
        patch = _patch(before, text)
        if not patch:
            return visit.go(f"/tasks/{task.id}", done="no_change")
        await _change(visit, task, patch, revision=revision)
    except RevisionPassedError:
        now = _given(visit, task)
        return _editor(visit, task, text=text, before=before, revision=task.revision, theirs=now, status=409)
    except TaskerError as error:
        seen = task.revision if revision is None else revision
        return _editor(visit, task, text=text, before=before, revision=seen, wrong=str(error), status=400)
    return visit.go(f"/tasks/{task.id}", done="change")


def _editor(
    visit: Visit,
    task: Task,
    *,
    text: str,
    before: str,
    revision: int,
    theirs: str = "",
    wrong: str = "",
    status: int = 200,
) -> Response:
    return visit.show(
        "task_edit.html",
        status=status,
        title="Edit",
        task=task,
        text=text,
        before=before,
        revision=revision,
        theirs=theirs,
        wrong=wrong,
    )


def _given(visit: Visit, task: Task) -> str:
    """Return what a task was given, in the form of a request, as JSON for people."""
    type_ = next((each for each in visit.context.registry.types if each.name == task.type), None)
    if type_ is None:
        raise InvalidTaskError("", f"this server has no task type {task.type}: no package with it is installed")
    names = {field.encode_name for field in msgspec.structs.fields(request_type(type_.name, type_.fields))}
    view = _members(task)
    if "local_time" in view:
        view.pop("execution_time")
    kept = {name: value for name, value in view.items() if name in names - {"id", "key", "type"}}
    return msgspec.json.format(msgspec.json.encode(kept), indent=2).decode()


def _patch(before: str, after: str) -> dict[str, Any]:
    try:
        return edits.merge_patch(_read(before), _read(after))
    except RecursionError:
        raise InvalidTaskError("", "expected JSON with less inside of each other") from None


def _read(text: str) -> dict[str, Any]:
    try:
        said = edits.read(text, "a JSON object")
    except ValueError as error:
        raise InvalidTaskError("", str(error)) from None
    if not isinstance(said, dict):
        raise InvalidTaskError("", "expected a JSON object")
    return said
