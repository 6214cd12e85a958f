"""Fixtures of the tests that speak HTTP."""

import logging

import pytest
import rest_server
import structlog

from tasker.api import app

ON_EVERY_STORE = {
    "test_creating",
    "test_reading",
    "test_node_list",
    "test_idempotency",
    "test_finding",
    "test_due",
    "test_history",
    "test_operating",
    "test_keys",
    "test_api_keys",
    "test_batch",
    "test_patching",
    "test_audit_calls",
    "test_metrics",
    "test_pausing_everything",
    "test_duplicating",
    "test_completions",
}
"""Files whose tests are about what a store does. For the others it makes no difference."""


def pytest_generate_tests(metafunc):
    """Run the tests on every store, where that makes a difference; on one alone if the test says so."""
    if metafunc.module.__name__ in ON_EVERY_STORE:
        chosen = [mark for mark in metafunc.definition.iter_markers("parametrize") if mark.args[0] == "on_store"]
        if not chosen:
            metafunc.parametrize("on_store", rest_server.STORES, indirect=True)


@pytest.fixture(autouse=True)
def on_store(request, monkeypatch):
    """Where the servers of the test keep their tasks."""
    monkeypatch.setattr(rest_server, "opened_store", rest_server.STORES[getattr(request, "param", "sqlite")])


@pytest.fixture(autouse=True)
def description(monkeypatch):
    """Servers share what they serve at ``/openapi.json``."""
    monkeypatch.setattr(app, "document_json", lambda calls, registry: rest_server.description())


@pytest.fixture
def anyio_backend():
    """uvloop, as in production: it is stricter than asyncio about connections that are closed."""
    return ("asyncio", {"use_uvloop": True})


@pytest.fixture(autouse=True)
def logged(caplog):
    """What is logged. Fails the test if there is a traceback in it, or an error that the test did not take out."""
    with structlog.testing.capture_logs() as lines:
        yield lines
    records = [
        record
        for when in ("setup", "call")
        for record in caplog.get_records(when)
        if not record.getMessage().startswith("Task was destroyed")  # of an earlier test, whose loop has been closed
    ]
    assert [line for line in lines if line.get("exc_info")] == []
    assert [record.getMessage() for record in records if record.exc_info or record.levelno >= logging.ERROR] == []


@pytest.fixture
async def server(anyio_backend):
    async with rest_server.running() as server:
        yield server
