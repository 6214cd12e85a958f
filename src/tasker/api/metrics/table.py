"""The metrics: each is declared once, with where its values come from.

The exposition and the reference of the documentation are made from this table.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from tasker.egress.call_meter import DESTINATIONS_NAMED, OTHERS, PHASES, RESULTS
from tasker.explaining import OVERDUE_REASONS
from tasker.model.gate import GATE_STATES
from tasker.model.histogram import Histogram
from tasker.model.inbox import INBOX_COUNTED_TO, INBOX_OUTCOMES
from tasker.model.instants import SECOND
from tasker.model.lateness import LatenessByCause
from tasker.model.overdue import OVERDUE_COUNTED_TO
from tasker.model.stats import ATTEMPT_OUTCOMES
from tasker.model.store_meter import STORE_ERRORS
from tasker.service.metrics import Figures
from tasker.timing.clock_steps import DIRECTIONS

Value: TypeAlias = float | Histogram
Values: TypeAlias = Iterable[tuple[tuple[str, ...], Value]]
"""Values, each with those of its labels."""

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric, as it is declared."""

    name: str
    """As it is asked for: that of a counter ends in ``_total``."""
    kind: Kind
    help: str
    read: Callable[[Figures], Values]
    labels: Mapping[str, Sequence[str] | str] | None = None
    """What each label says: its values, or in words where they are not known beforehand. Never an
    id, and never more of a URL than host and port."""
    is_of_store: bool = False
    """Whether it is about the store, so that every node says the same, and values of several nodes
    must not be added up. Has the label ``scope="store"``."""
    is_in_micros: bool = True
    """Of a histogram: whether it was counted in microseconds, which are shown as seconds."""
    absent: str = ""
    """While what it is not there, in a clause."""

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of its labels."""
        return (*(self.labels or ()), *(("scope",) if self.is_of_store else ()))


def _one(read: Callable[[Figures], Value]) -> Callable[[Figures], Values]:
    return lambda figures: [((), read(figures))]


def _known(read: Callable[[Figures], float | None]) -> Callable[[Figures], Values]:
    def known(figures: Figures) -> Values:
        value = read(figures)
        return [] if value is None else [((), value)]

    return known


def _by(read: Callable[[Figures], Mapping[str, Value]]) -> Callable[[Figures], Values]:
    return lambda figures: [((label,), value) for label, value in read(figures).items()]


def _attempts(figures: Figures) -> Values:
    ended = figures.telemetry.ended_by_type
    names = [*figures.slots, *sorted({name for by_type in ended.values() for name in by_type} - set(figures.slots))]
    return [((name, outcome), ended[outcome][name]) for name in names for outcome in ATTEMPT_OUTCOMES]


def _calls(figures: Figures) -> Values:
    return [
        ((destination, result), count)
        for destination, counts in figures.calls.by_destination().items()
        for result, count in zip(RESULTS, counts, strict=True)
        if result != "1xx"  # which is no answer; should a target say so nonetheless, it is seen
        or count
    ]


def _overdue(figures: Figures) -> Values:
    if figures.overdue is None:
        return []
    return [((reason,), each.count) for reason, each in figures.overdue.by_reason.items()]


def _oldest(figures: Figures) -> Values:
    if figures.overdue is None:
        return []
    return [((reason,), figures.overdue.oldest_seconds(reason)) for reason in figures.overdue.by_reason]


def _inbox(figures: Figures) -> Values:
    if figures.inbox is None:
        return []
    return [(("waiting",), figures.inbox.waiting), (("refused",), figures.inbox.refused)]


_TYPE: Final = {"type": "the task type"}
_KIND: Final = {"kind": "`write` with SQLite; `create`, `make`, `settle`, `delete` and `admit` with PostgreSQL"}
_ENDS: Final = ("done", "failed", "cancelled")
_SILENT: Final = "the database does not answer within 2 s"
_NOT_POSTGRES: Final = "the database is not PostgreSQL"
_NOT_A_FILE: Final = "the database is no file"

METRICS: Final[tuple[Metric, ...]] = (
    Metric(
        name="tasker_build_info",
        kind="gauge",
        help="Always 1. The version of tasker and of Python.",
        labels={"version": "of tasker", "python": "of Python"},
        read=lambda figures: [((figures.version, figures.python), 1)],
    ),
    Metric(
        name="tasker_ready",
        kind="gauge",
        help="Whether this node should be sent work: 1 or 0, as GET /readyz says.",
        read=_one(lambda figures: figures.is_ready),
    ),
    # Tasks
    Metric(
        name="tasker_tasks_created_total",
        kind="counter",
        help="Tasks that callers have created here. Callbacks are not counted.",
        labels=_TYPE,
        read=_by(lambda figures: {name: figures.telemetry.created_by_type[name] for name in figures.slots}),
    ),
    Metric(
        name="tasker_inbox_taken_total",
        kind="counter",
        help="Rows of the inbox that this node has taken: tasks that were created, rows that changed nothing because "
        "the task was there already or another one has its key (kept), and rows that were refused.",
        labels={"outcome": INBOX_OUTCOMES},
        read=_by(lambda figures: figures.telemetry.from_inbox),
    ),
    Metric(
        name="tasker_tasks_ended_total",
        kind="counter",
        help="Tasks that have ended here.",
        labels={"state": _ENDS},
        read=_by(lambda figures: {state: getattr(figures.telemetry, state) for state in _ENDS}),
    ),
    Metric(
        name="tasker_tasks_deleted_total",
        kind="counter",
        help="Tasks that callers have deleted here.",
        read=_one(lambda figures: figures.telemetry.deleted),
    ),
    Metric(
        name="tasker_tasks_pruned_total",
        kind="counter",
        help="Ended tasks that this node has deleted because their time was over.",
        read=_one(lambda figures: figures.telemetry.pruned),
    ),
    Metric(
        name="tasker_schedule_runs_total",
        kind="counter",
        help="Runs that this node has put into the queue for schedules.",
        read=_one(lambda figures: figures.telemetry.scheduled),
    ),
    Metric(
        name="tasker_tasks_taken_back_total",
        kind="counter",
        help="Tasks that this node took back from a server that had died, or whose lease had ended.",
        read=_one(lambda figures: figures.telemetry.taken_back),
    ),
    Metric(
        name="tasker_requests_refused_total",
        kind="counter",
        help="Requests that were answered with a problem. A code is there once it has occurred.",
        labels={"code": "the code of the problem"},
        read=_by(lambda figures: figures.refused),
    ),
    # Attempts
    Metric(
        name="tasker_attempts_total",
        kind="counter",
        help="Attempts that have ended here: the task is done, is tried again, has failed for good, or was cancelled.",
        labels={**_TYPE, "outcome": ATTEMPT_OUTCOMES},
        read=_attempts,
    ),
    Metric(
        name="tasker_attempts_given_back_total",
        kind="counter",
        help="Claimed tasks that this node returned to the queue untouched, such as at its end.",
        read=_one(lambda figures: figures.telemetry.given_back),
    ),
    Metric(
        name="tasker_claims_lost_total",
        kind="counter",
        help="Ends of attempts that were discarded because another node had taken the task back.",
        read=_one(lambda figures: figures.telemetry.claims_lost),
    ),
    Metric(
        name="tasker_lateness_seconds",
        kind="histogram",
        help="How late attempts began, by cause. Each attempt counts once for each cause.",
        labels={"cause": LatenessByCause.__struct_fields__},
        read=_by(lambda figures: figures.telemetry.lateness_histograms),
    ),
    Metric(
        name="tasker_slots",
        kind="gauge",
        help="Attempts that may run at once.",
        labels=_TYPE,
        read=_by(lambda figures: {name: count.total for name, count in figures.slots.items() if count.total}),
    ),
    Metric(
        name="tasker_slots_taken",
        kind="gauge",
        help="Attempts that are running, or whose end is being written.",
        labels=_TYPE,
        read=_by(lambda figures: {name: count.running for name, count in figures.slots.items() if count.total}),
    ),
    # What is overdue
    Metric(
        name="tasker_overdue_tasks",
        kind="gauge",
        help=f"Tasks that are due and have not started, by the reason. Counting stops at {OVERDUE_COUNTED_TO}.",
        labels={"reason": OVERDUE_REASONS},
        is_of_store=True,
        read=_overdue,
        absent=_SILENT,
    ),
    Metric(
        name="tasker_oldest_overdue_seconds",
        kind="gauge",
        help="For how long the oldest of these has been due; 0 if there is none.",
        labels={"reason": OVERDUE_REASONS},
        is_of_store=True,
        read=_oldest,
        absent=_SILENT,
    ),
    Metric(
        name="tasker_destinations",
        kind="gauge",
        help="Destinations and groups: those that are paused, and the others by the state of their circuit.",
        labels={"state": GATE_STATES},
        is_of_store=True,
        read=_by(lambda figures: figures.gates or {}),
        absent=_SILENT,
    ),
    Metric(
        name="tasker_inbox_rows",
        kind="gauge",
        help=f"Rows of the inbox: to be taken, or refused. Counting stops at {INBOX_COUNTED_TO}.",
        labels={"state": ("waiting", "refused")},
        is_of_store=True,
        read=_inbox,
        absent=f"{_NOT_POSTGRES}, or {_SILENT}",
    ),
    # Calls
    Metric(
        name="tasker_calls_total",
        kind="counter",
        help=f"Calls to targets. The first {DESTINATIONS_NAMED} destinations are told apart until the server ends.",
        labels={
            "destination": f"host and port, or `{OTHERS}`",
            "result": (*(result for result in RESULTS if result != "1xx"),),
        },
        read=_calls,
        absent="there was no call",
    ),
    Metric(
        name="tasker_call_phase_seconds",
        kind="histogram",
        help="How long the parts of calls took. A connection that was kept open needs no lookup, connect and tls.",
        labels={"phase": PHASES},
        read=_by(lambda figures: figures.calls.phases),
    ),
    Metric(
        name="tasker_outgoing_connections",
        kind="gauge",
        help="Connections to targets: with a call under way, or kept open for the next one.",
        labels={"state": ("active", "idle")},
        read=_by(lambda figures: {"active": figures.calls_under_way, "idle": figures.connections_kept}),
    ),
    Metric(
        name="tasker_incoming_connections",
        kind="gauge",
        help="Connections of callers.",
        read=_one(lambda figures: figures.callers),
    ),
    # The database
    Metric(
        name="tasker_commit_writes",
        kind="histogram",
        help="How many writes were committed together.",
        labels=_KIND,
        is_in_micros=False,
        read=_by(lambda figures: {kind: each.sizes for kind, each in figures.meter.commits.items()}),
    ),
    Metric(
        name="tasker_commit_seconds",
        kind="histogram",
        help="How long a group of writes took to be written and committed.",
        labels=_KIND,
        read=_by(lambda figures: {kind: each.micros for kind, each in figures.meter.commits.items()}),
    ),
    Metric(
        name="tasker_sync_seconds",
        kind="histogram",
        help="How long the disk took to confirm a commit. Only with a SQLite file: PostgreSQL does not say.",
        read=_one(lambda figures: figures.meter.syncs),
    ),
    Metric(
        name="tasker_claim_seconds",
        kind="histogram",
        help="How long it took to ask the database for due tasks.",
        read=_one(lambda figures: figures.meter.claims),
    ),
    Metric(
        name="tasker_store_errors_total",
        kind="counter",
        help="Reads and writes that the database could not do.",
        labels={"kind": STORE_ERRORS},
        read=_by(lambda figures: figures.meter.errors),
    ),
    Metric(
        name="tasker_store_writable",
        kind="gauge",
        help="Whether the database can be written, as far as this node knows: 1 or 0.",
        read=_one(lambda figures: figures.is_store_well),
    ),
    Metric(
        name="tasker_database_bytes",
        kind="gauge",
        help="Size of the database file.",
        read=_known(lambda figures: figures.space.database),
        absent=_NOT_A_FILE,
    ),
    Metric(
        name="tasker_wal_bytes",
        kind="gauge",
        help="Size of the write-ahead log beside it.",
        read=_known(lambda figures: figures.space.wal),
        absent=_NOT_A_FILE,
    ),
    Metric(
        name="tasker_disk_free_bytes",
        kind="gauge",
        help="What is left on the disk that the database is on.",
        read=_known(lambda figures: figures.space.free),
        absent=_NOT_A_FILE,
    ),
    Metric(
        name="tasker_disk_size_bytes",
        kind="gauge",
        help="Size of that disk.",
        read=_known(lambda figures: figures.space.size),
        absent=_NOT_A_FILE,
    ),
    Metric(
        name="tasker_postgres_dead_rows",
        kind="gauge",
        help="Dead rows in the table task, as PostgreSQL estimates. Many of them make claims slow.",
        is_of_store=True,
        read=_known(lambda figures: figures.upkeep.dead_rows),
        absent=f"{_NOT_POSTGRES}, or {_SILENT}",
    ),
    Metric(
        name="tasker_postgres_oldest_transaction_seconds",
        kind="gauge",
        help="For how long the oldest transaction goes on: rows that died since cannot be removed. "
        "Those of other users are seen only by members of pg_read_all_stats.",
        is_of_store=True,
        read=_known(lambda figures: figures.upkeep.oldest_transaction),
        absent=f"there is no other transaction, {_NOT_POSTGRES}, or {_SILENT}",
    ),
    # The node
    Metric(
        name="tasker_nodes",
        kind="gauge",
        help="Nodes that share the database, one that died up to 30 s ago included.",
        is_of_store=True,
        read=_known(lambda figures: figures.nodes),
        absent=_SILENT,
    ),
    Metric(
        name="tasker_lease_remaining_seconds",
        kind="gauge",
        help="For how long this node may begin attempts unless its lease is renewed, which it is every 10 s. "
        "Below 0 it may begin none. +Inf with SQLite.",
        read=_one(lambda figures: figures.lease_left),
    ),
    Metric(
        name="tasker_clock_offset_seconds",
        kind="gauge",
        help="How far the clock of the database, which decides, is ahead of this machine's. 0 with SQLite.",
        read=_one(lambda figures: figures.clock_offset),
    ),
    Metric(
        name="tasker_clock_steps_total",
        kind="counter",
        help="How often somebody, or something, has set the clock of this machine while the server ran.",
        labels={"direction": DIRECTIONS},
        read=_by(lambda figures: figures.clock_steps),
    ),
    Metric(
        name="tasker_event_loop_lag_seconds",
        kind="histogram",
        help="How much later than asked for the event loop made a call, measured every second.",
        read=_one(lambda figures: figures.loop_lag),
    ),
)
"""All of tasker's own metrics."""

PROCESS: Final[Mapping[str, str]] = {
    "process_open_fds": "Descriptors that the process has open.",
    "process_max_fds": "How many it may have.",
    "process_resident_memory_bytes": "Memory that it uses.",
    "process_virtual_memory_bytes": "Memory that it has reserved.",
    "process_cpu_seconds_total": "Processor time that it has used.",
    "process_start_time_seconds": "When it started, in seconds since 1970.",
}
"""Those of every process, under the names that all programs use, with what they say."""


def seconds(bound: int) -> float:
    """Return a bound of a histogram, which is in microseconds, in seconds."""
    return bound / SECOND
