"""The description is true, and the committed copy is the one that is served."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rest_server import registry_of

from tasker.api import problems
from tasker.api.openapi.document import document_json
from tasker.api.routes.all import CALLS
from tasker.testing.server import TaskerServer
from tasker.timing.clock import ManualClock

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"


@pytest.fixture
def document():
    return json.loads(document_json(CALLS, registry_of(ManualClock())))


def test_the_committed_description_is_the_one_that_is_served():
    assert COMMITTED.read_bytes() == document_json(CALLS, registry_of(ManualClock())), (
        "docs/openapi.json is out of date: run make docs"
    )


def test_every_call_is_described(document):
    described = {
        (path, method, operation["operationId"])
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }

    assert described == {(call.path, call.method.lower(), call.operation_id) for call in CALLS}
    assert len(described) == len(CALLS)
    assert len({operation_id for *_, operation_id in described}) == len(CALLS), "each has an id of its own"


def test_every_error_that_has_an_answer_is_described(document):
    described = {
        int(status)
        for item in document["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
        for status in operation["responses"]
    }

    assert {status for status, _ in problems.PROBLEMS.values()} <= described


def test_every_reference_leads_somewhere(document):
    def references(part):
        if isinstance(part, dict):
            yield from ([part["$ref"]] if "$ref" in part else [])
            part = list(part.values())
        if isinstance(part, list):
            for inner in part:
                yield from references(inner)

    for reference in references(document):
        place = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
        assert place


def test_the_server_does_what_its_description_says_whatever_it_is_sent(tmp_path):
    # A key of a file: the keys that are made meanwhile must not keep anybody out.
    (tmp_path / "keys").write_text("owning-key-of-the-test\n")
    with TaskerServer(tmp_path, "--api-keys-file", "keys") as server:
        run = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json", "--no-color"),
                *("--header", "Authorization: Bearer owning-key-of-the-test"),
                *("--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "25"),
                *("--seed", "1", "--generation-deterministic"),
                # A schema cannot say that a time lies in the future and that a cursor comes with a
                # limit.
                *("--exclude-path", "/events"),  # an answer without an end: tests/api/test_events.py
                *("--exclude-path", "/queues/{queue}/claim"),  # waits up to a minute: tests/api/test_queues.py
                *("--exclude-path", "/queues/claim"),  # the same: tests/api/test_functions.py
                *("--checks", "all", "--exclude-checks", "positive_data_acceptance"),
            ],
            cwd=tmp_path,
            env={**os.environ, "no_proxy": "*"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=400,
            check=False,
        )

    assert run.returncode == 0, run.stdout[-10_000:]
    # It does not test the operation that it has read the description with, nor what is excluded.
    assert f"Tested: {len(CALLS) - 4}" in run.stdout, "every operation of the description"


async def test_the_description_is_served(server, document):
    reply = await server.call("GET", "/openapi.json")

    assert (reply.status, reply.json) == (200, document)


test_the_description_is_served = pytest.mark.anyio(test_the_description_is_served)
