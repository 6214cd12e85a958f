"""Threads that give way: read back from the kernel."""

import os
import sys
import threading

import pytest

from tasker.timing.giving_way import give_way


def priority():
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def on_a_thread(work):
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
@pytest.mark.parametrize(("was", "nice", "becomes"), [(0, 10, 10), (7, 10, 10), (15, 10, 15), (0, 19, 19)])
def test_a_thread_that_gives_way_has_a_lower_priority_and_others_keep_theirs(was, nice, becomes):
    before = priority()

    def work():
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), was)
        give_way(nice)
        return priority()

    assert on_a_thread(work) == becomes
    assert priority() == before


def test_elsewhere_it_does_nothing(monkeypatch):
    before = priority()
    monkeypatch.setattr(sys, "platform", "darwin")
    give_way(19)
    assert priority() == before
