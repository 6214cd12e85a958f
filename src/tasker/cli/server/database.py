"""``tasker db``: what is done to a database without serving it."""

import asyncio
from collections.abc import Sequence

import click
import structlog

from tasker import node
from tasker.cli.server import logs
from tasker.config import Settings
from tasker.stores import kind

_log = structlog.get_logger()


def migrate(settings: Settings, *, doubts: Sequence[str] = ()) -> None:
    """Bring the tables of the database up to date, and say so in one line on standard output.

    Args:
        doubts: what looks like a mistake in the settings, for the log.

    Raises:
        StartError: it cannot be done; the message says why.
    """
    logs.set_up(settings.log_level, settings.log_format)
    for doubt in doubts:
        _log.warning(doubt)
    asyncio.run(node.migrate(settings))
    click.echo(f"the tables of {kind.shown(settings.database_url)} are up to date")
