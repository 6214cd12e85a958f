"""Records attempts as spans of OpenTelemetry. Needs the extra ``otel``: imported only when tracing is on.

A thread of the SDK sends the spans. Its queue is bounded: what does not fit is dropped. The names
of attributes are those of the semantic conventions, https://opentelemetry.io/docs/specs/semconv/ ,
HTTP client spans and messaging spans.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib.metadata import entry_points
from typing import Final, cast

import structlog
from msgspec import UNSET
from opentelemetry.context import Context
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.util.re import parse_env_headers

from tasker import __version__, urls
from tasker.errors import SettingError, cut
from tasker.model.attempt import Attempt, Failed, Outcome
from tasker.model.instants import Instant
from tasker.wire.fields import TaskFields, WebhookFields

FLUSH: Final = timedelta(seconds=5)
"""How long what is recorded may take to be sent at the end."""

_DEFAULT_METHOD: Final = "POST"
_NANOSECONDS: Final = 1_000
"""In a microsecond."""
_PROTOCOLS: Final = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}
"""The names under which the packages of OpenTelemetry offer the exporters."""
_GROUP: Final = "opentelemetry_traces_exporter"
_HEADERS: Final = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

_log = structlog.get_logger()


class OtelSpan:
    """See ``AttemptSpan``."""

    def __init__(self, span: Span) -> None:
        self._span = span
        context = span.get_span_context()
        self.traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags & 0xFF:02x}"

    def end(self, outcome: Outcome | None, *, at: Instant) -> None:
        """See ``AttemptSpan``."""
        try:
            self._end(outcome, at)
        except Exception:  # noqa: BLE001 - the SDK lets packages take part
            _log.exception("cannot end the span of an attempt")

    def _end(self, outcome: Outcome | None, at: Instant) -> None:
        span = self._span
        if span.is_recording():
            if outcome is None:
                span.set_attribute("tasker.attempt.outcome", "given_back")
            elif isinstance(outcome, Failed):
                span.set_attribute("tasker.attempt.outcome", "failed")
                span.set_attribute("error.type", outcome.fault.code)
                span.set_status(StatusCode.ERROR, outcome.fault.code)
            else:
                span.set_attribute("tasker.attempt.outcome", "succeeded")
            if outcome is not None and outcome.exchange is not None and outcome.exchange.status is not None:
                span.set_attribute("http.response.status_code", outcome.exchange.status)
        span.end(end_time=at * _NANOSECONDS)


class OtelTracer:
    """See ``Tracer``."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("tasker", __version__)

    def begin(self, attempt: Attempt, fields: TaskFields, *, at: Instant) -> OtelSpan | None:
        """See ``Tracer``."""
        try:
            return OtelSpan(
                self._tracer.start_span(
                    _name(attempt, fields),
                    _parent(fields),
                    kind=SpanKind.CLIENT if isinstance(fields, WebhookFields) else SpanKind.CONSUMER,
                    attributes=attributes(attempt, fields),
                    start_time=at * _NANOSECONDS,
                )
            )
        except Exception:  # noqa: BLE001 - the sampler may be somebody else's
            _log.exception("cannot begin the span of an attempt", task_id=attempt.task_id)
            return None

    async def close(self) -> None:
        """See ``Tracer``."""
        sent, loop = asyncio.Event(), asyncio.get_running_loop()

        def shut_down() -> None:
            try:
                self._provider.shutdown()
            finally:
                with contextlib.suppress(RuntimeError):  # nobody waits any more, and the loop is closed
                    loop.call_soon_threadsafe(sent.set)

        threading.Thread(target=shut_down, name="spans", daemon=True).start()
        try:
            async with asyncio.timeout(FLUSH.total_seconds()):
                await sent.wait()
        except TimeoutError:
            _log.warning("some spans could not be sent in time", seconds=FLUSH.total_seconds())


def _name(attempt: Attempt, fields: TaskFields) -> str:
    if not isinstance(fields, WebhookFields):
        return f"process {attempt.type}"
    return _DEFAULT_METHOD if fields.method is UNSET else fields.method


def _parent(fields: TaskFields) -> Context:
    """Return the context of the task; an empty one if it is in no trace."""
    if fields.traceparent is UNSET:
        return Context()
    _, trace_id, span_id, flags = fields.traceparent.split("-")
    parent = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
    return set_span_in_context(NonRecordingSpan(parent), Context())


