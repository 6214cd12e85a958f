"""Create, read, list, run, cancel, delete and explain tasks; run failed ones again."""

import re
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Final

import msgspec
from msgspec import UNSET
from starlette.responses import Response
from starlette.types import Receive, Send

from tasker.access import Taken
from tasker.api import batch
from tasker.api.batch import Batch
from tasker.api.bodies import answer, json_answer, read_body
from tasker.api.calls import NOTHING, READING, WRITING, Answer, Body, Call, Context, Links, Parameter, Request, Shape
from tasker.api.etags import etag
from tasker.api.idempotency import MadeAnswer
from tasker.api.routes import lists
from tasker.api.routes.lists import Part, ReadPart, answer_list
from tasker.building import Asked
from tasker.callers import Caller, Scope
from tasker.errors import (
    ConflictsError,
    HeadersNeededError,
    IdInUseError,
    InvalidQueryError,
    InvalidTaskError,
    InvalidTasksError,
    KeyInUseError,
    TaskEndedError,
    TaskExpiredError,
    TaskNotFailedError,
    TaskNotFoundError,
    TaskNotWaitingError,
    TaskRunningError,
    TooManyBatchesError,
    UpgradeUnfinishedError,
    cut,
)
from tasker.interfaces.tasks import TaskFilter
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.new_task import Made, Outcome
from tasker.model.task import STATES, State, Task
from tasker.wire.attempts import AttemptView, attempt_view
from tasker.wire.explanations import Explanation, explanation_view
from tasker.wire.fields import RequestFields
from tasker.wire.task_views import created_view, task_json, wrapped_task_json
from tasker.wire.tasks import Created, CreatedTasks, DuplicateRequest
from tasker.wire.tracing import traceparent_in

_STATES: Final = {state.word: state for state in STATES}
_ID: Final = {"type": "string", "format": "uuid"}
_KEY: Final = {"type": "string", "minLength": 1, "maxLength": 255}
_ETAG: Final = {
    "ETag": {"description": "Another one after every write that changes what is shown.", "schema": {"type": "string"}}
}
_LOCATION: Final = {"Location": {"description": "The path of the task.", "schema": {"type": "string"}}}
_LONGEST_WAIT: Final = timedelta(seconds=60)
_WAIT: Final = Parameter(
    name="wait",
    description="Seconds for which the answer may wait until the task has ended: done, failed or cancelled.",
    schema={"type": "number", "minimum": 0, "maximum": _LONGEST_WAIT.total_seconds()},
)
_SECONDS: Final = re.compile(r"[0-9]{1,2}(\.[0-9]{1,6})?", re.ASCII)
_LISTED: Final = (
    "The tasks, without the values of their headers and the passwords in their URLs, "
    "and without secret unless the caller may see it. A list that breaks off has failed half-way."
)


@Call(
    method="POST",
    path="/tasks/new",
    summary="Create a task. Once this is answered, the task survives a kill and a power loss.",
    scope=Scope.TASKS_WRITE,
    body=Body(Shape.NEW_TASK, limit=None),
    answers=(
        Answer(
            description="The task is stored.",
            status=201,
            shape=Created,
            headers=_LOCATION,
            links=Links(
                id="$response.body#/id",
                operation_ids=(
                    "getTask",
                    "changeTask",
                    "deleteTask",
                    "runTask",
                    "cancelTask",
                    "retryTask",
                    "duplicateTask",
                    "listAttempts",
                    "explainTask",
                    "getHistory",
                ),
            ),
        ),
        Answer(
            description="The task with this id or key was there before: it is kept, or is the new one now.",
            shape=Created,
            headers=_LOCATION,
        ),
    ),
    errors=(InvalidTaskError, IdInUseError, KeyInUseError, TaskRunningError, UpgradeUnfinishedError, *WRITING),
    page="tasks.md#create-a-task",
    is_repeatable=True,
).answered_bare_by
async def create_task(context: Context, caller: Caller, receive: Receive, send: Send) -> None:
    """Create a task: the hot path. Bytes in, one decode that validates, one await, bytes out."""
    asked = context.new_tasks.decode(await read_body(receive, context.max_body_bytes))
    made = await context.service.tasks.create(caller, asked)
    body = _created(asked, made)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"location", b"/tasks/" + made.id.encode()),
    ]
    await send({"type": "http.response.start", "status": _status(made), "headers": headers})
    await send({"type": "http.response.body", "body": body})


