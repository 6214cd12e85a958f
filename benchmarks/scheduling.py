"""What a hundred thousand schedules cost, all due in one minute."""

import asyncio
import re
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple
from urllib.request import urlopen

import msgspec
from msgspec import Raw

from benchmarks import database
from benchmarks.figures import Figure
from benchmarks.machine import memory_mib
from benchmarks.server import new_folder, running_server
from benchmarks.sink import BODY_LENGTH, Report, Sink, running_sink
from tasker.config import Settings
from tasker.ids import new_id
from tasker.model.gate import Destination, GateKind
from tasker.model.instants import SECOND, Instant, microseconds
from tasker.model.schedule import Plan, Schedule, Template, begun
from tasker.model.task import Pool
from tasker.node import make_store
from tasker.urls import origin
from tasker.wire.fields import WebhookFields

_SCHEDULES: Final = 100_000
_AT_ONCE: Final = 2_000
_BEFORE: Final = 30 * SECOND
"""From when the database is filled to the time of all schedules."""
_DAY: Final = microseconds(timedelta(days=1))
_SLOTS: Final = "200"


class _Round(NamedTuple):
    ready_seconds: float
    memory_mib: float
    seen: Report
    stand_after_seconds: float
    """When the next run of each stood in the queue, after the time of all."""


def measure(rounds: int) -> list[Figure]:
    """Return the rows about schedules."""
    figures: list[Figure] = []
    for what, jitter in (("at one instant", 0), ("in one minute, by jitter", 60 * SECOND)):
        schedules: list[_Round] = []
        tasks: list[_Round] = []
        for _ in range(rounds):
            schedules.append(_with_schedules(jitter=jitter))
            tasks.append(_with_tasks(jitter=jitter))
        figures += _figures(f"{_SCHEDULES:,} schedules due {what}", schedules, tasks)
    return figures


def _figures(what: str, schedules: list[_Round], tasks: list[_Round]) -> list[Figure]:
    def beside_tasks(name: str, unit: str, value: Callable[[_Round], float]) -> Figure:
        return Figure(
            name=name,
            unit=unit,
            rounds=[*map(value, schedules)],
            limit="as many tasks",
            limit_rounds=[*map(value, tasks)],
        )

    return [
        beside_tasks(f"{what}: lateness p50", "ms", lambda one: one.seen.p50_ms),
        beside_tasks("the same, p99", "ms", lambda one: one.seen.p99_ms),
        beside_tasks("the same, max", "ms", lambda one: one.seen.most_ms),
        Figure(
            name="the same, came early at the receiver",
            unit=f"of {_SCHEDULES:,}",
            rounds=[one.seen.early for one in schedules],
            at_most=0,
        ),
        Figure(
            name="the same, until the next run of each stands in the queue",
            unit="s",
            rounds=[one.stand_after_seconds for one in schedules],
        ),
        beside_tasks("the same, start to ready", "s", lambda one: one.ready_seconds),
        beside_tasks("the same, memory", "MiB", lambda one: one.memory_mib),
    ]


def _with_schedules(*, jitter: int) -> _Round:
    with running_sink() as sink, new_folder() as folder:
        url = f"sqlite:{folder}/tasks.db"
        first = database.now() + _BEFORE + _SCHEDULES * 500  # filling takes so long, and some to spare
        asyncio.run(_fill(url, [_schedule(n, sink.url, first, jitter) for n in _numbers()]))
        return _measure(folder, sink, first, has_schedules=True)


def _with_tasks(*, jitter: int) -> _Round:
    with running_sink() as sink, new_folder() as folder:
        url = f"sqlite:{folder}/tasks.db"
        first = database.now() + _BEFORE
        due_times = [_schedule(n, sink.url, first, jitter).plan.due_at(f"s{n}", first) for n in _numbers()]
        database.store(url, database.webhooks(sink.url, due_times))
        return _measure(folder, sink, first, has_schedules=False)


def _measure(folder: Path, sink: Sink, first: Instant, *, has_schedules: bool) -> _Round:
    began = time.monotonic()
    with running_server(folder, "--max-deliveries", _SLOTS) as server:
        ready = time.monotonic() - began
        assert database.now() < first, "they were due before the server was ready"
        stand_after = 0.0
        while has_schedules:
            time.sleep(0.1)
            with urlopen(f"{server.url}/metrics") as answer:
                made = re.search(rb"^tasker_schedule_runs_total (\d+)", answer.read(), re.MULTILINE)
            if made is not None and int(made[1]) >= _SCHEDULES:
                stand_after = (database.now() - first) / SECOND
                break
        seen = sink.wait_for(_SCHEDULES, seconds=300)
        assert server.process is not None
        return _Round(ready, memory_mib(server.process.pid), seen, stand_after)


def _numbers() -> range:
    return range(_SCHEDULES)


def _schedule(number: int, url: str, first: Instant, jitter: int) -> Schedule:
    """A schedule whose first run tells the sink when it was due."""
    name = f"s{number}"
    plan = Plan(every=_DAY, anchor=first, starts_at=first, jitter=jitter)
    body = f"{plan.due_at(name, first):0{BODY_LENGTH}}"
    return Schedule(
        name=name,
        revision=1,
        type="webhook",
        plan=plan,
        template=Template(
            type="webhook",
            pool=Pool(1),
            payload=Raw(msgspec.json.encode(WebhookFields(url=url, body=body))),
            destination=Destination(GateKind.HOST, origin(url)),
        ),
    )


async def _fill(database_url: str, schedules: list[Schedule]) -> None:
    """Store schedules with their first runs."""
    into = make_store(Settings(database_url=database_url), address="")
    await into.open()
    now = database.now()
    for start in range(0, len(schedules), _AT_ONCE):
        new = [begun(each, after=now, now=now, new_id=new_id) for each in schedules[start : start + _AT_ONCE]]
        await asyncio.gather(*(into.put_schedule(schedule, run, seen=None) for schedule, run in new))
    await into.close()
