"""``tasker demo``: makes a history and serves it."""

import asyncio
import contextlib
import random
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final, NoReturn

import click
import uvloop

from tasker.cli.server import logs, serve
from tasker.config import Settings
from tasker.demo import past, story
from tasker.demo.receivers import Receivers
from tasker.errors import DatabaseError
from tasker.node import Node
from tasker.timing.clock import SystemClock

_NAME: Final = "demo.db"


def run(path: Path | None, *, port: int) -> NoReturn:
    """Make the history, serve it on loopback until somebody stops it, and end the process.

    Args:
        path: where to make the database, which stays; None: in a temporary folder, which is removed
            in the end.
        port: where to listen; 0 picks a free one.

    Raises:
        StartError: it cannot; of *path*, too.
    """
    if path is not None:
        _run(path, "which stays", port=port, at_end=lambda: None)
    with contextlib.ExitStack() as closing:  # the process ends without leaving it, unless something fails
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="tasker-demo-")))
        _run(folder / _NAME, "which is removed in the end", port=port, at_end=closing.close)


def _run(place: Path, what_becomes: str, *, port: int, at_end: Callable[[], None]) -> NoReturn:
    logs.set_up("ERROR", "auto")  # what happened in the past is no news
    clock = SystemClock()
    now = clock.now()
    click.echo("This is a demo: its history is made up, and nothing is sent to anybody.\nA month goes by...")
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(story.write(place, now))
    except FileExistsError:
        raise DatabaseError(f"sqlite:{place}", "the demo makes a new database: name a file that is not there") from None
    settings = Settings(
        database_url=f"sqlite:{place}",
        listen_port=port,
        log_level="WARN",
        keep_done=None,
        keep_failed=None,
        circuit_patience=past.PATIENCE,
        public_url=past.PUBLIC_URL,
        grace_period=timedelta(0),  # no work is lost
    )
    rand = random.Random()  # noqa: S311 - nothing here is secret
    serve.serve(
        settings,
        make=lambda: Node(settings, client=Receivers(clock, rand, story.troubles(now)), is_demo=True),
        said=f"The database is {place}, {what_becomes}. Ctrl-C ends the demo.\nLook at {{url}}/ui/\n",
        at_end=at_end,
    )