@create_task.answered_by
async def create_task_once(request: Request) -> Response:
    """Create a task, unless the answer to this request is kept."""
    asked = request.context.new_tasks.decode(request.body).traced(traceparent_in(request.asgi["headers"]))
    return await request.once(
        lambda once: request.service.tasks.create_once(request.caller, asked, once),
        lambda made: MadeAnswer(_status(made), _created(asked, made), f"/tasks/{made.id}"),
    )


@Call(
    method="POST",
    path="/tasks/batch",
    summary="Create up to 10,000 tasks, all or none.",
    scope=Scope.TASKS_WRITE,
    body=Body(Shape.NEW_TASKS, taken=Taken(batch.BYTES, "application/x-ndjson")),
    answers=(Answer(description="What became of the tasks, in order.", status=201, shape=CreatedTasks),),
    errors=(
        InvalidTaskError,
        InvalidTasksError,
        ConflictsError,
        TooManyBatchesError,
        UpgradeUnfinishedError,
        *WRITING,
    ),
    page="tasks.md#create-many-tasks",
    is_repeatable=True,
).answered_by
async def create_tasks(request: Request) -> Response:
    """Create many tasks."""
    asked = Batch(
        request.context.new_tasks,
        request.body,
        task_limit=request.context.max_body_bytes,
        traceparent=traceparent_in(request.asgi["headers"]),
    )
    return await request.once(
        lambda once: request.service.tasks.create_batch(request.caller, asked.asked(), once), asked.answer
    )


def _created(asked: Asked, made: Made) -> bytes:
    request = asked.request
    if not asked.is_named and request.delay is UNSET and request.local_time is UNSET:  # nearly always
        return b'{"id":"%b"}\n' % made.id.encode()
    return msgspec.json.encode(created_view(made, request, is_named=asked.is_named)) + b"\n"


def _status(made: Made) -> int:
    return 201 if made.outcome is Outcome.CREATED else 200


@Call(
    method="GET",
    path="/tasks/{id}",
    summary="Read a task, now or once it has ended.",
    scope=Scope.TASKS_READ,
    value=_ID,
    query=(_WAIT,),
    answers=(Answer(description="The task.", shape=Shape.TASK, headers=_ETAG),),
    errors=(TaskNotFoundError, InvalidQueryError, *READING),
    page="tasks.md#read-a-task",
).answered_by
async def get_task(request: Request) -> Response:
    """Answer with a task."""
    return await _read_or_awaited(request, await _id(request, or_newest=True))


@Call(
    method="PATCH",
    path="/tasks/{id}",
    summary="Change what a task that is todo, failed or cancelled was given: a merge patch (RFC 7396).",
    scope=Scope.TASKS_WRITE,
    value=_ID,
    body=Body(Shape.TASK_CHANGE, limit=None),
    answers=(
        Answer(description="The task as it is now. It never runs in its old form.", shape=Shape.TASK, headers=_ETAG),
    ),
    errors=(
        TaskNotFoundError,
        InvalidTaskError,
        UpgradeUnfinishedError,
        HeadersNeededError,
        TaskRunningError,
        TaskEndedError,
        TaskNotWaitingError,
        *WRITING,
    ),
    page="tasks.md#change-a-task",
    is_conditional=True,
).answered_by
async def change_task(request: Request) -> Response:
    """Change a task."""
    task = await request.service.tasks.change(
        request.caller,
        await _id(request),
        request.context.patches.decode(request.body),
        decode=request.context.new_tasks.decode,
        revisions=request.revisions,
    )
    return _whole(request, task)


@Call(
    method="DELETE",
    path="/tasks/{id}",
    summary="Delete a task that is not running, for good: it never starts any more.",
    scope=Scope.TASKS_WRITE,
    value=_ID,
    answers=(Answer(description="The task is deleted.", status=204),),
    errors=(TaskNotFoundError, TaskRunningError, *WRITING),
    page="tasks.md#delete-a-task",
).answered_by
async def delete_task(request: Request) -> Response:
    """Delete a task."""
    await request.service.tasks.delete(request.caller, await _id(request))
    return Response(status_code=204)


@Call(
    method="POST",
    path="/tasks/{id}/run",
    summary="Have a task that waits run now. Takes no body.",
    scope=Scope.TASKS_WRITE,
    value=_ID,
    body=NOTHING,
    answers=(
        Answer(description="The task, which is due.", shape=Shape.TASK, headers=_ETAG),
        Answer(description="The task is due, but its destination holds it: why.", status=202, shape=Explanation),
    ),
    errors=(TaskNotFoundError, TaskNotWaitingError, TaskExpiredError, *WRITING),
    page="tasks.md#run-a-task-now",
).answered_by
async def run_task(request: Request) -> Response:
    """Have a task run now."""
    task, finding = await request.service.tasks.run(request.caller, await _id(request))
    if finding.is_kept_back:
        return answer(explanation_view(finding), status=HTTPStatus.ACCEPTED)
    return _whole(request, task)


