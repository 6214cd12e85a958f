"""What is told of the end of an attempt: what a function returns or raises, in the words of the API."""

import re
import traceback
from datetime import timedelta
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from tasker.errors import BadArgumentsError
from tasker.model import lengths
from tasker.wire.completions import LONGEST_DETAILS, LONGEST_RESULT
from tasker.worker.outcomes import Fail, Retry

_LONGEST_MSG: Final = 1000
_LONGEST_CODE: Final = 64
_LONGEST_TRACE: Final = LONGEST_DETAILS // 2
"""Characters of a traceback that are kept, fewer if they take more bytes: the last ones."""

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]+")
_HUMP: Final = re.compile("(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_CODE: Final = re.compile("[a-z][a-z0-9_]{0,63}")


class Report(Struct, frozen=True, kw_only=True):
    """How an attempt has ended, for ``/completions/complete`` or ``/completions/fail``."""

    what: Literal["complete", "fail"]
    result: Raw | UnsetType = UNSET
    code: str = ""
    msg: str = ""
    details: Any = UNSET
    retry: bool = True
    retry_after: float | None = None
    """Seconds."""


def done(result: object) -> Report:
    """Return the report of a function that has returned *result*."""
    try:
        text = msgspec.json.encode(result)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        return failed("bad_result", f"what the function returned cannot be written as JSON: {error}", retry=False)
    if len(text) > LONGEST_RESULT:
        return failed(
            "result_too_large",
            f"what the function returned has {len(text)} bytes of JSON, at most {LONGEST_RESULT} are kept; "
            "store it elsewhere, and return where",
            retry=False,
        )
    return Report(what="complete") if result is None else Report(what="complete", result=Raw(text))


def failed(
    code: str, msg: str, *, retry: bool = True, retry_after: float | None = None, details: object = UNSET
) -> Report:
    """Return the report of an attempt that has failed."""
    return Report(
        what="fail", code=code, msg=line_of(msg) or code, details=details, retry=retry, retry_after=retry_after
    )


def raised(error: BaseException) -> Report:
    """Return the report of a function that has raised *error*. Never raises, whatever the error is made of."""
    said = words_of(error)
    match error:
        case Fail():
            return failed(_code_or(error.code, "failed"), said, retry=False)
        case Retry():
            return failed("retry", said, retry_after=_seconds(error.after))
        case BadArgumentsError():
            return failed(BadArgumentsError.code, said, retry=False)
        case _:
            name = type(error).__name__
            return failed(_code_of(name), f"{name}: {said}" if said else name, details=_details(error))


def words_of(error: BaseException) -> str:
    """Return what *error* says, perhaps nothing. One that cannot say it is shown as tracebacks show it."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a ``__str__`` may do anything
        return "<exception str() failed>"


def line_of(text: object) -> str:
    """Return *text* as the server takes a line for people: without control characters, cut, perhaps empty."""
    return _CONTROL.sub(" ", _whole(str(text))).strip()[:_LONGEST_MSG]


def _seconds(after: float | str | timedelta | None) -> float | None:
    """Return how long ``Retry`` asks to wait; None: it does not, or in a way that means nothing."""
    if after is None:
        return None
    try:
        return lengths.parse(after.total_seconds() if isinstance(after, timedelta) else after).total_seconds()
    except (TypeError, ValueError):  # not everybody checks types
        return None


def _code_of(name: str) -> str:
    """Return the name of an exception as a code.

    >>> _code_of("HTTPStatusError"), _code_of("KeyError"), _code_of("_Private")
    ('http_status_error', 'key_error', 'private')
    """
    return _code_or(_HUMP.sub("_", name).lower().strip("_")[:_LONGEST_CODE], "exception")


def _code_or(code: object, instead: str) -> str:
    """Return *code* if the server takes it as one."""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else instead


def _details(error: BaseException) -> dict[str, str]:
    """Return the class of an exception and the end of its traceback, as much as the server keeps."""
    trace = _whole("".join(traceback.format_exception(error)))
    length = _LONGEST_TRACE
    while True:
        end = trace if len(trace) <= length else f"...{trace[-length:]}"
        details = {"exception": f"{type(error).__module__}.{type(error).__qualname__}"[:_LONGEST_MSG], "traceback": end}
        if len(msgspec.json.encode(details)) <= LONGEST_DETAILS:
            return details
        length //= 2


def _whole(text: str) -> str:
    """Return *text* with ``?`` in place of halves of characters, which UTF-8 does not have."""
    return text.encode(errors="replace").decode()
