"""The log of a worker: lines on standard error, for people on a terminal and as JSON elsewhere.

The same members as in the log of the server. It is made with what Python brings: a worker needs no more.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Final

LEVELS: Final = ("DEBUG", "INFO", "WARN", "ERROR")
FORMATS: Final = ("auto", "console", "json")

_KNOWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LEVEL_WORDS: Final = {"WARNING": "warning", "CRITICAL": "critical"}


def set_up(level: str, log_format: str) -> None:
    """Send what is logged to standard error: what tasker and the app say from *level* on, others from WARN on.

    Args:
        level: one of ``LEVELS``.
        log_format: one of ``FORMATS``; ``auto`` is console if standard error is a terminal.
    """
    handler = logging.StreamHandler(sys.stderr)
    is_console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    handler.setFormatter(_Lines(is_json=not is_console))
    threshold = logging.WARNING if level == "WARN" else logging.getLevelNamesMapping()[level]
    logging.basicConfig(handlers=[handler], level=threshold, force=True)
    for library in ("httpx2", "httpcore2", "asyncio"):
        logging.getLogger(library).setLevel(max(threshold, logging.WARNING))  # at finer levels they show requests


class _Lines(logging.Formatter):
    def __init__(self, *, is_json: bool) -> None:
        super().__init__()
        self._is_json = is_json

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, which what was logged cannot break."""
        said = {name: value for name, value in vars(record).items() if name not in _KNOWN}
        members = {
            **said,
            "event": record.getMessage(),
            "level": _LEVEL_WORDS.get(record.levelname, record.levelname.lower()),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
        }
        if not record.name.startswith("tasker."):
            members["logger"] = record.name
        if record.exc_info and record.exc_info[1] is not None:
            members["exception"] = "".join(traceback.format_exception(record.exc_info[1])).rstrip()
        if self._is_json:
            return json.dumps(members, ensure_ascii=False, default=str)
        event, shown_level, at = members.pop("event"), members.pop("level"), members.pop("timestamp")
        exception = members.pop("exception", None)
        rest = " ".join(f"{name}={value!r}" for name, value in members.items())
        line = f"{at} [{shown_level:<8}] {event}" + (f"  {rest}" if rest else "")
        line = line.replace("\r", "\\r").replace("\n", "\\n")
        return line if exception is None else f"{line}\n{exception}"
