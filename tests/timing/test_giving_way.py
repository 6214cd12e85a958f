"""Threads that give way: read back from the kernel."""

import ctypes
import os
import platform
import threading

import pytest

from tasker.timing.giving_way import _SLICE, _SchedAttr, give_way

SCHED_GETATTR = {"x86_64": 315, "aarch64": 275}


def scheduling():
    """What the kernel knows of the calling thread."""
    attributes = _SchedAttr()
    number = SCHED_GETATTR[platform.machine()]
    assert ctypes.CDLL(None).syscall(number, 0, ctypes.byref(attributes), ctypes.sizeof(attributes), 0) == 0
    return attributes


def on_a_thread(work):
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.skipif(
    platform.machine() not in SCHED_GETATTR or not hasattr(os, "sched_getaffinity"), reason="Linux only"
)
def test_a_thread_that_gives_way_has_longer_turns_and_nothing_else_of_it_changes():
    if scheduling().runtime == 0:
        pytest.skip("Linux 6.12 or newer only")

    def work():
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 7)
        before = scheduling()
        give_way()
        return before, scheduling()

    before, now = on_a_thread(work)
    assert now.runtime == _SLICE > before.runtime
    assert (now.nice, now.policy, now.flags) == (7, before.policy, before.flags)
    assert scheduling().runtime == before.runtime, "other threads have what they had"


def test_elsewhere_it_does_nothing(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "abacus")
    give_way()
