"""What the page about tracing says of spans is what a server sends."""

import json
import os
import re
import shlex

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pages import DOCS, blocks, code, table

from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver

QUICK = {"initial_delay": 0.1, "max_attempts": 2}

PAGE = DOCS / "tracing.md"
COMMANDS = [text for language, text in blocks(PAGE) if text.rstrip().endswith("tasker --otel")]


def the_variables_of(command):
    """Return what the page puts before the command."""
    *variables, tasker, option = shlex.split(command)
    assert (tasker, option) == ("tasker", "--otel")
    return dict(each.split("=", 1) for each in variables)


def attempted(server, receiver):
    """Have an attempt of each kind made, so that every attribute is there."""
    for body in (
        {"webhook": {"delay": 0, "url": receiver.url("/status/500"), "key": "order-17", "retry": QUICK}},
        {"hash": {"delay": 0, "secret": "x"}},
    ):
        made = server.call("POST", "/tasks/new", body)
    receiver.wait_for(2)
    server.call("GET", f"/tasks/{made['id']}?wait=30")


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_send_spans_with_the_attributes_that_it_names(tmp_path, monkeypatch, command):
    with WebhookReceiver() as receiver, WebhookReceiver() as collector:
        for name, value in the_variables_of(command).items():
            monkeypatch.setitem(os.environ, name, value.replace("localhost:4318", f"127.0.0.1:{collector.port}"))
        with TaskerServer(tmp_path, "--otel", "--pbkdf2-iterations", "1000") as server:
            attempted(server, receiver)
            server.stop()
            printed = server.process.stdout.read()
        if "console" in command:
            spans = [json.loads(each) for each in re.split(r"(?m)(?<=^})\n", printed) if each.strip()]
            sent = [name for span in spans for name in span["attributes"]]
        else:
            requests = [ExportTraceServiceRequest.FromString(each.body) for each in collector.deliveries("/v1/traces")]
            sent = [
                each.key
                for request in requests
                for span in request.resource_spans[0].scope_spans[0].spans
                for each in span.attributes
            ]
    assert set(sent) == {code(row[0])[0] for row in table(PAGE, "### What a span says")}


def test_it_shows_both_ways():
    assert len(COMMANDS) == 2