def attributes(attempt: Attempt, fields: TaskFields) -> Mapping[str, str | int]:
    """Return what the span of an attempt says from its beginning.

    Of a URL there are scheme, host and port alone: paths may hold secrets, too.
    """
    found: dict[str, str | int] = {
        "tasker.task.id": attempt.task_id,
        "tasker.task.type": attempt.type,
        "tasker.attempt.number": attempt.number,
    }
    if attempt.key is not None:
        found["tasker.task.key"] = attempt.key
    if not isinstance(fields, WebhookFields):
        found["messaging.system"] = "tasker"
        found["messaging.operation.name"] = found["messaging.operation.type"] = "process"
        found["messaging.destination.name"] = attempt.type
        found["messaging.message.id"] = attempt.task_id
        return found
    found["http.request.method"] = _name(attempt, fields)
    if attempt.number > 1:
        found["http.request.resend_count"] = attempt.number - 1
    with contextlib.suppress(ValueError):  # a URL that cannot be called: the attempt says so
        target = urls.parts(fields.url)
        found.update({"url.scheme": target.scheme, "server.address": target.host, "server.port": target.port})
    return found


def make_tracer(environ: Mapping[str, str]) -> OtelTracer | None:
    """Return a tracer as the ``OTEL_*`` variables say; None: ``OTEL_SDK_DISABLED`` says that there is none.

    Args:
        environ: that of the process: the SDK reads it, too.

    Raises:
        SettingError: a variable has a value that cannot be used. The message shows no header.
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    try:
        return tracer_to(_exporters(environ))
    except ValueError as error:
        raise SettingError("OTEL_*", f"OpenTelemetry cannot use a variable: {cut(str(error))}") from None


def tracer_to(exporters: Sequence[SpanExporter]) -> OtelTracer:
    """Return a tracer that hands its spans to *exporters*, on threads of their own.

    Raises:
        ValueError: the SDK cannot use one of its variables.
    """
    ours = {"service.name": "tasker", "service.version": __version__}
    provider = TracerProvider(
        resource=Resource.create({**ours, **OTELResourceDetector().detect().attributes}), shutdown_on_exit=False
    )
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return OtelTracer(provider)


def _exporters(environ: Mapping[str, str]) -> Sequence[SpanExporter]:
    """Make what ``OTEL_TRACES_EXPORTER`` names."""
    variable = "OTEL_TRACES_EXPORTER"
    names = [name.strip() for name in environ.get(variable, "").split(",") if name.strip()] or ["otlp"]
    if names == ["none"]:
        return []
    _check_otlp(environ)
    exporters = []
    for name in names:
        origin, entry = (variable, name) if name != "otlp" else _otlp(environ)
        found = list(entry_points(group=_GROUP, name=entry))
        if not found:
            raise SettingError(
                origin,
                "expected otlp, console, none or an exporter whose package is installed; for the protocol grpc that is "
                f"opentelemetry-exporter-otlp-proto-grpc, for http/protobuf the extra tasker-server[otel]; "
                f"got: {cut(name)!r}",
            )
        exporters.append(cast("SpanExporter", found[0].load()()))
    return exporters


def _otlp(environ: Mapping[str, str]) -> tuple[str, str]:
    """Return which variable says the protocol, and the name of its exporter."""
    for variable in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        protocol = environ.get(variable, "").strip()
        if protocol in _PROTOCOLS:
            return variable, _PROTOCOLS[protocol]
        if protocol:
            raise SettingError(variable, f"expected {' or '.join(_PROTOCOLS)}, got: {cut(protocol)!r}")
    return "OTEL_EXPORTER_OTLP_PROTOCOL", _PROTOCOLS["http/protobuf"]


def _check_otlp(environ: Mapping[str, str]) -> None:
    """Refuse what the exporter would only find out when it sends, or would show in the log."""
    _, entry = _otlp(environ)
    for variable in _ENDPOINTS:
        endpoint = environ.get(variable, "").strip().lower()
        if endpoint and entry == _PROTOCOLS["http/protobuf"] and not endpoint.startswith(("http://", "https://")):
            raise SettingError(variable, "expected an http:// or https:// URL, got one that does not begin so")
    for variable in _HEADERS:
        if not _are_headers(environ.get(variable, "")):
            raise SettingError(
                variable,
                "expected NAME=VALUE, several separated by commas, values percent-encoded; "
                "got something else, which is not shown",
            )


def _are_headers(text: str) -> bool:
    logger = logging.getLogger(parse_env_headers.__module__)
    was, logger.disabled = logger.disabled, True  # it shows what it cannot read
    try:
        parts = [parse_env_headers(part, liberal=True) for part in text.split(",") if part.strip()]
    finally:
        logger.disabled = was
    return all(len(part) == 1 and all(map(_can_be_sent, part.values())) for part in parts)


def _can_be_sent(value: str) -> bool:
    return value.isascii() and value.isprintable()
