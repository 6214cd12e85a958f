"""Writes the synchronous client (``make client``): the asynchronous one without ``async`` and ``await``.

``tests/client/test_both_clients.py`` says when it is out of date.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_FROM: Final = Path(__file__).parent.parent / "src/tasker/client/asynchronous"
_TO: Final = _FROM.with_name("synchronous")

_NOTE: Final = "# Made of ../asynchronous/{name} by make client. Change that file.\n"

_REPLACED: Final = (
    (r"\basync def\b", "def"),
    (r"\basync (for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\basyncio\.sleep\b", "time.sleep"),
    (r"^import asyncio$", "import time"),
    (r"\bAsync([A-Z])", r"\1"),
    (r"\b_Async([A-Z])", r"_\1"),
    (r"\b__a(enter|exit|iter|next)__\b", r"__\1__"),
    (r"\bStopAsyncIteration\b", "StopIteration"),
    (r"\b(aclose|aiter_\w+|aread)\b", lambda match: match[1][1:]),
    (r"\btasker\.client\.asynchronous\b", "tasker.client.synchronous"),
    (r"\basynchronous\b", "synchronous"),
    (r"any number of tasks of an event loop", "any number of threads"),
)
"""What stands in the one, and what in the other."""


def generated() -> Mapping[Path, str]:
    """Return the whole text of each file of the synchronous client."""
    return {_TO / path.name: _synchronous(path) for path in sorted(_FROM.glob("*.py"))}


def _synchronous(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    for pattern, instead in _REPLACED:
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    name = str(_TO / path.name)
    ruff = (sys.executable, "-m", "ruff")
    linted = _through(
        text, *ruff, "check", "--quiet", "--fix-only", "--select", "I,F401", "--stdin-filename", name, "-"
    )
    return _NOTE.format(name=path.name) + _through(linted, *ruff, "format", "--quiet", "--stdin-filename", name, "-")


def _through(text: str, *command: str) -> str:
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours


if __name__ == "__main__":
    for path, text in generated().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
