"""``--otel``: what a real server sends to a real collector, and how it is refused."""

import json
import subprocess
import sys

import pytest
from command import refusal, run, serving, soon
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tasker import __version__
from tasker.testing.webhook_receiver import WebhookReceiver, answer

TRACE = "0af7651916cd43dd8448eb211c80319c"
GIVEN = f"00-{TRACE}-b7ad6b7169203331-01"
QUICK = {"OTEL_BSP_SCHEDULE_DELAY": "50"}


def requests_in(collector):
    return [ExportTraceServiceRequest.FromString(each.body) for each in collector.deliveries("/v1/traces")]


def spans_in(collector):
    return [
        span
        for request in requests_in(collector)
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def values(attributes):
    return {each.key: each.value.string_value or each.value.int_value for each in attributes}


def create(server, type_="webhook", **fields):
    status, body = server.call("POST", "/tasks/new", {type_: {"execution_time": soon(), **fields}})
    assert status == 201, body
    return json.loads(body)["id"]


def test_each_attempt_is_sent_and_the_receiver_is_told_of_its_span(tmp_path):
    with WebhookReceiver() as receiver, WebhookReceiver() as collector:
        variables = {
            **QUICK,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url(),
            "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20secret",
        }
        with serving(tmp_path, "--listen-port", "0", "--otel", variables=variables) as server:
            inside = create(server, url=receiver.url("/hook?token=hidden"), body="hidden", traceparent=GIVEN)
            alone = create(server, url=receiver.url("/status/500"), retry={"max_attempts": 1})
            hashed = create(server, "hash", secret="hidden")
            receiver.wait_for(2)
            collector.wait_until(lambda _: len(spans_in(collector)) == 3)
            assert server.stop() == (0, "")
        sent = {each.headers["webhook-id"]: each.headers["traceparent"] for each in receiver.deliveries()}

        spans = {values(span.attributes)["tasker.task.id"]: span for span in spans_in(collector)}
        for task, flags in ((inside, "01"), (alone, "03")):  # 02: the SDK has made a random trace id
            assert sent[task] == f"00-{spans[task].trace_id.hex()}-{spans[task].span_id.hex()}-{flags}"
        assert f"{spans[inside].trace_id.hex()}-{spans[inside].parent_span_id.hex()}" == GIVEN[3:-3]
        assert (spans[alone].parent_span_id, spans[hashed].parent_span_id) == (b"", b"")
        assert [spans[each].kind for each in (inside, alone, hashed)] == [3, 3, 5]  # CLIENT, CLIENT, CONSUMER
        assert (spans[alone].status.code, spans[alone].status.message) == (2, "status_500")
        assert values(spans[inside].attributes) == {
            "tasker.task.id": inside,
            "tasker.task.type": "webhook",
            "tasker.attempt.number": 1,
            "tasker.attempt.outcome": "succeeded",
            "http.request.method": "POST",
            "http.response.status_code": 200,
            "url.scheme": "http",
            "server.address": "127.0.0.1",
            "server.port": receiver.port,
        }
        resource = values(requests_in(collector)[0].resource_spans[0].resource.attributes)
        assert (resource["service.name"], resource["service.version"]) == ("tasker", __version__)
        assert {each.headers["api-key"] for each in collector.deliveries()} == {"a secret"}
        assert not any(b"hidden" in each.body for each in collector.deliveries())
    assert '"tracing": "on"' in server.stderr.read_text()
    assert "a secret" not in server.stderr.read_text()


def test_what_is_recorded_is_sent_before_the_end(tmp_path):
    with WebhookReceiver() as receiver, WebhookReceiver() as collector:
        variables = {
            "OTEL_BSP_SCHEDULE_DELAY": "3600000",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url("/v1/traces"),
            "OTEL_SERVICE_NAME": "my-tasker",
            "TASKER_OTEL": "true",
        }
        with serving(tmp_path, "--listen-port", "0", variables=variables) as server:
            create(server, url=receiver.url("/slow/0.5"))
            receiver.wait_for(1)
            assert collector.deliveries() == []
            assert server.stop() == (0, "")
        (span,) = spans_in(collector)
        assert values(span.attributes)["tasker.attempt.outcome"] == "succeeded"
        assert span.end_time_unix_nano - span.start_time_unix_nano >= 0.5e9
        assert values(requests_in(collector)[0].resource_spans[0].resource.attributes)["service.name"] == "my-tasker"


@pytest.mark.parametrize("status", [None, 400, 503])
def test_a_collector_that_takes_nothing_fails_no_delivery_and_holds_up_no_end(tmp_path, status):
    def respond(_):
        return None if status is None else answer(status)

    with WebhookReceiver() as receiver, WebhookReceiver(respond) as collector:
        variables = {**QUICK, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url("/v1/traces")}
        with serving(tmp_path, "--listen-port", "0", "--otel", variables=variables) as server:
            first = create(server, url=receiver.url("/first"))
            receiver.wait_for(1, path="/first")
            collector.wait_for(1)
            second = create(server, url=receiver.url("/second"))
            receiver.wait_for(1, path="/second")
            assert server.stop() == (0, "")  # within the time that this waits: it has a limit
        with serving(tmp_path, "--listen-port", "0") as server:
            states = [
                json.loads(server.call("GET", f"/tasks/{task}")[1])["webhook"]["state"] for task in (first, second)
            ]
        assert states == ["done", "done"]


def test_spans_go_where_the_variables_say(tmp_path):
    with WebhookReceiver() as receiver:
        variables = {**QUICK, "OTEL_TRACES_EXPORTER": "console"}
        with serving(tmp_path, "--listen-port", "0", "--otel", variables=variables) as server:
            task = create(server, url=receiver.url())
            receiver.wait_for(1)
            status, printed = server.stop()
    assert (status, json.loads(printed)["attributes"]["tasker.task.id"]) == (0, task)


@pytest.mark.parametrize(
    ("variables", "is_sent"),
    [({"OTEL_SDK_DISABLED": "true"}, False), ({"OTEL_TRACES_EXPORTER": "none"}, True)],
)
def test_they_may_also_say_that_nothing_is_sent(tmp_path, variables, is_sent):
    serve = serving(tmp_path, "--listen-port", "0", "--otel", variables=variables)
    with WebhookReceiver() as receiver, serve as server:
        create(server, url=receiver.url())
        (delivery,) = receiver.wait_for(1)
        assert server.stop() == (0, "")
    assert ("traceparent" in delivery.headers) is is_sent
    assert ("OTEL_SDK_DISABLED turns OpenTelemetry off" in server.stderr.read_text()) is not is_sent


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER: expected otlp, console, none or an exporter"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL: expected otlp, console, none"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "soap"}, "OTEL_EXPORTER_OTLP_PROTOCOL: expected http/protobuf or grpc"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "hidden:4318"},
            "OTEL_EXPORTER_OTLP_ENDPOINT: expected an http:// or https://",
        ),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "hidden"}, "OTEL_EXPORTER_OTLP_HEADERS: expected NAME=VALUE"),
        (
            {"OTEL_EXPORTER_OTLP_TRACES_HEADERS": "a=hidden%0Ab"},
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS: expected NAME=VALUE",
        ),
        ({"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "9999"}, "OTEL_*: OpenTelemetry cannot use a variable: "),
    ],
)
def test_a_variable_that_cannot_be_used_is_refused_and_its_value_not_shown(tmp_path, variables, says):
    line = refusal(run(tmp_path, "--listen-port", "0", "--otel", "--log-level", "error", variables=variables), 2)
    assert says in line
    assert "hidden" not in line


def test_without_its_packages_the_extra_is_named(tmp_path):
    code = (
        "import sys; sys.modules['opentelemetry'] = None; from tasker.cli import main; sys.argv[0] = 'tasker'; main()"
    )
    for options, variables, origin in ((["--otel"], {}, "--otel"), ([], {"TASKER_OTEL": "1"}, "TASKER_OTEL")):
        done = run(tmp_path, *options, variables=variables, command=[sys.executable, "-c", code])
        line = refusal(done, 2)
        assert f"{origin}: needs packages that are not installed; run: pip install 'tasker-server[otel]'" in line


def test_nothing_of_it_is_imported_while_it_is_off():
    code = (
        "import sys, tasker.node, tasker.cli.server.commands; print([n for n in sys.modules if 'opentelemetry' in n])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"
