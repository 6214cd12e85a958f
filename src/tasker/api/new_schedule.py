"""Reads what a schedule is to be."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Final

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from tasker.api.bodies import read_member
from tasker.building import Asked
from tasker.errors import InvalidRequestError, cut
from tasker.filters import MOST_TAGS
from tasker.model import instants, lengths, names, recurrence, zones
from tasker.model.instants import Instant, microseconds
from tasker.model.schedule import LONGEST_JITTER, LONGEST_MISSED_WITHIN, MOST_RUNS, Missed, Overlap, Plan
from tasker.scheduling import AskedSchedule, asked_task
from tasker.wire.fields import Length
from tasker.wire.schedules import MissedWord, OverlapWord

_TAKEN: Final = frozenset({"preview"})
"""Names that paths mean something else by."""

_DATE_TIME: Final = {"format": "date-time"}


class ScheduleFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said of something that is done again and again, but for what it is."""

    cron: (
        Annotated[
            str,
            Meta(
                description="Minute, hour, day of month, month and day of week; or @hourly, @daily, @weekly, @monthly "
                "or @yearly.",
                examples=["0 9 * * MON-FRI"],
            ),
        ]
        | UnsetType
    ) = UNSET
    every: (
        Annotated[Length, Meta(description="In place of cron: real time between two runs, in whole seconds.")]
        | UnsetType
    ) = UNSET
    time_zone: (
        Annotated[
            str,
            Meta(description="Whose clocks cron means. Needed with cron; UTC is one.", examples=["Europe/Berlin"]),
        ]
        | UnsetType
    ) = UNSET
    starts_at: Annotated[str, Meta(description="No run is earlier.", extra_json_schema=_DATE_TIME)] | UnsetType = UNSET
    ends_at: (
        Annotated[str, Meta(description="No run is at this moment or later.", extra_json_schema=_DATE_TIME)] | UnsetType
    ) = UNSET
    jitter: (
        Annotated[Length, Meta(description="Each run is put off by a time of its own, shorter than this.")] | UnsetType
    ) = UNSET
    overlap: (
        Annotated[
            OverlapWord,
            Meta(
                description="What becomes of a run while another one goes on: it is left out, waits (one at most), or "
                "starts. skip, if it is not given."
            ),
        ]
        | UnsetType
    ) = UNSET
    missed: (
        Annotated[
            MissedWord,
            Meta(
                description="What becomes of the times at which no server was up: one run stands for all of an outage, "
                "each has its run (1000 at most), or they have none. once, if it is not given."
            ),
        ]
        | UnsetType
    ) = UNSET
    missed_within: (
        Annotated[
            Length,
            Meta(
                description="How long before a server was up again such a time may lie to have a run; 1d, if it is not "
                "given."
            ),
        ]
        | UnsetType
    ) = UNSET
    max_runs: (
        Annotated[
            int, Meta(ge=1, le=MOST_RUNS, description="Once so many regular runs have started, no more are made.")
        ]
        | UnsetType
    ) = UNSET
    paused: Annotated[bool, Meta(description="Make no runs. Without it, it stays as it is.")] | UnsetType = UNSET
    tags: (
        Annotated[
            list[Annotated[str, Meta(min_length=1, max_length=100)]],
            Meta(max_length=MOST_TAGS, description="Labels of your own. Each run has them, beside those of its task."),
        ]
        | UnsetType
    ) = UNSET


class NewSchedule(ScheduleFields, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be done again and again, and when."""

    task: Annotated[
        Raw,
        Meta(
            description="What each run is: as POST /tasks/new takes it, but without a time and a name. "
            "Its expires_at is a length after the run's time.",
            examples=[{"webhook": {"url": "http://localhost:9000/hook"}}],
        ),
    ]


class Preview(ScheduleFields, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A schedule that is not stored."""

    task: (
        Annotated[Raw, Meta(description="What each run would be. It may be left out, and is checked if it is there.")]
        | UnsetType
    ) = UNSET


class Backfill(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"since": "from", "until": "to"}):
    """Which times that have passed are to have runs."""

    since: Annotated[str, Meta(description="The first time may be this one.", extra_json_schema=_DATE_TIME)]
    until: Annotated[
        str,
        Meta(description="All times are before this one, which has passed.", extra_json_schema=_DATE_TIME),
    ]


def span_of(backfill: Backfill) -> tuple[Instant, Instant]:
    """Return from when on and until when *backfill* wants runs.

    Raises:
        InvalidRequestError: these are no times, or not in their order.
    """
    since, until = (
        read_member("from", instants.parse, backfill.since),
        read_member("to", instants.parse, backfill.until),
    )
    if until <= since:
        raise InvalidRequestError("to", f"expected a time after from, got: {backfill.until!r}")
    return since, until


