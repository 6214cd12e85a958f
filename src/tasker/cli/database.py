"""``tasker db``: what is done to a database without serving it."""

import asyncio

import click

from tasker import node
from tasker.cli import logs
from tasker.config import Settings
from tasker.stores import kind


def migrate(settings: Settings) -> None:
    """Bring the tables of the database up to date, and say so in one line on standard output.

    Raises:
        StartError: it cannot be done; the message says why.
    """
    logs.set_up(settings.log_level, settings.log_format)
    asyncio.run(node.migrate(settings))
    click.echo(f"the tables of {kind.shown(settings.database_url)} are up to date")
