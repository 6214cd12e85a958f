"""What receivers of long jobs send, and what they are answered."""

import re
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from tasker.errors import InvalidRequestError
from tasker.model import instants
from tasker.model.instants import Instant
from tasker.model.task import Fault, State
from tasker.wire.fields import Length
from tasker.wire.tasks import StateWord

LONGEST_RESULT: Final = 64 * 1024
"""Bytes of JSON that a result has at most."""

LONGEST_DETAILS: Final = 16 * 1024
"""The same of the details of a failure."""

_REPORTED: Final = "reported_failure"
_NO_WORDS: Final = "the receiver reported that it failed"
_WORD: Final = re.compile("[a-z][a-z0-9_]*")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")

Line = Annotated[str, Meta(min_length=1, max_length=1000)]


class Complete(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That the work is done."""

    result: (
        Annotated[Raw, Meta(description="What came of it: any JSON, at most 64 KiB. Kept with the task.")] | UnsetType
    ) = UNSET


class Fail(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That the work has failed."""

    code: Annotated[
        str, Meta(pattern=f"^{_WORD.pattern}$", max_length=64, description="A stable word for programs.")
    ] = _REPORTED
    msg: Annotated[Line, Meta(description="One line for people.")] = _NO_WORDS
    details: Annotated[Raw, Meta(description="More of it: any JSON, at most 16 KiB.")] | UnsetType = UNSET
    retry: Annotated[
        bool, Meta(description="Whether another attempt may help; false: the task has failed for good.")
    ] = True
    retry_after: Annotated[Length, Meta(description="No other attempt comes earlier.")] | UnsetType = UNSET


class Heartbeat(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That the work goes on."""

    progress: Annotated[float, Meta(ge=0, le=1, description="The part that is done.")] | UnsetType = UNSET
    msg: Annotated[Line, Meta(description="One line for people.")] | UnsetType = UNSET
    deadline: (
        Annotated[Length, Meta(description="How long to wait for the end, from now: at most 30d.")] | UnsetType
    ) = UNSET


class CompletionView(Struct, frozen=True, kw_only=True):
    """How a task stands after its receiver has told of it."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"}, description="Of the task.")]
    state: StateWord
    deadline: (
        Annotated[
            str,
            Meta(
                extra_json_schema={"format": "date-time"},
                description="Until when its end is waited for, in UTC. null: it has ended, or was not answered yet.",
            ),
        ]
        | None
    )


def completion_view(task_id: str, state: State, deadline: Instant | None = None) -> CompletionView:
    """Return how a task stands, as receivers are answered."""
    return CompletionView(
        id=task_id,
        state=state.word,  # type: ignore[arg-type]  # as in task_json
        deadline=None if deadline is None else instants.text(deadline),
    )


def result_of(complete: Complete) -> bytes | None:
    """Return the result as it is kept; None: there is none.

    Raises:
        InvalidRequestError: it cannot be kept.
    """
    return None if complete.result is UNSET else _checked(complete.result, "result", LONGEST_RESULT)


def fault_of(fail: Fail) -> Fault:
    """Return why the attempt failed, as it is kept.

    Raises:
        InvalidRequestError: it cannot be kept.
    """
    if _WORD.fullmatch(fail.code) is None:  # to its pattern, a line end may stand behind it
        raise InvalidRequestError("code", "expected lower case, digits and _, without a line end")
    details = UNSET if fail.details is UNSET else Raw(_checked(fail.details, "details", LONGEST_DETAILS))
    return Fault(fail.code, checked_line(fail.msg), details=details)


def checked_line(text: str) -> str:
    """Return *text*, a ``msg``.

    Raises:
        InvalidRequestError: it is no line.
    """
    if _CONTROL.search(text) is not None:
        raise InvalidRequestError("msg", "expected one line, without control characters")
    return text


def _checked(value: Raw, field: str, longest: int) -> bytes:
    """Return *value* without blanks around it."""
    try:
        kept = msgspec.json.format(bytes(value), indent=-1)
        msgspec.json.decode(kept)
    except (UnicodeDecodeError, msgspec.MsgspecError):
        raise InvalidRequestError(
            field, "expected JSON in UTF-8, of whole characters and numbers of a usual size"
        ) from None
    if len(kept) > longest:
        raise InvalidRequestError(field, f"expected at most {longest} bytes of JSON, got: {len(kept)}")
    return kept
