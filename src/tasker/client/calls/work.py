"""What workers do: claim due tasks of a queue, and say how their work goes."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET

from tasker.client import answers, words
from tasker.client.answers import Job
from tasker.client.core import Request, encode, path, shape, without_none
from tasker.client.options import Length
from tasker.wire.completions import CompletionView

_read_completion = shape(CompletionView)


def claim(queue: str, *, most: int, wait: float, lease: Length) -> Request[list[Job]]:
    """Claim due tasks of a queue."""
    return Request(
        method="POST",
        path=path("queues", queue, "claim"),
        content=encode({"max": most, "wait": wait, "lease": words.length(lease)}),
        read=answers.jobs,
        is_repeatable=True,
        waits=wait,
    )


def claim_any(queues: Sequence[str], *, most: int, wait: float, lease: Length) -> Request[list[Job]]:
    """Claim due tasks of one of several queues."""
    return Request(
        method="POST",
        path=path("queues", "claim"),
        content=encode({"queues": list(queues), "max": most, "wait": wait, "lease": words.length(lease)}),
        read=answers.jobs,
        is_repeatable=True,
        waits=wait,
    )


def complete(token: str, result: Any) -> Request[CompletionView]:
    """Say that the work is done."""
    return _report("complete", token, {}, result=result)


def fail(
    token: str,
    *,
    code: str | None,
    msg: str | None,
    details: Any,
    retry: bool,
    retry_after: Length | None,
) -> Request[CompletionView]:
    """Say that the work has failed."""
    after = None if retry_after is None else words.length(retry_after)
    said = {"code": code, "msg": msg, "retry": retry, "retry_after": after}
    return _report("fail", token, said, details=details)


def heartbeat(
    token: str, *, progress: float | None, msg: str | None, deadline: Length | None
) -> Request[CompletionView]:
    """Say that the work goes on."""
    until = None if deadline is None else words.length(deadline)
    return _report("heartbeat", token, {"progress": progress, "msg": msg, "deadline": until})


def release(token: str) -> Request[CompletionView]:
    """Give back what was claimed."""
    return _report("release", token, {})


def _report(what: str, token: str, said: Mapping[str, Any], **json: Any) -> Request[CompletionView]:
    """Report how an attempt goes.

    Args:
        what: the last part of the path.
        token: that of the attempt.
        said: None is not said.
        json: JSON of any shape, of which None is a value; UNSET is not said.
    """
    given = {name: value for name, value in json.items() if value is not UNSET}
    return Request(
        method="POST",
        path=path("completions", what),
        content=encode({**without_none(said), **given}),
        read=_read_completion,
        is_repeatable=True,
        token=token,
    )
