"""What people type, made into what the API takes: times in words, lengths, values, files."""

import base64
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import click

from tasker.cli import clocks
from tasker.cli.clocks import Zone
from tasker.cli.output import MISUSED, CommandError
from tasker.errors import cut
from tasker.model import instants, time_words, walls
from tasker.model.instants import Instant
from tasker.model.time_words import Said

C = TypeVar("C", bound=Callable[..., object])
T = TypeVar("T")

TIMES: Final = "10m, 17:00, tomorrow 09:00, mon 9:00, 2027-03-28 09:00, @1806217200 or RFC 3339"
"""Examples for the help."""

_UNIT: Final = timedelta(seconds=1)
_HEADER: Final = re.compile(r"([^:\s]+):\s*(.*)", re.DOTALL)


def misused(option: str, problem: str) -> CommandError:
    """Return the error of an option that cannot be used."""
    return CommandError(MISUSED, "usage", f"{option}: {problem}")


def tz_option(command: C) -> C:
    """Give a command the option ``--tz``, as its parameter ``zone``."""

    def zone(_context: click.Context, _parameter: click.Parameter, name: str | None) -> Zone:
        return read("--tz", clocks.zone_of, name)

    return click.option(
        "--tz",
        "zone",
        metavar="ZONE",
        callback=zone,
        help="Whose clocks times mean and are shown by, such as Europe/Berlin.  [default: those of this machine]",
    )(command)


def read(option: str, reader: Callable[..., T], *words: Any) -> T:  # noqa: ANN401 - what the reader takes
    """Return what *reader* makes of what an option says.

    Raises:
        CommandError: nothing; it names the option.
    """
    try:
        return reader(*words)
    except ValueError as error:
        raise misused(option, str(error)) from None


def time_members(
    within: str | None, at: str | None, zone: Zone, *, names: tuple[str, str] = ("--in", "--at")
) -> dict[str, Any]:
    """Return the members of a task that say when: of ``--in`` and ``--at``, one is given.

    What was said as a length is sent as one, so that the clock of the server counts. What was said by
    the clocks of a zone with a name is sent so, too: should its offset change by then, the task moves.

    Raises:
        CommandError: neither or both are given, or they cannot be used.
    """
    if (within is None) == (at is None):
        got = "neither" if at is None else "both"
        raise CommandError(
            MISUSED, "usage", f"{names[0]}, {names[1]}: expected one of them, got {got}; --at now is now"
        )
    if within is not None:
        return {"delay": length_text(read(names[0], time_words.length_of, within))}
    assert at is not None  # noqa: S101 - one of them is given
    now = clocks.now()
    return when(read(names[1], time_words.moment_of, at, now, zone.info), zone, now, names[1])


def when(said: Said, zone: Zone, now: Instant, option: str) -> dict[str, Any]:
    """Return the members of a task that say the same as *said*.

    Raises:
        CommandError: it has passed.
    """
    if said.delay is not None:
        return {"delay": length_text(said.delay)}
    if said.moment <= now:
        raise misused(option, f"expected a time to come, got one that has passed: {clocks.in_full(said.moment, zone)}")
    if said.local_time is not None and zone.name is not None:
        return {"local_time": said.local_time, "time_zone": zone.name}
    return {"execution_time": walls.text_with_offset(said.moment, zone.info)}


def moment_text(option: str, words: str, zone: Zone) -> str:
    """Return a moment to come, as the API takes it.

    Raises:
        CommandError: the words stand for none.
    """
    said = read(option, time_words.moment_of, words, clocks.now(), zone.info)
    return walls.text_with_offset(said.moment, zone.info)


def bound_text(option: str, words: str, zone: Zone) -> str:
    """Return a moment of the past or to come, as the API takes it.

    Raises:
        CommandError: the words stand for none.
    """
    return instants.text(read(option, time_words.bound_of, words, clocks.now(), zone.info))


def length_text(length: timedelta) -> str:
    """Return a length of time, of whole seconds, as the API takes it.

    >>> length_text(timedelta(minutes=10))
    '600s'
    """
    return f"{length // _UNIT}s"


def length_of(option: str, words: str) -> timedelta:
    """Return the length of time that an option says.

    Raises:
        CommandError: the words stand for none.
    """
    return read(option, time_words.length_of, words)


def echoed(text: str, zone: Zone) -> str:
    """Return a moment of the API as people are told of it: in local time and in UTC."""
    return clocks.in_full(instants.parse(text), zone)


def text_or_file(option: str, said: str) -> bytes:
    """Return what an option says: its text, or the content of a file after ``@``; ``@-`` is standard input.

    Raises:
        CommandError: the file cannot be read.
    """
    if not said.startswith("@"):
        return said.encode("utf-8", "surrogateescape")
    if said == "@-":
        return sys.stdin.buffer.read()
    try:
        return Path(said[1:]).read_bytes()
    except OSError as error:
        raise misused(option, f"cannot read {said[1:]!r}: {error.strerror}") from None


def parsed(text: str | bytes) -> Any:  # noqa: ANN401 - JSON
    """Return what JSON says.

    Raises:
        ValueError: it is none by RFC 8259, which knows no NaN and no Infinity, or it is nested too deeply.
    """
    try:
        return json.loads(text, parse_constant=_refuse_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def json_value(option: str, said: str) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON that an option says, or that is in the file that it names after ``@``.

    Raises:
        CommandError: it is no JSON.
    """
    try:
        return parsed(text_or_file(option, said))
    except ValueError as error:
        where = f", {error}" if isinstance(error, json.JSONDecodeError) else ""
        quotes = " (in a shell, put it in single quotes)" if said.startswith("{") and '"' not in said else ""
        raise misused(option, f"expected JSON, or @ and a file with JSON{quotes}; this is none{where}") from None


def body_members(option: str, said: str) -> dict[str, str]:
    """Return the member of a webhook that has a body: text, or bytes that are none."""
    content = text_or_file(option, said)
    if not content:
        raise misused(option, "expected a body that is not empty; without --data, the request has none")
    try:
        return {"body": content.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(content).decode()}


def headers_of(option: str, lines: Sequence[str]) -> dict[str, str]:
    """Return headers by name.

    Raises:
        CommandError: a line is none. The message does not show what may be a secret.
    """
    headers = {}
    for line in lines:
        found = _HEADER.fullmatch(line)
        if found is None:
            raise misused(option, "expected a name, a colon and a value, such as 'x-customer: 42'; got no colon")
        headers[found[1]] = found[2].strip()
    return headers


def assignments(option: str, given: Sequence[str]) -> Mapping[str, Any]:
    """Return what ``NAME=VALUE`` says: each value as JSON if it is some, else as text; after ``@``, from a file.

    Raises:
        CommandError: one has no name, or a file cannot be read.
    """
    members: dict[str, Any] = {}
    for each in given:
        name, equals, said = each.partition("=")
        if not equals or not name:
            raise misused(option, f"expected NAME=VALUE, got: {cut(name)!r}")
        text = text_or_file(f"{option} {name}", said).decode("utf-8", "replace")
        try:
            members[name] = parsed(text)
        except ValueError:
            members[name] = text
    return members
