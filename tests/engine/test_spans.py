"""An attempt is a span: its parent, its times, what it says, and that it never harms the attempt."""

import asyncio
import threading
from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import SpanKind, StatusCode
from structlog.testing import capture_logs

from tasker.engine.otel import OtelTracer, attributes, tracer_to
from tasker.errors import StoreUnavailableError
from tasker.model.attempt import Attempt, Exchange, Failed, Phases, Succeeded
from tasker.model.instants import SECOND
from tasker.model.task import Fault, Pool, State, TaskId
from tasker.testing.task_factory import a_task
from tasker.wire.fields import HashFields, WebhookFields

pytestmark = pytest.mark.anyio

TRACE = "0af7651916cd43dd8448eb211c80319c"
GIVEN = f"00-{TRACE}-b7ad6b7169203331-01"
NOT_SAMPLED = f"00-{TRACE}-b7ad6b7169203331-00"
ID = TaskId("019bbade-01c6-7d11-821f-bc1538901f12")


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def kept(exporter):
    """What the engine of ``bench`` is given beside the rest."""
    return {"tracer": tracer_to([exporter])}


@pytest.fixture
def spans(bench, exporter):
    """Ends the recording, and returns the spans in the order of their ends."""

    async def spans():
        await bench.engine._worker._tracer.close()
        return exporter.get_finished_spans()

    return spans


def traceparent(span):
    return f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-{span.context.trace_flags:02x}"


async def test_it_belongs_under_the_task_or_begins_a_trace_and_the_type_knows_it(bench, clock, spans):
    await bench.add("succeed", at=1, payload={"do": "succeed", "traceparent": GIVEN})
    await bench.add("succeed", at=2)
    await clock.advance(3)
    inside, alone = await spans()
    assert f"{inside.parent.trace_id:032x}-{inside.parent.span_id:016x}" == GIVEN[3:-3]
    assert (inside.parent.is_remote, f"{inside.context.trace_id:032x}") == (True, TRACE)
    assert alone.parent is None
    assert f"{alone.context.trace_id:032x}" != TRACE
    assert [each.traceparent for each in bench.types[0].attempts] == [traceparent(inside), traceparent(alone)]


async def test_it_begins_and_ends_with_the_attempt(bench, clock, spans):
    beginning = clock.now()
    await bench.add("fail", at=1, payload={"do": "prepare a second, then fail", "retry": {"max_attempts": 1}})
    await clock.advance(5)
    (span,) = await spans()
    assert [round(each / 1_000 - beginning) for each in (span.start_time, span.end_time)] == [SECOND, 2 * SECOND]


async def test_each_attempt_has_one_of_its_own(bench, clock, spans):
    task = await bench.add("fail", at=1, max_attempts=2)
    await clock.advance(100)
    first, second = await spans()
    assert [each.attributes["tasker.attempt.number"] for each in (first, second)] == [1, 2]
    assert {each.attributes["tasker.task.id"] for each in (first, second)} == {task}
    assert first.context.span_id != second.context.span_id


@pytest.mark.parametrize(
    ("do", "code", "outcome"),
    [
        ("succeed", None, "succeeded"),
        ("fail", "no", "failed"),
        ("raise", "internal_error", "failed"),
        ("hang", "timeout", "failed"),
    ],
)
async def test_its_status_is_that_of_the_attempt(bench, clock, spans, do, code, outcome):
    await bench.add(do, at=1, max_attempts=1)
    await clock.advance(60)
    (span,) = await spans()
    assert (span.kind, span.name) == (SpanKind.CONSUMER, "process scripted")
    assert span.attributes["tasker.attempt.outcome"] == outcome
    assert span.attributes.get("error.type") == code
    assert span.status.description == code
    assert span.status.status_code is (StatusCode.UNSET if code is None else StatusCode.ERROR)
    assert span.events == ()  # no exception, whose text may hold a secret


async def test_an_attempt_that_cannot_even_be_read_has_one(bench, clock, spans):
    await bench.add("x", at=1, payload=b'{"do": 7}')
    await clock.advance(2)
    (span,) = await spans()
    assert span.attributes["error.type"] == "unreadable_payload"


async def test_one_that_is_given_back_says_so_and_is_no_error(bench, clock, spans):
    await bench.add("hang", at=1)
    await clock.advance(2)
    draining = asyncio.ensure_future(bench.engine.drain(timedelta(0)))
    await clock.advance(10)
    await draining
    (span,) = await spans()
    assert span.attributes["tasker.attempt.outcome"] == "given_back"
    assert span.status.status_code is StatusCode.UNSET


async def test_a_trace_that_is_not_sampled_is_not_recorded_but_goes_on(bench, clock, spans):
    await bench.add("succeed", at=1, payload={"do": "succeed", "traceparent": NOT_SAMPLED})
    await clock.advance(2)
    assert await spans() == ()
    (attempt,) = bench.types[0].attempts
    assert (attempt.traceparent[:36], attempt.traceparent[-3:]) == (NOT_SAMPLED[:36], "-00")
    assert attempt.traceparent != NOT_SAMPLED


class BrokenSampler(Sampler):
    def should_sample(self, *_, **__):
        raise LookupError("the password is 1234")

    def get_description(self):
        return "broken"


