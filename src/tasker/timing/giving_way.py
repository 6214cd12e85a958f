"""Threads that work behind the event loop, and let it go first when it has something to do."""

import ctypes
import os
import platform
import sys
from typing import Final

_SLICE: Final = 20_000_000
"""Nanoseconds. The system's own is 3 ms at most."""

_KEEP_POLICY: Final = 0x08

_SCHED_SETATTR: Final = {"x86_64": 314, "aarch64": 274}
"""The number of the system call, by machine."""


class _SchedAttr(ctypes.Structure):
    """``struct sched_attr``."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
    )


def give_way() -> None:
    """Have the calling thread interrupted at once when another one that did not call this has something to do.

    Otherwise Linux lets a thread that works go on for some milliseconds before another one on the same core has its
    turn, however low its priority is. Its share of the processor stays the same, so whatever waits for this thread
    does not wait longer: it has longer turns, and fewer.

    Without effect before Linux 6.12, and elsewhere. Never fails.
    Sources: sched_setattr(2); kernel/sched/fair.c, PREEMPT_SHORT.
    """
    number = _SCHED_SETATTR.get(platform.machine())
    if sys.platform != "linux" or number is None:
        return
    attributes = _SchedAttr(
        size=ctypes.sizeof(_SchedAttr),
        flags=_KEEP_POLICY,
        nice=os.getpriority(os.PRIO_PROCESS, 0),  # of this thread: it is set, too
        runtime=_SLICE,
    )
    ctypes.CDLL(None).syscall(number, 0, ctypes.byref(attributes), 0)
