"""What every test may use."""

import pytest

PRINTED = ("server.log", "stderr.txt", "printed.txt")
"""The names of files that hold what a server printed."""


@pytest.fixture
def anyio_backend():
    """Asynchronous tests run on asyncio: tasker does, too."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def no_canary_was_printed(tmp_path_factory):
    """Whatever servers printed in this run shows no secret that begins so.

    They print into the files that the tests keep for it.
    """
    yield
    printed = [path for path in tmp_path_factory.getbasetemp().rglob("*") if path.name in PRINTED and path.is_file()]
    assert [path for path in printed if b"canary-" in path.read_bytes()] == []
