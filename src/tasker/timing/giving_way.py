"""Threads that work behind the event loop, and let it go first when it has something to do."""

import os
import sys
import threading
from typing import Final

LOWEST: Final = 19
"""The lowest priority: one or two hundredths of the processor while others want all of it."""


def give_way(nice: int) -> None:
    """Lower the priority of the calling thread, so that others go first where they share a core.

    What it gets while others are busy is a tenth at *nice* 10. It is never without any, so who waits for it, or for
    the interpreter that it holds, goes on in the end.

    On Linux a priority belongs to a thread; elsewhere it belongs to the process, so nothing is done.

    Args:
        nice: how far to go back, as nice(2) counts. A thread that is further back already stays where it is.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(nice, os.getpriority(os.PRIO_PROCESS, thread)))
