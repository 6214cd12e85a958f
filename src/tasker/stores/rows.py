"""The columns that are read, each declared once.

From here come the lists in SELECT and RETURNING, and what rows become. A ``.sql`` file says
``{task}``, ``{attempt}``, ``{ending}``, ``{run_gone}``, ``{gate}``, ``{operation}``, ``{schedule}``,
``{audit}`` or ``{api_key}`` where such a list stands. Further columns stand behind it. A new column of
a task is two migrations, a line here and a member of ``Task``.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from functools import lru_cache, partial
from inspect import Parameter, signature
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from tasker.model.api_key import ApiKey
from tasker.model.attempt import Attempt
from tasker.model.audit import Action, Actor, AuditRecord, Changed, Kind
from tasker.model.circuit import Circuit
from tasker.model.ending import Ending
from tasker.model.gate import Gate, GateKind
from tasker.model.instants import Instant
from tasker.model.operation import Action as OperationAction
from tasker.model.operation import Asked, Operation, OperationState, RefusedTask
from tasker.model.schedule import Plan, Run, Schedule, Template
from tasker.model.task import Admission, Fault, RunKind, State, Task, TaskId
from tasker.stores.audits import ENTRY
from tasker.stores.awaiting import progress_of
from tasker.stores.faults import fault_of

T = TypeVar("T")

_SHOWN: Final = tuple(state.shown for state in State)
"""By their numbers."""


class Form(Enum):
    """How a value is stored. Each store says how it reads an ``ID``; the rest is the same everywhere."""

    PLAIN = auto()
    """As it is used."""
    ID = auto()
    """A UUID."""
    NODE = auto()
    """The UUID of a node: there are few, and they come again and again."""
    STATE = auto()
    """Its number. It is read as ``State.shown``."""
    FAULT = auto()
    """JSON text."""
    PROGRESS = auto()
    """JSON text."""
    GATE_KIND = auto()
    SWITCH = auto()
    """True or false."""
    RUN_KIND = auto()
    ADMISSION = auto()


class Column(NamedTuple):
    """A column, and the member that it becomes."""

    name: str
    form: Form = Form.PLAIN
    member: str = ""
    """Empty: called as the column is."""


_TASK: Final = (
    Column("id", Form.ID),
    Column("type"),
    Column("pool"),
    Column("state", Form.STATE),
    Column("due_at"),
    Column("execution_at"),
    Column("execution_time"),
    Column("local_time"),
    Column("time_zone"),
    Column("zones"),
    Column("expires_at"),
    Column("parent_id", Form.ID),
    Column("key"),
    Column("holds_key", Form.SWITCH),
    Column("keep"),
    Column("patience"),
    Column("created_at"),
    Column("created_by"),
    Column("schedule"),
    Column("scheduled_for"),
    Column("run_kind", Form.RUN_KIND),
    Column("admission", Form.ADMISSION),
    Column("missed"),
    Column("revision"),
    Column("is_cancelled", Form.SWITCH),
    Column("late_down"),
    Column("late_held"),
    Column("attempts"),
    Column("retried_after"),
    Column("crashes"),
    Column("started_at"),
    Column("ended_at"),
    Column("last_fault", Form.FAULT),
    Column("node", Form.NODE),
    Column("deadline"),
    Column("progress", Form.PROGRESS),
)
_ATTEMPT: Final = (
    Column("id", Form.ID, "task_id"),
    Column("type"),
    Column("pool"),
    Column("attempts", member="number"),
    Column("retried_after"),
    Column("due_at"),
    Column("execution_at"),
    Column("expires_at"),
    Column("fence"),
    Column("node", Form.NODE),
    Column("late_down"),
    Column("late_held"),
    Column("key"),
    Column("schedule"),
    Column("admission", Form.ADMISSION),
    Column("gate"),
)
_ENDING: Final = (Column("id", Form.ID, "task_id"), Column("type"), Column("attempts"))
_PAYLOAD: Final = (Column("payload"),)
_RESULT: Final = (Column("result"),)
_GATE: Final = (
    Column("id", member="gate_id"),
    Column("kind", Form.GATE_KIND),
    Column("name"),
    Column("paused", Form.SWITCH),
    Column("max_running"),
    Column("max_per_second"),
    Column("burst"),
    Column("next_at"),
    Column("failures"),
    Column("open_until"),
    Column("broken_since"),
    Column("closed_at"),
    Column("let_in"),
)

_OPERATION: Final = (
    Column("id", Form.ID, "operation_id"),
    Column("action"),
    Column("state"),
    Column("is_dry_run", Form.SWITCH),
    Column("asked"),
    Column("created_at"),
    Column("ended_at"),
    Column("cursor"),
    Column("matched"),
    Column("changed"),
    Column("refused"),
    Column("reasons"),
    Column("refusals"),
)

_SCHEDULE: Final = (
    Column("name"),
    Column("revision"),
    Column("type"),
    Column("plan"),
    Column("is_paused", Form.SWITCH),
    Column("created_at"),
    Column("changed_at"),
    Column("put_by"),
    Column("next_at"),
    Column("look_at"),
)
_RUN_COUNT: Final = (Column("started"), Column("skipped"), Column("missed_times"))
"""Behind those of a schedule."""

_AUDIT: Final = tuple(map(Column, ("id", *ENTRY)))
_API_KEY: Final = (
    Column("id", member="key_id"),
    Column("name"),
    Column("role"),
    Column("scopes"),
    Column("digest"),
    Column("created_at"),
    Column("expires_at"),
    Column("used_at"),
)

COLUMNS: Final[Mapping[str, str]] = {
    "task": ", ".join(
        [f"task.{column.name}" for column in _TASK] + [f"payload.{column.name}" for column in (*_PAYLOAD, *_RESULT)]
    ),
    "attempt": ", ".join(f"task.{column.name}" for column in _ATTEMPT),
    "ending": ", ".join(f"task.{column.name}" for column in _ENDING),
    "run_gone": (
        "CASE WHEN task.run_kind = 0 AND task.attempts = 0 THEN task.schedule END AS run_of, "
        "task.scheduled_for AS run_at"
    ),
    "gate": ", ".join(f"gate.{column.name}" for column in _GATE),
    "operation": ", ".join(f"operation.{column.name}" for column in _OPERATION),
    "schedule": ", ".join(f"schedule.{column.name}" for column in _SCHEDULE)
    + "".join(f", run_count.{column.name}" for column in _RUN_COUNT),
    "audit": ", ".join(f"audit.{column.name}" for column in _AUDIT),
    "api_key": ", ".join(f"api_key.{column.name}" for column in _API_KEY),
}
"""The lists by the names that the ``.sql`` files use. ``{run_gone}`` is the schedule and the time of a
regular run that leaves the queue without having started, if it is one. Behind ``{attempt}`` and ``{ending}`` the
payload is to follow, before ``{audit}`` the moment that is shown."""


class Rows(Generic[T]):
    """Makes rows into values."""

    def __init__(
        self, make: Callable[..., T], columns: Sequence[Column], readers: Mapping[Form, Callable[[Any], Any]]
    ) -> None:
        """Make it.

        Args:
            make: makes a value of its members.
            readers: how each form is read that is not plain. NULL is always None.
        """
        self.width: Final = len(columns)
        """How many values of a row are read: at this place the further columns begin."""
        self.read: Final = _compiled(make, columns, readers)
        """Returns what a row stands for. Its first values are those of the columns; those behind
        them are left alone."""


def _compiled(
    make: Callable[..., T], columns: Sequence[Column], readers: Mapping[Form, Callable[[Any], Any]]
) -> Callable[[Sequence[Any]], T]:
    """Return a function of a row as one would write it by hand; so does ``namedtuple``.

    A loop takes three times as long, and a call with more than 15 keywords four times: Python makes
    such a call through a dict. So members are given by their places where *make* allows that.
    """
    names: dict[str, object] = {"make": make}
    members: dict[str, str] = {}
    for place, column in enumerate(columns):
        value = f"row[{place}]"
        if reader := readers.get(column.form):
            names[column.form.name] = reader
            value = f"None if {value} is None else {column.form.name}({value})"
        members[column.member or column.name] = value
    given = []
    for parameter in signature(make).parameters.values():
        if not members or parameter.kind is not Parameter.POSITIONAL_OR_KEYWORD:
            break
        names[f"default_{parameter.name}"] = parameter.default
        given.append(members.pop(parameter.name, f"default_{parameter.name}"))
    given += [f"{member}={value}" for member, value in members.items()]
    read: Callable[[Sequence[Any]], T] = eval(  # noqa: S307 - of the names above
        f"lambda row: make({', '.join(given)})", names
    )
    return read


def _gate(
    *,
    gate_id: int,
    kind: GateKind,
    name: str,
    paused: bool,
    max_running: int | None,
    max_per_second: float | None,
    burst: int,
    next_at: Instant,
    failures: int,
    open_until: Instant,
    broken_since: Instant | None,
    closed_at: Instant | None,
    let_in: int,
) -> Gate:
    return Gate(
        id=gate_id,
        kind=kind,
        name=name,
        paused=paused,
        max_running=max_running,
        max_per_second=max_per_second,
        burst=burst,
        next_at=next_at,
        circuit=Circuit(failures, open_until, broken_since, closed_at),
        let_in=let_in,
    )


def operation_values(operation: Operation) -> dict[str, Any]:
    """Return the values of the columns of an operation by name, but for its id, as every store keeps them."""
    return {
        "action": operation.action.value,
        "state": int(operation.state),
        "is_dry_run": operation.is_dry_run,
        "asked": msgspec.json.encode(operation.asked).decode(),
        "ended_at": operation.ended_at,
        "cursor": operation.cursor,
        "matched": operation.matched,
        "changed": operation.changed,
        "refused": operation.refused,
        "reasons": msgspec.json.encode(operation.reasons).decode(),
        "refusals": msgspec.json.encode(operation.refusals).decode(),
    }


def _operation(
    *,
    operation_id: TaskId,
    action: str,
    state: int,
    asked: str,
    reasons: str,
    refusals: str,
    **members: Any,  # noqa: ANN401
) -> Operation:
    return Operation(
        id=operation_id,
        action=OperationAction(action),
        state=OperationState(state),
        asked=msgspec.json.decode(asked, type=Asked),
        reasons=msgspec.json.decode(reasons, type=dict[str, int]),
        refusals=msgspec.json.decode(refusals, type=tuple[RefusedTask, ...]),
        **members,
    )


def schedule_values(schedule: Schedule) -> dict[str, Any]:
    """Return the values of the columns of a schedule by name, but for its moments, as every store keeps them."""
    return {
        "name": schedule.name,
        "revision": schedule.revision,
        "type": schedule.type,
        "plan": msgspec.json.encode(schedule.plan).decode(),
        "is_paused": schedule.is_paused,
        "put_by": schedule.put_by,
    }


def run_of(
    id_: str,
    kind: int,
    scheduled_for: Instant,
    state: int,
    due_at: Instant,
    started_at: Instant | None,
    ended_at: Instant | None,
    missed: int | None,
) -> Run:
    """Return the run in a row of the query ``runs``, whose id is read."""
    return Run(
        id=TaskId(id_),
        kind=RunKind(kind),
        scheduled_for=scheduled_for,
        state=State(state),
        due_at=due_at,
        started_at=started_at,
        ended_at=ended_at,
        missed=missed,
    )


def _schedule(*, plan: str, **members: Any) -> Schedule:  # noqa: ANN401
    return Schedule(plan=_plan_of(plan), **members)


_plan_of: Final = msgspec.json.Decoder(Plan).decode
_template_of: Final = msgspec.json.Decoder(Template).decode


def _audit(
    *,
    by_id: str,
    by_name: str,
    action: str,
    kind: str,
    changes: str | None,
    **members: Any,  # noqa: ANN401
) -> AuditRecord:
    return AuditRecord(
        by=Actor(by_id, by_name),
        action=Action(action),
        kind=Kind(kind),
        changes={} if changes is None else _changes_of(changes),
        **members,
    )


_changes_of: Final = msgspec.json.Decoder(dict[str, Changed]).decode


def _api_key(*, key_id: str, scopes: str, **members: Any) -> ApiKey:  # noqa: ANN401
    return ApiKey(id=key_id, scopes=tuple(scopes.split()), **members)


class Reading:
    """What the rows of a store become."""

    def __init__(self, read_id: Callable[[Any], str]) -> None:
        """Make it.

        Args:
            read_id: makes the text of a stored UUID.
        """
        readers: dict[Form, Callable[[Any], Any]] = {
            Form.ID: read_id,
            Form.NODE: lru_cache(maxsize=256)(read_id),
            Form.STATE: _SHOWN.__getitem__,
            Form.FAULT: fault_of,
            Form.PROGRESS: progress_of,
            Form.GATE_KIND: GateKind,
            Form.SWITCH: bool,
            Form.RUN_KIND: RunKind,
            Form.ADMISSION: Admission,
        }
        self.task: Rows[Task] = Rows(Task, (*_TASK, *_PAYLOAD, *_RESULT), readers)
        self.attempt: Rows[Attempt] = Rows(Attempt, (*_ATTEMPT, *_PAYLOAD), readers)
        self.ending: Rows[Ending] = Rows(partial(Ending, state=State.FAILED), (*_ENDING, *_PAYLOAD), readers)
        self.operation: Rows[Operation] = Rows(_operation, _OPERATION, readers)
        self.schedule: Rows[Schedule] = Rows(_schedule, (*_SCHEDULE, *_RUN_COUNT), readers)
        self.api_key: Rows[ApiKey] = Rows(_api_key, _API_KEY, readers)
        self.gate: Rows[Gate] = Rows(_gate, _GATE, readers)
        self.audit: Rows[AuditRecord] = Rows(_audit, (Column("at"), *_AUDIT), readers)

    def whole_schedule(self, row: Sequence[Any]) -> Schedule:
        """Return the schedule in *row*, behind whose columns its template stands."""
        return replace(self.schedule.read(row), template=_template_of(row[self.schedule.width]))

    def failed(self, row: Sequence[Any], fault: Fault) -> Ending:
        """Return the end of the task in *row*, which failed with *fault* without an attempt of its own."""
        return replace(self.ending.read(row), fault=fault)

    def cancelled(self, row: Sequence[Any]) -> Ending:
        """Return the end of the task in *row*, which was cancelled."""
        return self.ending.read(row).cancelled()
