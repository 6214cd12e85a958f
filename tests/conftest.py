"""What every test may use."""

import os
import subprocess

import pytest

from quick_starts import Popen

for variable in ("COLUMNS", "LINES"):  # pytest-xdist sets them; commands would obey, whatever their terminal
    os.environ.pop(variable, None)

PRINTED = ("server.log", "stderr.txt", "printed.txt")
"""The names of files that hold what a server printed."""


@pytest.fixture
def anyio_backend():
    """Asynchronous tests run on asyncio: tasker does, too."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def quick_starts():
    """The command starts quickly: see there."""
    with pytest.MonkeyPatch.context() as replaced:
        replaced.setattr(subprocess, "Popen", Popen)
        yield


@pytest.fixture
def new_interpreters(monkeypatch):
    """Each process of the test is a new interpreter, as it is for users."""
    monkeypatch.setattr(Popen, "is_quick", False)


@pytest.fixture(scope="session", autouse=True)
def no_canary_was_printed(tmp_path_factory):
    """Whatever servers printed in this run shows no secret that begins so.

    They print into the files that the tests keep for it.
    """
    yield
    printed = [path for path in tmp_path_factory.getbasetemp().rglob("*") if path.name in PRINTED and path.is_file()]
    assert [path for path in printed if b"canary-" in path.read_bytes()] == []
