"""Makes a schedule of a request. Pure: no input or output."""

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from tasker.building import Asked, build_template
from tasker.errors import InvalidRequestError, InvalidTaskError, MaskedValueError
from tasker.filters import MOST_TAGS
from tasker.interfaces.task_type import TaskType
from tasker.model import instants, lengths
from tasker.model.instants import SECOND, Instant, microseconds
from tasker.model.schedule import Overlap, Plan, Schedule
from tasker.model.task import PULLED
from tasker.wire.fields import RequestFields
from tasker.wire.masking import mask_in

_decode_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode


class AskedSchedule(Struct, frozen=True, kw_only=True):
    """A request for a schedule: its plan is checked, its task is not."""

    plan: Plan
    """Its anchor is not known yet."""
    task: Asked
    expires_after: int | None
    """See ``Template``."""
    is_paused: bool | None
    """None: it stays as it is."""
    says_overlap: bool = False
    """Whether it says what becomes of a run while another goes on."""


def asked_task(task: bytes, decode: Callable[[bytes], Asked]) -> tuple[Asked, int | None]:
    """Return the task that *task*, in the form of a create, asks for, and how long after its time it expires.

    Args:
        decode: reads a request for a new task.

    Raises:
        InvalidRequestError: it is none, or says what the schedule says. ``field`` is the whole path,
            such as ``task.webhook.url``.
    """
    expires_after = None
    try:
        named = {name: _decode_members(value) for name, value in _decode_members(task).items()}
    except msgspec.MsgspecError:
        named = {}
    if len(named) != 1:
        raise InvalidRequestError(
            "task",
            "expected an object with one member, an object that is named for its task type, "
            'such as {"webhook": {"url": ...}}',
        )
    for name, members in named.items():
        for member in RequestFields.__struct_encode_fields__:
            if member in members:
                raise InvalidRequestError(f"task.{name}.{member}", "expected no such member: each run has its own")
        if "expires_at" in members:
            expires_after = _length(members.pop("expires_at"), f"task.{name}.expires_at")
        if (place := mask_in(members)) is not None:
            raise MaskedValueError(f"task.{name}.{place}")
    try:
        return decode(msgspec.json.encode(named) if expires_after is not None else task), expires_after
    except InvalidTaskError as error:
        raise _inside(error) from None


def _length(value: Raw, field: str) -> int:
    try:
        expires_after = microseconds(lengths.parse(msgspec.json.decode(value, type=float | str)))
    except msgspec.ValidationError:
        raise InvalidRequestError(
            field, f"expected a length of time after the time of the run: seconds, or {lengths.EXPECTED}"
        ) from None
    except ValueError as error:
        raise InvalidRequestError(field, f"{error}; it counts from the time of the run") from None
    if expires_after == 0:
        raise InvalidRequestError(field, "expected more than 0 seconds")
    return expires_after


def build_schedule(
    name: str,
    asked: AskedSchedule,
    *,
    before: Schedule | None,
    now: Instant,
    revision: int,
    put_by: str | None,
    webhooks: TaskType | None,
) -> Schedule:
    """Return the schedule that is *asked* for.

    Args:
        before: what is stored under its name; None: nothing.
        revision: of one that is new.
        put_by: see ``Schedule``.
        webhooks: see ``build_task``.

    Raises:
        InvalidRequestError: its task cannot become one.
    """
    try:
        template = build_template(asked.task, webhooks=webhooks, expires_after=asked.expires_after)
    except InvalidTaskError as error:
        raise _inside(error) from None
    plan = asked.plan
    if len({*plan.tags, *template.tags}) > MOST_TAGS:
        raise InvalidRequestError("tags", f"expected at most {MOST_TAGS} together with those of the task")
    if template.pool == PULLED:
        plan = _of_jobs(plan, says_overlap=asked.says_overlap)
    schedule = Schedule(
        name=name,
        revision=revision if before is None else before.revision + 1,
        type=template.type,
        plan=anchored(plan, before=before, now=now),
        template=template,
        is_paused=(before is not None and before.is_paused) if asked.is_paused is None else asked.is_paused,
        put_by=put_by,
    )
    if before is not None:
        schedule = replace(schedule, created_at=before.created_at, next_at=before.next_at, look_at=before.look_at)
    return schedule


def anchored(plan: Plan, *, before: Schedule | None, now: Instant) -> Plan:
    """Return *plan* with its anchor, once it is put in place of *before*; None: there is nothing."""
    return replace(plan, anchor=_anchor(plan, before, now))


def _anchor(plan: Plan, before: Schedule | None, now: Instant) -> Instant:
    """Return the moment that the times of *plan* are counted from: its start, else the one that it has, else now."""
    if plan.every is None:
        return 0
    if plan.starts_at is not None:
        return plan.starts_at
    if before is None:
        return now // SECOND * SECOND
    anchor = before.plan.anchor if before.plan.every is not None else before.created_at // SECOND * SECOND
    return anchor - max(0, -(-(anchor - now) // plan.every)) * plan.every  # it does not begin later any more


def _of_jobs(plan: Plan, *, says_overlap: bool) -> Plan:
    """Return the plan of runs that workers pull: when these start is not decided here."""
    if says_overlap and plan.overlap is not Overlap.ALLOW:
        raise InvalidRequestError("overlap", "expected allow, or nothing: workers say when they claim a job")
    if plan.max_runs is not None:
        raise InvalidRequestError("max_runs", "expected nothing: jobs that workers claim are not counted")
    return replace(plan, overlap=Overlap.ALLOW)


def check_times_to_come(plan: Plan, *, before: Schedule | None, now: Instant) -> None:
    """Return if *plan* has a time later than *now*, or has those of *before*: one that has ended may stay as it is.

    Raises:
        InvalidRequestError: no run would ever come of it. ``field`` says what rules that out.
    """
    if (before is not None and plan.has_times_of(before.plan)) or plan.following(now) is not None:
        return
    has_end = plan.ends_at is not None
    first = replace(plan, ends_at=None).following(now) if has_end else None
    if first is not None:
        got = f"got: {instants.text(plan.ends_at or 0)}: no run would come; to have none any more, pause or delete it"
        raise InvalidRequestError(
            "ends_at",
            f"expected a time after the next one of the schedule, {instants.text(first.scheduled_for)}, {got}",
        )
    field = "starts_at" if plan.starts_at is not None else "every" if plan.cron is None else "cron"
    raise InvalidRequestError(field, "expected a time up to the year 9999: no run would come")


def says_the_same(schedule: Schedule, other: Schedule) -> bool:
    """Whether two schedules of one name are the same, but for who has put them, and how far they have come."""
    return _said(schedule) == _said(other)


def _said(schedule: Schedule) -> bytes:
    return msgspec.json.encode((schedule.plan, schedule.template, schedule.is_paused))


def _inside(error: InvalidTaskError) -> InvalidRequestError:
    """Return *error*, which is about the task alone, about the whole request."""
    kind = MaskedValueError if isinstance(error, MaskedValueError) else InvalidRequestError
    return kind(f"task.{error.field}".rstrip("."), error.problem)
