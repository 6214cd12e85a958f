"""Writes the metrics as text, in the format that the reader asks for."""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Final, NamedTuple

from prometheus_client import ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.responses import Response

from tasker.api.metrics.table import METRICS, PROCESS, Metric, Value, seconds
from tasker.api.problems import PRIVATE
from tasker.model.histogram import Histogram
from tasker.service.metrics import Figures

SAMPLES_AT_ONCE: Final = 60
"""So many lines are written without a pause: less than a millisecond's work."""

_PROCESS: Final = ProcessCollector(registry=None)
_END: Final = b"# EOF\n"
"""The last line of OpenMetrics."""
_HEADING: Final = re.compile(rb"^# .*\n", re.MULTILINE)


class Exposition(NamedTuple):
    """The metrics as they are sent."""

    body: bytes
    media_type: str


def accept_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return what the *headers* of an ASGI scope say under ``Accept``."""
    return ",".join(value.decode("latin-1") for name, value in headers if name == b"accept")


async def metrics_answer(figures: Figures, accept: str) -> Response:
    """Return the answer with the metrics, in the format that *accept* asks for."""
    shown = await exposition(figures, accept)
    return Response(shown.body, headers={"content-type": shown.media_type, **PRIVATE})


async def exposition(figures: Figures, accept: str) -> Exposition:
    """Return the metrics, as OpenMetrics if the header *accept* names it, else in the text format of Prometheus.

    All of it takes the library some milliseconds, so it is done in parts, between which others have
    their turn. The values of one metric are of one moment.
    """
    encode, media_type = choose_encoder(accept)
    body = b""
    end = b""
    for family in FiguresCollector(figures).collect():
        for place in range(0, len(family.samples), SAMPLES_AT_ONCE):
            part = Family(family.name, family.documentation, family.type)
            part.samples = family.samples[place : place + SAMPLES_AT_ONCE]
            text, end_mark, _ = encode(_One(part)).partition(_END)
            end = end or end_mark
            body += text if place == 0 else _HEADING.sub(b"", text)
            await asyncio.sleep(0)
    return Exposition(body + end, media_type)


class _One(Collector):
    """Hands one metric to the library."""

    def __init__(self, family: Family) -> None:
        self._family = family

    def collect(self) -> Iterator[Family]:
        """Return it."""
        yield self._family


class FiguresCollector(Collector):
    """Hands *figures* to the library."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Family]:
        """Return every metric that has a value now."""
        for metric in METRICS:
            family = _family(metric, self._figures)
            if family.samples:
                yield family
        for family in _PROCESS.collect():
            if family.name in PROCESS or f"{family.name}_total" in PROCESS:
                yield family


def _family(metric: Metric, figures: Figures) -> Family:
    names = metric.label_names
    store = ("store",) if metric.is_of_store else ()
    values = [((*labels, *store), value) for labels, value in metric.read(figures)]
    match metric.kind:
        case "histogram":
            histograms = HistogramMetricFamily(metric.name, metric.help, labels=names)
            for labels, value in values:
                assert isinstance(value, Histogram)  # noqa: S101 - its kind says so
                scale = seconds if metric.is_in_micros else float
                histograms.add_metric(labels, [*_buckets(value, scale)], scale(value.sum))
            return histograms
        case "counter":
            counters = CounterMetricFamily(metric.name, metric.help, labels=names)
            for labels, value in _plain(values):
                counters.add_metric(labels, value)
            return counters
        case "gauge":
            gauges = GaugeMetricFamily(metric.name, metric.help, labels=names)
            for labels, value in _plain(values):
                gauges.add_metric(labels, value)
            return gauges


def _plain(values: Iterable[tuple[tuple[str, ...], Value]]) -> Iterator[tuple[tuple[str, ...], float]]:
    for labels, value in values:
        assert not isinstance(value, Histogram)  # noqa: S101 - its kind says so
        yield labels, float(value)


def _buckets(histogram: Histogram, scale: Callable[[int], float]) -> Iterator[tuple[str, float]]:
    """Return each bound with how many values are at or below it. All counts are read at one moment."""
    below = [*accumulate(tuple(histogram.counts))]
    for bound, count in zip(histogram.bounds, below, strict=False):
        yield str(scale(bound)), count  # such as 0.0001: none is so small or large that it would get an exponent
    yield "+Inf", below[-1]
