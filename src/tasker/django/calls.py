"""What stands in the JSON of a job: which task of Django is to be called, with which arguments."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct


class InvalidPayloadError(Exception):
    """The JSON of a job does not say which task of Django to call."""


class DjangoCall(Struct, frozen=True, kw_only=True):
    """A call of a task of Django."""

    django_task: str
    """The path of the task: of its module, and its name there."""
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = {}
    run_after: Annotated[datetime, Meta(tz=True)] | None = None
    """When it was asked to run, with an offset; None: at once. When it does, the job's own time says."""


def encoded(call: DjangoCall) -> Raw:
    """Return *call* as JSON that is read as it was said.

    Raises:
        ValueError: an argument has a number that JSON has no word for, such as ``nan``, or text that
            is not Unicode.
        TypeError: an argument is of a type that JSON does not have.
    """
    said: dict[str, Any] = {"django_task": call.django_task, "args": call.args, "kwargs": call.kwargs}
    if call.run_after is not None:
        said["run_after"] = call.run_after.isoformat()
    return Raw(json.dumps(said, allow_nan=False, ensure_ascii=False).encode())


def decoded(payload: object) -> DjangoCall:
    """Return the call that the JSON of a job stands for.

    Args:
        payload: that JSON, decoded.

    Raises:
        InvalidPayloadError: it stands for none.
    """
    try:
        return msgspec.convert(payload, DjangoCall)
    except msgspec.ValidationError as error:
        raise InvalidPayloadError(f"expected the call of a task of Django: {error}") from None
