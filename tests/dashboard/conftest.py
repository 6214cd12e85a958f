"""Fixtures of the tests that look at pages: a real server, and a real browser."""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

import pytest
from looking import Looked
from playwright.sync_api import sync_playwright

from tasker.testing.server import TaskerServer

MOST_BROWSERS = 2
"""How many may run at once on this machine: each takes a core."""

# One that is named has to be there: .ci/run names it, so that nothing is skipped.
CHROMIUM = os.environ.get("TASKER_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    with a_turn(), sync_playwright() as playwright:
        # --no-sandbox: root has none.
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@contextlib.contextmanager
def a_turn():
    """Wait until another browser may run, and hold that place."""
    with contextlib.ExitStack() as opened:
        names = [f"tasker-browser-{place}.lock" for place in range(MOST_BROWSERS)]
        places = [opened.enter_context(Path(tempfile.gettempdir(), name).open("w")) for name in names]
        while not any(map(_is_taken_now, places)):
            time.sleep(0.05)
        yield


def _is_taken_now(place):
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@pytest.fixture
def server(tmp_path):
    """A server on a database of its own. ``server.call`` makes calls of the API."""
    with TaskerServer(tmp_path) as started:
        yield started


@pytest.fixture
def looked(browser, server):
    """Makes pages: ``looked.page(...)``. The test fails if one prints an error or breaks its content security policy.

    They leave before ``server`` ends. A test that expects an error, such as a page that is not found,
    clears ``looked.complaints``.
    """
    del server
    looked = Looked(browser)
    yield looked
    looked.close()
    assert looked.complaints == []


@pytest.fixture
def page(looked, server):
    """A page of a visitor of ``server``: ``page.goto("/ui/tasks")``."""
    return looked.page(base_url=server.url)


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def visitor(looked, server, request):
    """A page, of a browser that runs scripts, and of one that runs none."""
    return looked.page(base_url=server.url, java_script_enabled=request.param)


@pytest.fixture
def forgiving(looked):
    """The browser prints an error for each answer that is one: here some are expected."""
    yield
    looked.complaints.clear()