@Call(
    method="POST",
    path="/tasks/{id}/cancel",
    summary="Cancel a task: it is kept, and does not run. Takes no body.",
    scope=Scope.TASKS_WRITE,
    value=_ID,
    body=NOTHING,
    answers=(
        Answer(description="The task, which is cancelled, now or before.", shape=Shape.TASK, headers=_ETAG),
        Answer(
            description="The task, which is running: it is cancelled when its attempt has ended, unless that succeeds.",
            status=202,
            shape=Shape.TASK,
            headers=_ETAG,
        ),
    ),
    errors=(TaskNotFoundError, TaskEndedError, UpgradeUnfinishedError, *WRITING),
    page="tasks.md#cancel-a-task",
).answered_by
async def cancel_task(request: Request) -> Response:
    """Cancel a task."""
    task = await request.service.tasks.cancel(request.caller, await _id(request))
    return _whole(request, task, HTTPStatus.OK if task.state is State.CANCELLED else HTTPStatus.ACCEPTED)


@Call(
    method="POST",
    path="/tasks/{id}/retry",
    summary="Have a failed or cancelled task run again, now. Takes no body.",
    scope=Scope.TASKS_WRITE,
    value=_ID,
    body=NOTHING,
    answers=(Answer(description="The task, which is todo.", shape=Shape.TASK, headers=_ETAG),),
    errors=(TaskNotFoundError, TaskNotFailedError, TaskExpiredError, KeyInUseError, *WRITING),
    page="tasks.md#run-a-failed-task-again",
).answered_by
async def retry_task(request: Request) -> Response:
    """Have a failed task run again."""
    return _whole(request, await request.service.tasks.retry(request.caller, await _id(request, or_newest=True)))


@Call(
    method="POST",
    path="/tasks/{id}/duplicate",
    summary="Create another task like this one, for another time.",
    scope=Scope.TASKS_WRITE,
    value=_ID,
    body=Body(DuplicateRequest),
    answers=(Answer(description="The new task is stored.", status=201, shape=Created, headers=_LOCATION),),
    errors=(TaskNotFoundError, UpgradeUnfinishedError, *WRITING),
    page="tasks.md#duplicate-a-task",
    is_repeatable=True,
).answered_by
async def duplicate_task(request: Request) -> Response:
    """Create another task like one that is stored."""
    asked: DuplicateRequest = request.body
    when = RequestFields(**msgspec.structs.asdict(asked))

    async def make(once: Repeatable[Made] | None) -> KeptAnswer | Made:
        task_id = await _id(request, or_newest=True)
        traceparent = traceparent_in(request.asgi["headers"])
        return await request.service.tasks.duplicate(request.caller, task_id, when, once, traceparent=traceparent)

    return await request.once(make, lambda made: _duplicated(made, when))


def _duplicated(made: Made, when: RequestFields) -> MadeAnswer:
    body = msgspec.json.encode(created_view(made, when, is_named=False)) + b"\n"
    return MadeAnswer(HTTPStatus.CREATED, body, f"/tasks/{made.id}")


@Call(
    method="GET",
    path="/tasks/{id}/attempts",
    summary="List the latest attempts of a task that have ended, oldest first.",
    scope=Scope.TASKS_READ,
    value=_ID,
    answers=(Answer(description="The attempts.", shape=AttemptView, is_list=True),),
    errors=(TaskNotFoundError, *READING),
    page="tasks.md#attempts",
).answered_by
async def list_attempts(request: Request) -> Response:
    """Answer with the attempts of a task."""
    return answer([attempt_view(record) for record in await request.service.tasks.attempts(request.values["id"])])


@Call(
    method="GET",
    path="/tasks/{id}/explain",
    summary="Say why a task is where it is, and what comes next.",
    scope=Scope.TASKS_READ,
    value=_ID,
    answers=(Answer(description="The explanation.", shape=Explanation),),
    errors=(TaskNotFoundError, *READING),
    page="tasks.md#explain-a-task",
).answered_by
async def explain_task(request: Request) -> Response:
    """Say why a task is where it is."""
    return answer(explanation_view(await request.service.tasks.explain(request.values["id"])))


