"""``POST /tasks/new``: the hot path, bare ASGI. Bytes in, one decode that validates, one await, bytes out."""

from starlette.types import ASGIApp, Receive, Scope, Send

from tasker.api.bodies import read_body
from tasker.api.new_task import NewTaskDecoder
from tasker.errors import InvalidTaskError
from tasker.service import Service
from tasker.task_types.registry import Registry


def creator(service: Service, registry: Registry, *, max_body_bytes: int) -> ASGIApp:
    """Return the application of ``POST /tasks/new``. It raises its errors instead of answering them."""
    decode = NewTaskDecoder(registry).decode

    async def create(_: Scope, receive: Receive, send: Send) -> None:
        task_type, request = decode(await read_body(receive, max_body_bytes))
        try:
            task_id = (await service.create(task_type, request, request.execution_time)).encode()
        except InvalidTaskError as error:
            field = f"{task_type.name}.{error.field}" if error.field else task_type.name
            raise InvalidTaskError(field, error.problem) from None
        answer = b'{"id":"%b"}' % task_id
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(answer)),
            (b"location", b"/tasks/" + task_id),
        ]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return create