def checked_name(name: str) -> str:
    """Return the name of a schedule that is to be put.

    Raises:
        InvalidRequestError: it cannot be one.
    """
    if not names.is_name(name):
        raise InvalidRequestError("name", f"expected {names.EXPECTED}, got: {cut(name)!r}")
    if name in _TAKEN:
        raise InvalidRequestError("name", f"expected another name: the path /schedules/{name} is taken")
    return name


def asked_of(new: NewSchedule, decode: Callable[[bytes], Asked]) -> AskedSchedule:
    """Return what *new* asks for.

    Args:
        decode: reads a request for a new task.

    Raises:
        InvalidRequestError: it cannot be done. ``field`` is the path in the request.
    """
    task, expires_after = asked_task(bytes(new.task), decode)
    return AskedSchedule(
        plan=_plan_of(new),
        task=task,
        expires_after=expires_after,
        is_paused=None if new.paused is UNSET else new.paused,
        says_overlap=new.overlap is not UNSET,
    )


def previewed(preview: Preview, decode: Callable[[bytes], Asked]) -> Plan:
    """Return the plan that *preview* says. Of one with ``every``, the anchor is not known yet.

    Args:
        decode: reads a request for a new task.

    Raises:
        InvalidRequestError: it could not be put. ``field`` is the path in the request.
    """
    if preview.task is not UNSET:
        asked_task(bytes(preview.task), decode)
    return _plan_of(preview)


def _plan_of(times: ScheduleFields) -> Plan:
    if (times.cron is UNSET) == (times.every is UNSET):
        got = "neither" if times.cron is UNSET else "both"
        raise InvalidRequestError("", f'expected "cron", such as "0 9 * * MON-FRI", or "every", such as "15m": {got}')
    if times.cron is not UNSET:
        read_member("cron", recurrence.read_expression, times.cron)
        if times.time_zone is UNSET:
            raise InvalidRequestError(
                "time_zone", "expected the zone whose clocks cron means, such as Europe/Berlin or UTC"
            )
    if times.time_zone is not UNSET:
        read_member("time_zone", zones.zone_named, times.time_zone)
    every = None if times.every is UNSET else read_member("every", recurrence.read_interval, times.every)
    starts_at, ends_at = _moment("starts_at", times.starts_at), _moment("ends_at", times.ends_at)
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        raise InvalidRequestError("ends_at", f"expected a time after starts_at, got: {times.ends_at!r}")
    return Plan(
        cron=None if times.cron is UNSET else times.cron,
        every=None if every is None else microseconds(every),
        time_zone=None if times.time_zone is UNSET else times.time_zone,
        starts_at=starts_at,
        ends_at=ends_at,
        jitter=0 if times.jitter is UNSET else _jitter(times.jitter, every),
        overlap=Overlap.SKIP if times.overlap is UNSET else Overlap(times.overlap),
        missed=Missed.ONCE if times.missed is UNSET else Missed(times.missed),
        missed_within=recurrence.DAY if times.missed_within is UNSET else _missed_within(times.missed_within),
        max_runs=None if times.max_runs is UNSET else times.max_runs,
        tags=() if times.tags is UNSET else _tags(times.tags),
    )


def _jitter(length: str | float, every: timedelta | None) -> int:
    jitter = read_member("jitter", lengths.parse, length)
    longest = LONGEST_JITTER if every is None else min(LONGEST_JITTER, every)
    if jitter > longest:
        right = "1d" if longest == LONGEST_JITTER else "the time between two runs"
        raise InvalidRequestError("jitter", f"expected at most {right}, got: {length}")
    return microseconds(jitter)


def _missed_within(length: str | float) -> int:
    within = read_member("missed_within", lengths.parse, length)
    if not timedelta(0) < within <= LONGEST_MISSED_WITHIN:
        raise InvalidRequestError(
            "missed_within",
            f"expected more than 0 seconds and at most {LONGEST_MISSED_WITHIN.days}d, got: {length}; "
            'with "missed": "none" no time that was missed has a run',
        )
    return microseconds(within)


def _moment(field: str, text: str | UnsetType) -> Instant | None:
    return None if text is UNSET else read_member(field, instants.parse, text)


def _tags(tags: list[str]) -> tuple[str, ...]:
    for place, tag in enumerate(tags):
        if not tag.isprintable():
            raise InvalidRequestError(f"tags[{place}]", f"expected printable characters, got: {cut(tag)!r}")
    return tuple(dict.fromkeys(tags))
