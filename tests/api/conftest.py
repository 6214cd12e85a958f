"""Fixtures of the tests that speak HTTP."""

import logging

import pytest
import structlog
from rest_server import running


@pytest.fixture
def anyio_backend():
    """uvloop, as in production: it is stricter than asyncio about connections that are closed."""
    return ("asyncio", {"use_uvloop": True})


@pytest.fixture(autouse=True)
def logged(caplog):
    """What is logged. Fails the test if there is a traceback in it, or an error that the test did not take out."""
    with structlog.testing.capture_logs() as lines:
        yield lines
    records = [record for when in ("setup", "call") for record in caplog.get_records(when)]
    assert [line for line in lines if line.get("exc_info")] == []
    assert [record.getMessage() for record in records if record.exc_info or record.levelno >= logging.ERROR] == []


@pytest.fixture
async def server(anyio_backend):
    async with running() as server:
        yield server
