"""What a process needs before anything else: open standard streams, and signals that end it.

Imports next to nothing.
"""

import os
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio

STOPPING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""The signals that tell a server to stop. They end any other command, and a server that is not
running yet."""


def prepare() -> None:
    """Put the null device on closed standard streams, and let signals end the process without a traceback."""
    _open_streams()
    for number in STOPPING:
        if not is_ignored(number):
            let_end(number)


def is_ignored(number: int) -> bool:
    """Return whether whoever started this process wants it not to hear a signal: SIGHUP, after ``nohup``."""
    return number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN


def let_end(number: int) -> None:
    """Let a signal end the process at once."""
    # The kernel does it best. But the first process of a container it spares: there, the default
    # means to ignore a signal.
    signal.signal(number, _end if os.getpid() == 1 else signal.SIG_DFL)


def stopping_event() -> "asyncio.Event":
    """Return an event that the first signal to stop sets, in the running loop.

    A second SIGTERM or Ctrl-C ends the process at once. A second SIGHUP does not: a terminal that
    goes away may send two.
    """
    import asyncio  # noqa: PLC0415 - whoever calls it has a loop; this module is imported before all others

    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    heard = [number for number in STOPPING if not is_ignored(number)]

    def stop() -> None:
        told.set()
        for number in heard:
            loop.remove_signal_handler(number)
            let_end(number)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    for number in heard:
        loop.add_signal_handler(number, stop)
    return told


def _end(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)


def _open_streams() -> None:
    """Open those of 0, 1 and 2 that are closed: otherwise a database or a socket would get one, and what is printed."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDONLY if descriptor == 0 else os.O_WRONLY)
            if opened != descriptor:  # cannot be: the lowest free one is taken
                os.dup2(opened, descriptor)
                os.close(opened)
            os.set_inheritable(descriptor, True)
            setattr(sys, name, os.fdopen(descriptor, "r" if descriptor == 0 else "w", closefd=False))
