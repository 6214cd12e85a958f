"""The log: structured lines on standard error, for people on a terminal and as JSON elsewhere."""

import asyncio
import logging
import sys
import traceback
from collections.abc import Mapping
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from tasker.cli.redact import one_line, redact
from tasker.errors import TaskerError

_LEVELS: Final = {
    "TRACE": logging.NOTSET,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "ERROR": logging.ERROR,
}
_LONGEST: Final = 2_000
"""Characters of a value that are logged."""

_log = structlog.get_logger()


def set_up(level: str, log_format: str) -> None:
    """Send the log of tasker and of its libraries to standard error.

    Libraries are heard from WARN up only: at finer levels some of them show requests.

    Args:
        level: one of ``config.LOG_LEVELS``.
        log_format: ``console``, ``json``, or ``auto``: console if standard error is a terminal.
    """
    terminal = sys.stderr.isatty()
    renderer: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if log_format == "console" or (log_format == "auto" and terminal):
        # repr: a value cannot break the line. plain_traceback: never shows the values of variables.
        renderer = structlog.dev.ConsoleRenderer(
            colors=terminal, repr_native_str=True, exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            describe_exception,
            without_secrets,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=_StandardError,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Libraries()], level=max(_LEVELS[level], logging.WARNING), force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi"):
        logging.getLogger(name).setLevel(
            max(_LEVELS[level], logging.WARNING)
        )  # uvicorn looks at its own logger's level


def log_loop_error(loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """Log what asyncio has nobody to tell. Shows none of the objects involved: their texts may hold secrets."""
    del loop
    message, callback, _ = str(context.get("message", "unhandled error")).partition(
        "in callback"
    )  # its arguments follow
    _log.error(message + callback, exc_info=context.get("exception"))


def describe_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace ``exc_info`` by where the exception was raised.

    Its message may quote what it failed on; only those of tasker itself and of the operating system
    do not.
    """
    error = event.pop("exc_info", None)
    if isinstance(error, tuple):
        error = error[1]
    elif error is not None and not isinstance(error, BaseException):
        error = sys.exception()
    if isinstance(error, BaseException):
        parts: list[str] = []
        seen: set[int] = set()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            message = f": {error}" if isinstance(error, TaskerError | OSError) else ""
            frames = "".join(traceback.format_tb(error.__traceback__))
            parts.append(f"{frames}{type(error).__module__}.{type(error).__qualname__}{message}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        event["exception"] = "\ncaused by:\n".join(parts)
    return event


def without_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Take userinfo and query strings of URLs out of every value: the last resort, should a caller have forgotten."""
    return {key: redact(value) if key == "exception" else _safe(value) for key, value in event.items()}


def _safe(value: Any) -> Any:  # noqa: ANN401 - whatever was logged
    match value:
        case None | bool() | int() | float():
            return value
        case Mapping():
            return {str(key): _safe(part) for key, part in value.items()}
        case list() | tuple():
            return [_safe(part) for part in value]
        case _:
            return one_line(redact(str(value)[:_LONGEST]))


class _StandardError:
    """Writes lines to standard error. Never raises: a log that nobody can read must not stop the server."""

    def __init__(self, *_: object) -> None:
        """Take, and ignore, the name that structlog hands to its loggers."""

    def msg(self, line: str) -> None:
        try:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):  # nobody reads it any more, or it is closed
            return

    debug = info = warning = error = critical = exception = log = msg


class _Libraries(logging.Handler):
    """Hands what libraries say through ``logging`` to structlog, so that it looks alike and is redacted alike."""

    def emit(self, record: logging.LogRecord) -> None:
        level = min(record.levelno // 10 * 10, logging.CRITICAL)  # structlog knows the standard levels only
        _log.log(level, record.getMessage(), logger=record.name, exc_info=record.exc_info)
