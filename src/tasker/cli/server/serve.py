"""``tasker serve``: the process around a node, with its limits, signals, ready line and end."""

import asyncio
import ctypes
import faulthandler
import gc
import os
import resource
import sys
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

import structlog
import uvloop

from tasker.cli import process
from tasker.cli.server import logs
from tasker.cli.server.service_manager import ServiceManager
from tasker.config import Settings
from tasker.node import Node
from tasker.timing.clock import SystemClock

_LET_GO_SECONDS: Final = 5.0
"""How long a start that is called off may take to let go of what it has: a database may not
answer."""

_PR_SET_DUMPABLE: Final = 4
"""Source: linux/prctl.h. Also keeps other processes of the same user from reading our memory."""

_log = structlog.get_logger()

_SWITCH_INTERVAL: Final = 0.000_5
"""Seconds for which a thread may keep the interpreter while the event loop waits for it. With Python's own 5 ms, a
claim would be that late whenever a thread decodes rows or compiles the template of a page."""

_OBJECTS_BETWEEN_COLLECTIONS: Final = 10_000
"""How many more objects than before there must be until the garbage collector looks at the young
ones. Python's own 700 are made by a dozen deliveries."""


def serve(
    settings: Settings,
    *,
    doubts: Sequence[str] = (),
    make: Callable[[], Node] | None = None,
    said: str = "Listening on {url}\n",
    at_end: Callable[[], None] = lambda: None,
) -> NoReturn:
    """Run a server until it is told to stop, then end the process: 0, or 1 if the server failed.

    Args:
        doubts: what looks like a mistake in the settings, for the log.
        make: makes the server; None: as *settings* say.
        said: what is printed once it listens, with its ``{url}``.
        at_end: called when it has stopped, before the process ends.

    Raises:
        StartError: it cannot start.
    """
    logs.set_up(settings.log_level, settings.log_format)
    for doubt in doubts:
        _log.warning(doubt)
    manager = ServiceManager.of(os.environ)
    if manager.watchdog is not None:
        faulthandler.enable()  # it ends a server that hangs by SIGABRT: the log then says where each thread was
    _set_limits()
    sys.setswitchinterval(_SWITCH_INTERVAL)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        failed = runner.run(_serve(settings, make or (lambda: Node(settings)), said, manager))
        at_end()
        # Everything is stored and closed. A thread that hangs in a task type must not keep the
        # process from ending.
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):  # nobody reads it any more
                continue
        os._exit(1 if failed else 0)


async def _serve(settings: Settings, make: Callable[[], Node], said: str, manager: ServiceManager) -> bool:
    """Run a node until a signal comes; True if it failed before."""
    asyncio.get_running_loop().set_exception_handler(logs.log_loop_error)
    telling = asyncio.create_task(process.stopping_event().wait())
    manager.waiting()
    node = make()
    starting = asyncio.create_task(node.start())
    await asyncio.wait({starting, telling}, return_when=asyncio.FIRST_COMPLETED)
    if telling.done():
        _log.info("stopping before the start is complete")
        starting.cancel()
        await asyncio.wait({starting}, timeout=_LET_GO_SECONDS)
        if starting.cancelled() or not starting.done():
            _log.info("stopped")
            return False
    starting.result()
    _spare_collector()
    _announce(said.format(url=node.url), node.url)
    manager.ready(node.url)
    feeding = asyncio.create_task(manager.feed(node.silent, SystemClock()))
    failing = asyncio.create_task(node.wait_failed())
    await asyncio.wait({failing, telling}, return_when=asyncio.FIRST_COMPLETED)
    failed = not telling.done()
    _log.info("stopping", grace_period_seconds=settings.grace_period.total_seconds())
    manager.stopping(settings.grace_period)
    await node.stop()
    feeding.cancel()
    _log.info("stopped")
    return failed


def _spare_collector() -> None:
    """Keep the garbage collector from walking over what was loaded at the start, again and again.

    A request or a delivery makes some dozens of objects that are soon gone without it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


def _announce(said: str, url: str) -> None:
    """Say on standard output where the server listens, for programs that wait for it."""
    try:
        sys.stdout.write(said)
        sys.stdout.flush()
    except (OSError, ValueError):  # nobody reads it: whoever started the server does not want to know
        _log.info("listening", url=url)


def _set_limits() -> None:
    """Allow as many open files as the system lets us have, and no core dump: it would hold secrets and bodies.

    The limit of core files does not bind a program that the kernel pipes them to (core(5)); on
    Linux, the second call does.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (OSError, ValueError) as error:  # some systems name a limit that they do not grant
        _log.warning("cannot raise the limit of open files", reason=str(error))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
