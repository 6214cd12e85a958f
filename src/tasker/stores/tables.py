"""What a database holds, for whoever takes it into another: each table and each of its columns, once.

The values of a row are those of SQLite: ids are 16 bytes, moments and lengths of time are microseconds, a
switch is 0 or 1. A test compares this with the tables of both stores: a new table or column is copied, or
stands in ``LEFT_OUT`` with the reason.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Final, NamedTuple


class Form(Enum):
    """How SQLite keeps a value that it does not keep as it is."""

    PLAIN = auto()
    """It does."""
    TASK = auto()
    """The id of a task: there, its ``seq``."""
    UUID = auto()
    """A UUID: there, its text."""
    POSITION = auto()
    """Where an operation has come to: a moment and the id of a task, there its ``seq``. The task may be deleted:
    the one before it that is left says the same."""


class Column(NamedTuple):
    """A column of a table."""

    name: str
    form: Form = Form.PLAIN
    sqlite: str = ""
    """What SQLite calls it; empty: the same."""


class Table(NamedTuple):
    """A table of both stores."""

    name: str
    columns: Sequence[Column]
    key: Sequence[str]
    """Columns that tell its rows apart. They are read in this order, along an index where there are many."""
    sqlite_key: Sequence[str] = ()
    """The same on SQLite, if it is another: columns there."""
    is_single: bool = False
    """Whether a new database has its one row."""
    is_long: bool = False
    """Whether its rows may be so long that few of them fill the memory."""
    is_numbered: bool = False
    """Whether the database makes up its ``id``: the next one is greater than all that are there."""
    only: str = ""
    """The one store that has it; empty: all have."""
    filled: Mapping[str, object] = {}
    """What PostgreSQL has in columns of its own that have no default."""


def _columns(names: str) -> tuple[Column, ...]:
    return tuple(map(Column, names.split()))


TABLES: Final = (
    Table("type_pool", _columns("type pool"), ("type", "pool")),
    Table(
        "gate",
        _columns(
            "id kind name paused max_running failures open_until max_per_second burst next_at "
            "broken_since closed_at let_in"
        ),
        ("id",),
        is_numbered=True,
    ),
    Table("gate_queue", _columns("gate pool wake_at"), ("gate", "pool")),
    Table(
        "task",
        _columns(
            "id type state pool due_at execution_at execution_time attempts crashes fence node started_at ended_at "
            "last_fault gate held_by expires_at parent_id retried_after created_at revision payload_revision content "
            "key holds_key keep host_gate patience waited is_cancelled late_down late_held created_by local_time "
            "time_zone zones deadline counts_in progress lease schedule scheduled_for run_kind admission missed"
        ),
        ("id",),
        sqlite_key=("seq",),
    ),
    Table("payload", (Column("id", Form.TASK, "seq"), *_columns("payload result revision")), ("id",), is_long=True),
    Table("attempt", (Column("task", Form.TASK), *_columns("number record")), ("task", "number"), is_long=True),
    Table("tag", (Column("task", Form.TASK), Column("tag")), ("task", "tag")),
    Table(
        "schedule",
        _columns("name revision type plan is_paused created_at changed_at put_by next_at look_at"),
        ("name",),
    ),
    Table("run_count", _columns("schedule started skipped missed_times"), ("schedule",)),
    Table("template", _columns("schedule template"), ("schedule",), is_long=True),
    Table(
        "operation",
        (
            *_columns("id action state is_dry_run asked created_at ended_at matched changed refused reasons refusals"),
            Column("cursor", Form.POSITION),
        ),
        ("id",),
    ),
    Table("operation_task", (Column("task"), Column("operation", Form.UUID), Column("at")), ("task", "operation")),
    Table("audit", _columns("id at by_id by_name action kind subject name changes"), ("id",), is_numbered=True),
    Table("api_key", _columns("id name role scopes digest created_at expires_at used_at"), ("id",)),
    Table("kept_answer", _columns("id fingerprint answer kept_until"), ("id",), is_long=True),
    Table(
        "alert_book",
        _columns("id revision told"),
        ("id",),
        filled={"node": bytes(16), "lead_until": 0},  # any node may send next
    ),
    Table("pause", _columns("begin_at end_at"), ("begin_at",)),
    Table("down", _columns("begin_at end_at"), ("begin_at",)),
    Table("history", _columns("length at run counts failures"), ("length", "at", "run")),
    Table("access", _columns("one version asks salt"), ("one",), is_single=True),
    Table("zone_version", _columns("one version"), ("one",), is_single=True),
    Table("completion_key", _columns("one key"), ("one",), is_single=True),
    Table("tasker_inbox", _columns("id request error inserted_at"), ("id",), is_long=True, only="postgres"),
)
"""In the order in which they are copied: what others refer to comes first; the inbox, which others write to, last."""

_SIGN_INS: Final = "browsers sign in again"
_MARK: Final = "of the database itself, not of what is in it"
_TURNS: Final = "what nodes have agreed on while they were running: begins anew"

LEFT_OUT: Final[Mapping[str, Mapping[str, str]]] = {
    "sqlite": {
        "sign_in": _SIGN_INS,
        "mark": _MARK,
        "probe": "finds out whether the medium works",
        "staged": "payloads without a task",
        "look": "the latest look of any node: CopyEnd.looked_at",
        "task.seq": "the order of arrival, which is that of the ids on PostgreSQL; made anew",
    },
    "postgres": {
        "sign_in": _SIGN_INS,
        "mark": _MARK,
        "tasker_schema": _MARK,
        "node": "none is running; what matters of those that were: CopyEnd.running, CopyEnd.looked_at",
        "queue_waiter": _TURNS,
        "gate_queue.version": _TURNS,
        "gate_queue.additions": _TURNS,
        "gate_queue.room_since": _TURNS,
        "run_count.turn": _TURNS,
        "operation.node": _TURNS,
        "alert_book.node": _TURNS,
        "alert_book.lead_until": _TURNS,
    },
}
"""What is not copied, by the store that has it: tables, and columns of others, each with the reason."""
