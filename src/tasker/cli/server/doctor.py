"""``tasker doctor``: gathers what is known of a server, and prints what is wrong."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import Any, Final

import click
import msgspec

from tasker import node
from tasker.cli import contexts
from tasker.cli.connecting import Where, endings, where_of
from tasker.cli.printing import Printer, talk
from tasker.cli.redact import one_line, redact
from tasker.cli.server import logs
from tasker.config import Settings
from tasker.doctor import checks, server_answers
from tasker.doctor.case import Case
from tasker.errors import StartError
from tasker.model.diagnosis import Finding, Level, worst
from tasker.model.number_words import many
from tasker.stores.examining import CANNOT_OPEN, Examined, refused
from tasker.timing.clock import SystemClock

EXIT_CODES: Final = {Level.FINE: 0, Level.UNKNOWN: 0, Level.WARNING: 1, Level.FAULT: 2}

_STYLES: Final = {Level.FINE: "green", Level.UNKNOWN: "dim", Level.WARNING: "bold yellow", Level.FAULT: "bold red"}
"""Colours that can be read on dark and on light ground. Beside each stands the word."""


def run(
    settings: Settings, mistakes: Sequence[str], target: str | None, url: str | None, context: str | None, form: str
) -> None:
    """Look at everything, print what was found, and end the process with the exit code for it.

    Args:
        mistakes: what looks like one in the settings.
        target: the URL that somebody wants to be called.
        url: the server, as the option names it.
        context: the same by its name.
        form: of what is printed: ``table`` or ``json``.

    Raises:
        SettingError, CommandError: the server to ask is not named well.
    """
    logs.set_up("ERROR", settings.log_format)
    with endings():
        where = _server(settings, url, context)
        found = [
            _shown(finding)
            for finding in checks.examine(
                Case(
                    settings=settings,
                    doubts=mistakes,
                    target=target,
                    now=SystemClock().now(),
                    database=_database(settings),
                    answers=server_answers.ask(where.url, where.key, is_named=bool(where.origin)),
                )
            )
        ]
        _print(found, form)
    sys.exit(EXIT_CODES[worst(found)])


def _server(settings: Settings, url: str | None, context: str | None) -> Where:
    """Return which server to ask: one that is named here, or else the one of these settings.

    That a context is the usual one does not count: it is about a server elsewhere.
    """
    if url is not None or context is not None or os.environ.get("TASKER_URL") or os.environ.get(contexts.VARIABLE):
        where = where_of(url, context, os.environ)
        return where._replace(url=where.url or os.environ["TASKER_URL"])
    if not settings.listen_port:
        return Where(None, None, "")
    address = ip_address(settings.listen_ip)
    if address.is_unspecified:
        address = ip_address("127.0.0.1" if address.version == 4 else "::1")
    host = f"[{address}]" if address.version == 6 else str(address)
    return Where(f"http://{host}:{settings.listen_port}", None, "")


def _database(settings: Settings) -> Examined:
    try:
        return asyncio.run(node.examine(settings))
    except StartError as error:
        return Examined(engine="", findings=[refused(CANNOT_OPEN, error)])


def _shown(finding: Finding) -> Finding:
    """Return *finding* in lines that show no secret."""
    return msgspec.structs.replace(
        finding,
        what=one_line(redact(finding.what)),
        follows=one_line(redact(finding.follows)),
        mend=one_line(redact(finding.mend)),
    )


def _print(found: Sequence[Finding], form: str) -> None:
    faults, warnings = (sum(each.level is level for each in found) for level in (Level.FAULT, Level.WARNING))
    if form == "json":
        said: dict[str, Any] = {"level": worst(found).value, "faults": faults, "warnings": warnings}
        click.echo(json.dumps({**said, "findings": msgspec.to_builtins(found)}, ensure_ascii=False))
        return
    _print_table(found)
    summary = ", ".join(many(number, word) for number, word in ((faults, "fault"), (warnings, "warning")) if number)
    talk(summary or "nothing is wrong")


def _print_table(found: Sequence[Finding]) -> None:
    from rich.table import Table  # noqa: PLC0415 - as in printing.py
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True, min_width=max(len(level.value) for level in Level))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in found:
        table.add_row(
            Text(finding.level.value, _STYLES[finding.level]), finding.check, Text("\n".join(_lines(finding)))
        )
    Printer("table").draw(table)


def _lines(finding: Finding) -> Iterator[str]:
    yield finding.what
    if finding.follows:
        yield f"follows: {finding.follows}"
    if finding.mend:
        yield f"mend: {finding.mend}"
