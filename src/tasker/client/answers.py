"""What the client returns: the shapes of ``tasker.wire``, and what they lack for a program.

All are frozen. A member that an answer does not have is ``msgspec.UNSET``, which is false. Moments are
text in RFC 3339, as the server says them: ``datetime.fromisoformat`` reads them. JSON of any shape within
the shapes of ``tasker.wire`` is ``msgspec.Raw``, such as ``last_error.details``: ``msgspec.json.decode`` reads it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from tasker.client.core import Answer, Page, cursor_in, reading
from tasker.client.decoding import decoder
from tasker.wire.events import EventView
from tasker.wire.keys import NewKeyView
from tasker.wire.queues import ClaimedJob
from tasker.wire.schedules import NextRunView, RunView, ScheduleSummary
from tasker.wire.tasks import AtLeast, TaskView

ENDED: Final = frozenset({"done", "failed", "cancelled"})
"""The states of tasks that have ended."""


class Task(TaskView, frozen=True, kw_only=True):
    """A task as it was when the server answered."""

    fields: Mapping[str, Any]
    """What it was given, such as ``url``, ``json`` and ``tags``, by their names in the API."""
    result: Any = UNSET
    """What was computed, or reported; ``UNSET``: nothing."""
    etag: str | None = None
    """For ``if_match``. None: it comes from a list."""

    @property
    def has_ended(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self.state in ENDED


class Job(ClaimedJob, frozen=True, kw_only=True):
    """A task that this worker has claimed."""

    fields: Mapping[str, Any]
    """What it was given, such as ``json`` and ``tags``."""

    def __repr__(self) -> str:
        """It does not show the token."""
        return _masked_repr(self, "token")

    @property
    def json(self) -> Any:
        """What the worker is given; None if it was given nothing."""
        return self.fields.get("json")


class Event(EventView, frozen=True, kw_only=True):
    """Something that has happened, or something about the stream: see ``event``."""

    event: str
    """``created``, ``started``, ``accepted``, ``ended``, ``changed``, ``deleted``, ``destination``, ``node``,
    ``operation`` or ``schedule``; of the stream: ``gap``, ``reset``, ``partial`` or ``signal``. More may be added."""
    event_id: str | None = None
    """Where it stands in the stream, for ``last_event_id``; None: it says nothing of that."""
    counts: Mapping[str, int] | None = None
    """Of ``gap``: how many events of each kind were left out."""
    kinds: Sequence[str] | None = None
    """Of ``signal``: of which kinds there were events."""
    reason: str | None = None
    """Of ``reset`` (events may be missing: read anew what you show) and ``partial``: why."""


class Schedule(ScheduleSummary, frozen=True, kw_only=True):
    """A schedule as it was when the server answered: ``ScheduleView`` of the API, with its task as a mapping."""

    task: Mapping[str, Any]
    """What each run is, as the API says it: ``{"webhook": {...}}``."""
    next_runs: Sequence[NextRunView]
    """The next 10 times."""
    last_runs: Sequence[RunView]
    """The latest 10 runs that are kept, the latest first."""
    etag: str | None = None
    """For ``if_match``."""


class NewKey(NewKeyView, frozen=True, kw_only=True):
    """An API key that was made. Its ``repr`` does not show the key itself."""

    def __repr__(self) -> str:
        return _masked_repr(self, "key")


def _masked_repr(struct: Struct, secret: str) -> str:
    """Return the ``repr`` of a struct, without the value of one field."""
    members = msgspec.structs.asdict(struct)
    shown = ", ".join(f"{name}={'***' if name == secret else repr(value)}" for name, value in members.items())
    return f"{type(struct).__name__}({shown})"


_TASK_MEMBERS: Final = frozenset({*TaskView.__struct_encode_fields__, "result"})
_JOB_MEMBERS: Final = frozenset(ClaimedJob.__struct_encode_fields__)

_decode_named: Final = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_view: Final = decoder(TaskView)
_decode_job_view: Final = decoder(ClaimedJob)
_decode_members: Final = msgspec.json.Decoder(dict[str, Any]).decode


class _TaskPage(Struct):
    tasks: list[dict[str, Raw]]
    next: str | None
    count: int | AtLeast | UnsetType = UNSET


class _Jobs(Struct):
    jobs: list[Raw]


_decode_page: Final = decoder(_TaskPage)
_decode_schedule: Final = decoder(Schedule)
_decode_jobs: Final = decoder(_Jobs)


def task(answer: Answer) -> Task:
    """Return the task that an answer shows."""
    return reading(answer, lambda content: _named(_decode_named(content), answer.headers.get("etag")))


def page(answer: Answer) -> Page[Task]:
    """Return the tasks of a page."""

    def decode(content: bytes) -> Page[Task]:
        found = _decode_page(content)
        return Page([_named(each, None) for each in found.tasks], cursor_in(found.next))

    return reading(answer, decode)


def count(answer: Answer) -> int | AtLeast:
    """Return how many tasks there are on all pages."""

    def decode(content: bytes) -> int | AtLeast:
        found = _decode_page(content)
        return len(found.tasks) if found.count is UNSET else found.count

    return reading(answer, decode)


def schedule(answer: Answer) -> Schedule:
    """Return the schedule that an answer shows."""
    shown = reading(answer, _decode_schedule)
    return msgspec.structs.replace(shown, etag=answer.headers.get("etag"))


def jobs(answer: Answer) -> list[Job]:
    """Return the jobs that were claimed."""
    return reading(answer, lambda content: [_job(bytes(each)) for each in _decode_jobs(content).jobs])


def event(name: str, data: bytes, event_id: str | None) -> Event:
    """Return an event. What is not as this version knows it is passed on all the same."""
    said: Mapping[str, Any] = _decode_members(data)
    match name:
        case "gap":
            return Event(at="", node="", event=name, event_id=event_id, counts=said.get("counts"))
        case "signal":
            return Event(at="", node="", event=name, event_id=event_id, kinds=said.get("changed"))
        case "reset" | "partial" | "closing":
            return Event(at="", node="", event=name, event_id=event_id, reason=said.get("reason"))
        case _:
            known: dict[str, Any] = {each: said[each] for each in EventView.__struct_fields__ if each in said}
            members: dict[str, Any] = {"at": "", "node": "", **known, "event": name, "event_id": event_id}
            return Event(**members)


def _named(named: Mapping[str, Raw], etag: str | None) -> Task:
    (content,) = named.values()
    view, members = _decode_view(content), _decode_members(content)
    return Task(
        **msgspec.structs.asdict(view),
        fields={name: value for name, value in members.items() if name not in _TASK_MEMBERS},
        result=members.get("result", UNSET),
        etag=etag,
    )


def _job(content: bytes) -> Job:
    members = _decode_members(content)
    return Job(
        **msgspec.structs.asdict(_decode_job_view(content)),
        fields={name: value for name, value in members.items() if name not in _JOB_MEMBERS},
    )
