"""A new task: a form for webhooks, JSON for every type. What is wrong is said at its field."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.responses import Response

from tasker.callers import Scope
from tasker.dashboard import edits
from tasker.dashboard.example_tasks import example_of, is_function
from tasker.dashboard.numbers import whole
from tasker.dashboard.visits import Pages, Visit
from tasker.errors import InvalidTaskError, TaskerError
from tasker.model.task import Task

pages = Pages()

METHODS: Final = ("POST", "PUT", "PATCH", "GET", "DELETE", "HEAD", "OPTIONS")
_FIELDS: Final = (
    *("url", "method", "time", "delay", "at", "zone", "content", "body", "headers"),
    *("key", "tags", "group", "max_attempts", "timeout"),
)


class _Wrong(Struct, frozen=True):
    """What is wrong with a form."""

    field: str
    """Of the form; empty: of the whole of it."""
    problem: str


@pages.get("/new", Scope.TASKS_WRITE)
async def form(visit: Visit) -> Response:
    """Show the form, with what the address says already."""
    return _shown(visit, dict(visit.query))


@pages.post("/new", Scope.TASKS_WRITE)
async def create(visit: Visit) -> Response:
    """Create the task; or show the form again, with what is wrong."""
    said = {name: value for name, value in visit.form if value.strip()}
    wrong: _Wrong | None
    try:
        task = await visit.service.tasks.create(
            visit.caller, visit.context.new_tasks.decode(msgspec.json.encode(_webhook(said)))
        )
    except InvalidTaskError as error:
        wrong = _Wrong(_field_of(error.field), error.problem)
    except TaskerError as error:
        wrong = _Wrong("", str(error))
    else:
        return visit.go(f"/tasks/{task.id}", done="create", id=task.id)
    return _shown(visit, said, wrong)


def _shown(visit: Visit, said: Mapping[str, str], wrong: _Wrong | None = None) -> Response:
    return visit.show(
        "new_task.html",
        status=400 if wrong else 200,
        title="New task",
        said={**dict.fromkeys(_FIELDS, ""), "time": "delay", "content": "json", "delay": "10m", **said},
        wrong=wrong,
        methods=METHODS,
        **_kinds(visit, ""),
    )


def _kinds(visit: Visit, kind: str) -> dict[str, Any]:
    """Return what the choice of a kind of task shows, of which *kind* is chosen; empty: the form for webhooks."""
    others = [task_type for task_type in visit.context.registry.types if task_type.name != "webhook"]
    return {
        "kind": kind,
        "types": [task_type.name for task_type in others if not is_function(task_type)],
        "functions": [task_type.name for task_type in others if is_function(task_type)],
    }


def _webhook(said: Mapping[str, str]) -> dict[str, Any]:
    """Return what a form says as the body of ``POST /tasks/new``.

    Raises:
        InvalidTaskError: a field cannot be read.
    """
    members: dict[str, Any] = {name: said[name].strip() for name in ("url", "key", "group", "timeout") if name in said}
    if said.get("method", METHODS[0]) != METHODS[0]:
        members["method"] = said["method"]
    if said.get("time") == "at":
        at = said.get("at", "")
        members |= {"local_time": at if at.count(":") != 1 else f"{at}:00", "time_zone": said.get("zone", "UTC")}
    else:
        members["delay"] = said.get("delay", "0s")
    if "body" in said:
        if said.get("content") == "text":
            members["body"] = said["body"]
        else:
            members["json"] = _json(said["body"])
    if "headers" in said:
        members["headers"] = _headers(said["headers"])
    if "tags" in said:
        members["tags"] = [tag for tag in map(str.strip, said["tags"].split(",")) if tag]
    if "max_attempts" in said:
        text = said["max_attempts"].strip()
        number = whole(text)
        members["retry"] = {"max_attempts": text if number is None else number}
    return {"webhook": members}


def _json(text: str) -> msgspec.Raw:
    try:
        edits.read(text)
    except ValueError as error:
        raise InvalidTaskError("webhook.json", str(error)) from None
    return msgspec.Raw(text.encode())


def _headers(text: str) -> dict[str, str]:
    headers = {}
    for line in filter(str.strip, text.splitlines()):
        name, colon, value = line.partition(":")
        if not colon:
            raise InvalidTaskError("webhook.headers", f"expected a line such as x-customer: 42, got: {line[:80]!r}")
        headers[name.strip()] = value.strip()
    return headers


def _field_of(path: str) -> str:
    """Return the field of the form that a member of the request comes from."""
    name = path.partition(".")[2].partition(".")[0].partition("[")[0]
    moved = {"json": "body", "retry": "max_attempts", "local_time": "at", "time_zone": "at", "execution_time": "delay"}
    name = moved.get(name, name)
    return name if name in _FIELDS else ""


@pages.get("/new/json", Scope.TASKS_WRITE)
async def json_form(visit: Visit) -> Response:
    """Show the field for JSON."""
    name = visit.asked("type") or "webhook"
    task_type = visit.context.registry.get(name)
    example = {"delay": "10m"} if task_type is None else example_of(task_type)
    text = msgspec.json.format(msgspec.json.encode({name: example}), indent=2).decode()
    return _shown_json(visit, text)


@pages.post("/new/json", Scope.TASKS_WRITE)
async def create_from_json(visit: Visit) -> Response:
    """Create the task; or show the field again, with what is wrong."""
    text = visit.said("text")
    try:
        task = await visit.service.tasks.create(visit.caller, visit.context.new_tasks.decode(text.encode()))
    except TaskerError as error:
        return _shown_json(visit, text, wrong=str(error))
    return visit.go(f"/tasks/{task.id}", done="create", id=task.id)


@pages.post("/new/check", Scope.TASKS_WRITE)
async def check(visit: Visit) -> Response:
    """Say what the JSON would become: a part of the page above."""
    try:
        task = visit.service.tasks.check(visit.caller, visit.context.new_tasks.decode(visit.said("text").encode()))
    except TaskerError as error:
        return visit.show("new_task_check.html", wrong=str(error), task=None)
    return visit.show("new_task_check.html", wrong="", task=task)


def _shown_json(visit: Visit, text: str, *, wrong: str = "") -> Response:
    task: Task | None = None
    return visit.show(
        "new_task_json.html",
        status=400 if wrong else 200,
        title="New task",
        text=text,
        wrong=wrong,
        task=task,
        **_kinds(visit, visit.asked("type") or "webhook"),
    )
