"""What commands print, for people or for programs, and how they end."""

import inspect
import itertools
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import click

FAILED: Final = 1
"""Exit code: it could not be done, or the server could not start or go on."""

MISUSED: Final = 2
"""Exit code: an option, variable or key cannot be used."""

NOT_FOUND: Final = 3
"""Exit code: what it is about is not there."""

CONFLICT: Final = 4
"""Exit code: as things are, it cannot be done."""

UNAUTHORIZED: Final = 5
"""Exit code: whoever calls may not do it."""

UNREACHABLE: Final = 6
"""Exit code: whoever was called does not answer."""

TIMED_OUT: Final = 7
"""Exit code: what was waited for has not come in time."""

PARTLY: Final = 8
"""Exit code: of many, some are done and some are not."""

INTERRUPTED: Final = 130
"""Exit code: somebody has pressed Ctrl-C."""

TITLES: Final = {
    FAILED: "Failed",
    MISUSED: "Misused",
    NOT_FOUND: "Not Found",
    CONFLICT: "Conflict",
    UNAUTHORIZED: "Unauthorized",
    UNREACHABLE: "Unreachable",
    TIMED_OUT: "Timed Out",
    PARTLY: "Partly Done",
}

C = TypeVar("C", bound=Callable[..., object])


class CommandError(Exception):
    """A command could not do what it was told.

    Args:
        exit_code: how the process ends.
        code: a stable word for programs.
        problem: what is wrong, as a clause; shows no secret.
    """

    def __init__(self, exit_code: int, code: str, problem: str) -> None:
        self.exit_code = exit_code
        self.code = code
        super().__init__(problem)


def output_option(command: C) -> C:
    """Give a command the option ``--output``, as its parameter ``output``."""
    return click.option(
        "--output",
        type=click.Choice(["table", "json"]),
        default="table",
        show_default=True,
        help="Whether to print for people or for programs. With json, an error is JSON too, on standard error.",
    )(command)


def joined_help(*texts: str | None) -> str:
    """Return the help that consists of *texts*, each indented in its own way, as docstrings are in older Pythons."""
    return "\n\n".join(inspect.cleandoc(text).strip("\n") for text in texts if text)


def show(output: str, facts: dict[str, Any], line: str) -> None:
    """Print what a command found on standard output: *facts* as JSON, or *line*."""
    click.echo(json.dumps(facts, ensure_ascii=False) if output == "json" else line)


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return *rows* as lines of text under *heading*, each column as wide as it needs.

    >>> print(table(("ID", "NAME"), (("a1", "one"),)))
    ID  NAME
    a1  one
    """
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in (heading, *rows)]
    return "\n".join(lines)


def exit_code_of(status: int) -> int:
    """Return the exit code of a command that the server refused with an HTTP status."""
    match status:
        case 401 | 403:
            return UNAUTHORIZED
        case 404:
            return NOT_FOUND
        case 409 | 412 | 422:
            return CONFLICT
        case 400 | 413 | 415:
            return MISUSED
        case _:
            return FAILED


def complain(exit_code: int, code: str, problem: str) -> None:
    """Print on standard error why the command ends with *exit_code*: one line.

    With ``--output json``, or ``ndjson``, it is a problem in JSON (RFC 9457), like those of the API, but with the
    exit code in place of the status.
    """
    if not wants_json(sys.argv[1:]):
        click.echo(f"tasker: {problem}", err=True)
        return
    told = {"title": TITLES[exit_code], "exit_code": exit_code, "code": code, "detail": problem, "msg": problem}
    click.echo(json.dumps({"type": "about:blank", **told}, ensure_ascii=False), err=True)


def wants_json(arguments: Sequence[str]) -> bool:
    """Return whether *arguments*, which perhaps cannot be used, ask for errors in JSON.

    >>> wants_json(["alert", "test", "--output", "json"]), wants_json(["--output=table", "json"])
    (True, False)
    """
    said = {"=".join(pair) for pair in itertools.pairwise(arguments)} | set(arguments)
    return any(f"{option}={form}" in said for option in ("--output", "-o") for form in ("json", "ndjson"))