@Call(
    method="GET",
    path="/tasks/type/{type}",
    summary="List the tasks of a type, by execution time.",
    scope=Scope.TASKS_READ,
    value=Shape.TYPE_NAME,
    query=lists.PARAMETERS,
    answers=(Answer(description=_LISTED, shape=Shape.TASK_OF_TYPE, is_list=True, headers=lists.HEADERS),),
    errors=(InvalidQueryError, *READING),
    page="tasks.md#list-tasks",
).answered_by
async def list_tasks_by_type(request: Request) -> Response:
    """Answer with the tasks of a type."""
    name = request.values["type"]
    _check_known("type", name, [task_type.name for task_type in request.context.registry.types])
    return await answer_list(request, _reader(request, TaskFilter(type=name), task_json))


@Call(
    method="GET",
    path="/tasks/state/{state}",
    summary="List the tasks of a state, by execution time.",
    scope=Scope.TASKS_READ,
    value={"type": "string", "enum": list(_STATES)},
    query=lists.PARAMETERS,
    answers=(Answer(description=_LISTED, shape=Shape.TASK, is_list=True, headers=lists.HEADERS),),
    errors=(InvalidQueryError, *READING),
    page="tasks.md#list-tasks",
).answered_by
async def list_tasks_by_state(request: Request) -> Response:
    """Answer with the tasks in a state."""
    word = request.values["state"]
    _check_known("state", word, _STATES)
    return await answer_list(request, _reader(request, TaskFilter(state=_STATES[word]), wrapped_task_json))


async def _id(request: Request, *, or_newest: bool = False) -> str:
    """Return the id of the task that a path names, by its id or its key.

    Args:
        or_newest: whether a key also names the newest task that had it, if none holds it.
    """
    key = request.values.get("key")
    return request.values["id"] if key is None else await request.service.tasks.id_of_key(key, or_newest=or_newest)


def _by_key(call: Call, summary: str) -> Call:
    """Return *call* for a task that is named by its key."""
    return replace(
        call,
        path=call.path.replace("{id}", "key/{key}"),
        summary=summary,
        value=_KEY,
        page="tasks.md#tasks-by-key",
        operation_id=f"{call.operation_id}ByKey",
    )


async def _read_or_awaited(request: Request, task_id: str) -> Response:
    """Answer with a task: now, or with ``wait`` once it has ended."""
    tasks = request.service.tasks
    if "wait" not in request.query:
        return _whole(request, await tasks.get(request.caller, task_id))
    longest = _wait(request.query["wait"])
    with ExitStack() as waiting:

        def when_over(end: Callable[[], None]) -> None:
            request.when_left(end)
            waiting.enter_context(request.service.keys.while_valid(request.caller, end))

        task = await tasks.get_ended(request.caller, task_id, longest=longest, when_left=when_over)
    request.service.keys.check(request.caller)
    return _whole(request, task)


def _wait(text: str) -> timedelta:
    if _SECONDS.fullmatch(text) and (wait := timedelta(seconds=float(text))) <= _LONGEST_WAIT:
        return wait
    most = _LONGEST_WAIT.total_seconds()
    raise InvalidQueryError("wait", f"expected a number of seconds from 0 to {most:g}, got: {cut(text)!r}")


def _whole(request: Request, task: Task, status: int = HTTPStatus.OK) -> Response:
    """Return the answer that shows one task, with its ``ETag``."""
    tag = etag(task.revision, is_masked=not request.caller.may(Scope.SECRETS_READ))
    return json_answer(msgspec.json.format(wrapped_task_json(task)), status=status, headers={"etag": tag})


def _reader(request: Request, which: TaskFilter, write: Callable[[Task], bytes]) -> ReadPart:
    """Return what reads a list of tasks, and writes each with *write*."""

    async def read(after: str | None, limit: int) -> Part:
        page = await request.service.tasks.page(request.caller, which, after=after, limit=limit)
        return Part([write(task) for task in page.tasks], page.next)

    return read


def _check_known(parameter: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise InvalidQueryError(parameter, f"expected one of {', '.join(known)}, got: {cut(value)!r}")


CALLS: Final = (
    create_task_once,
    create_tasks,
    get_task,
    change_task,
    delete_task,
    run_task,
    cancel_task,
    retry_task,
    duplicate_task,
    list_attempts,
    explain_task,
    list_tasks_by_type,
    list_tasks_by_state,
    _by_key(get_task, "Read the task that holds a key, or else the newest that had it."),
    _by_key(change_task, "Change the task that holds a key: a merge patch (RFC 7396)."),
    _by_key(delete_task, "Delete the task that holds a key."),
    _by_key(run_task, "Have the task that holds a key, and waits, run now. Takes no body."),
    _by_key(cancel_task, "Cancel the task that holds a key. Takes no body."),
    _by_key(retry_task, "Have the newest task that had a key run again, now. Takes no body."),
    _by_key(duplicate_task, "Create another task like the one that holds a key, or else the newest that had it."),
)
