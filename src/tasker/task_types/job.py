"""The task type ``job``: something that a worker does who asks for it, on a machine that nobody can call."""

import msgspec
from typing_extensions import override

from tasker.errors import InvalidTaskError, cut
from tasker.model.gate import Destination, queue_named
from tasker.task_types.pulled import PulledType
from tasker.wire.fields import JobFields, TaskFields


class JobType(PulledType):
    """Keeps jobs until workers claim them from their queues."""

    name = "job"
    spellings = ("Job",)
    fields = JobFields

    @override
    def prepare(self, request: TaskFields) -> TaskFields:
        """Callers find the queue in a path: its name fits there as it is."""
        assert isinstance(request, JobFields)  # noqa: S101 - the shape was checked when it was decoded
        try:
            queue_named(request.queue)
        except ValueError as error:
            raise InvalidTaskError("queue", cut(str(error))) from None
        if request.json is not msgspec.UNSET:
            try:
                bytes(request.json).decode()
            except UnicodeDecodeError:
                raise InvalidTaskError("json", "expected JSON in UTF-8, got other bytes") from None
        return request

    @override
    def destination(self, fields: TaskFields) -> Destination:
        """The queue that it names."""
        assert isinstance(fields, JobFields)  # noqa: S101 - as prepare returned it
        return queue_named(fields.queue)