async def test_no_attempt_fails_for_it(bench, clock):
    bench.engine._worker._tracer = OtelTracer(TracerProvider(BrokenSampler(), shutdown_on_exit=False))
    task = await bench.add("succeed", at=1)
    with capture_logs() as lines:
        await clock.advance(2)
    assert (await bench.store.get(task)).state is State.DONE
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["cannot begin the span of an attempt"]


async def test_without_a_tracer_a_type_is_told_of_no_span(idle_bench, clock):
    idle_bench.engine._worker._tracer = None
    await idle_bench.engine.start()
    await idle_bench.add("succeed", at=1, payload={"do": "succeed", "traceparent": GIVEN})
    await clock.advance(2)
    assert [each.traceparent for each in idle_bench.types[0].attempts] == [None]


def an_attempt(**changed):
    attempt = Attempt(
        task_id=ID,
        type="webhook",
        pool=Pool(1),
        number=1,
        due_at=0,
        execution_at=0,
        fence=1,
        node="n",
        payload=b"{}",
    )
    return replace(attempt, **changed)


WHOLE = WebhookFields(
    url="https://user:pass-word@Hooks.Example.org/services/T0-secret?token=hidden",
    method="PUT",
    headers={"authorization": "Bearer very-secret"},
    body="the-body",
)


def test_a_webhook_says_what_the_conventions_of_http_have():
    assert attributes(an_attempt(key="order-17", number=3), WHOLE) == {
        "tasker.task.id": ID,
        "tasker.task.type": "webhook",
        "tasker.task.key": "order-17",
        "tasker.attempt.number": 3,
        "http.request.method": "PUT",
        "http.request.resend_count": 2,
        "url.scheme": "https",
        "server.address": "hooks.example.org",
        "server.port": 443,
    }
    assert attributes(an_attempt(), WebhookFields(url="http://[::1]:81/"))["server.address"] == "::1"
    assert "http.request.resend_count" not in attributes(an_attempt(), WHOLE)
    assert "server.port" not in attributes(an_attempt(), WebhookFields(url="nonsense"))


def test_other_types_say_what_the_conventions_of_messaging_have():
    assert attributes(an_attempt(type="hash"), HashFields(secret="hidden")) == {
        "tasker.task.id": ID,
        "tasker.task.type": "hash",
        "tasker.attempt.number": 1,
        "messaging.system": "tasker",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "hash",
        "messaging.message.id": ID,
    }


@pytest.mark.parametrize(
    ("outcome", "status", "code"),
    [
        (Succeeded(exchange=Exchange(phases=Phases(), status=202)), 202, None),
        (Failed(Fault("status_503", "x"), exchange=Exchange(phases=Phases(), status=503)), 503, "status_503"),
        (
            Failed(Fault("connect_refused", "to a secret place"), exchange=Exchange(phases=Phases())),
            None,
            "connect_refused",
        ),
    ],
)
async def test_a_webhook_says_what_was_answered_and_nothing_that_may_be_secret(exporter, outcome, status, code):
    tracer = tracer_to([exporter])
    tracer.begin(an_attempt(), WHOLE, at=SECOND).end(outcome, at=2 * SECOND)
    await tracer.close()
    (span,) = exporter.get_finished_spans()
    assert (span.kind, span.name) == (SpanKind.CLIENT, "PUT")
    assert span.attributes.get("http.response.status_code") == status
    assert (span.attributes.get("error.type"), span.status.description) == (code, code)
    for hidden in ("user", "pass-word", "services", "T0-secret", "hidden", "very-secret", "the-body", "secret place"):
        assert hidden not in span.to_json()


async def test_the_end_of_the_recording_is_waited_for_no_longer_than_said(monkeypatch):
    class Stuck(InMemorySpanExporter):
        def export(self, spans):
            stuck.wait()

    stuck = threading.Event()
    monkeypatch.setattr("tasker.engine.otel.FLUSH", timedelta(seconds=0.1))
    tracer = tracer_to([Stuck()])
    tracer.begin(an_attempt(), WHOLE, at=SECOND).end(Succeeded(), at=2 * SECOND)
    with capture_logs() as lines:
        await tracer.close()
    stuck.set()
    assert [line["event"] for line in lines] == ["some spans could not be sent in time"]


async def test_what_cannot_be_written_is_named_in_the_log_like_an_attempt(bench, clock, monkeypatch):
    payload = {"do": "succeed", "traceparent": GIVEN}
    task = replace(
        a_task(due_at=clock.now(), type_="scripted", pool=bench.types[0].pool, payload=msgspec.json.encode(payload)),
        key="order-17",
        holds_key=True,
    )
    await bench.store.create([task])
    settle = bench.store.settle

    async def refuse(*_):
        monkeypatch.setattr(bench.store, "settle", settle)
        raise StoreUnavailableError("it is away")

    monkeypatch.setattr(bench.store, "settle", refuse)
    with capture_logs() as lines:
        await clock.advance(3)
    (line,) = [line for line in lines if line["event"].startswith("cannot write the end of an attempt")]
    named = {name: line[name] for name in ("task_id", "type", "key", "traceparent")}
    assert named == {"task_id": task.id, "type": "scripted", "key": "order-17", "traceparent": GIVEN}
    assert (await bench.store.get(task.id)).state is State.DONE
