"""What becomes of the rows that applications write into the inbox, and what callers can do with them."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

import msgspec
import structlog
from msgspec import UNSET, Raw
from msgspec.structs import replace

from tasker.building import Asked
from tasker.callers import Caller, Scope
from tasker.engine.engine import Engine
from tasker.engine.inbox import Looked
from tasker.errors import (
    BodyTooLargeError,
    InboxRowNotFoundError,
    InvalidQueryError,
    InvalidTaskError,
    TaskerError,
    UpgradeUnfinishedError,
    cut,
)
from tasker.ids import parse_id
from tasker.interfaces.store import Store
from tasker.model import instants
from tasker.model.audit import Action, Kind
from tasker.model.inbox import INBOX, LEFT_FOR, InboxRow
from tasker.model.new_task import Made, NewTask, OnConflict
from tasker.model.task import TaskId
from tasker.service.tasks import TaskService
from tasker.task_types.registry import Registry

_ALLOWED: Final = (OnConflict.REJECT, OnConflict.KEEP)

_CALLER: Final = Caller(frozenset({Scope.TASKS_WRITE}), id=INBOX.id, name=INBOX.name)

_log = structlog.get_logger()


class InboxService:
    """Takes rows, and lists and deletes them. For what all methods raise, see ``Service``."""

    def __init__(self, store: Store, engine: Engine, registry: Registry, tasks: TaskService) -> None:
        self._store = store
        self._engine = engine
        self._tasks = tasks
        self._types = frozenset(name for each in registry.types for name in (each.name, *each.spellings))

    async def take(self, after: TaskId | None, limit: int, *, decode: Callable[[bytes], Asked], largest: int) -> Looked:
        """Create the tasks of up to *limit* rows behind *after*, or refuse them. Others keep what they have.

        Args:
            decode: reads a request.
            largest: how many bytes a request may have.

        Raises:
            StoreUnavailableError, StoreBusyError: they were taken or not. Safe to repeat.
        """
        rows = await self._store.waiting_rows(after=after, limit=limit, largest=largest)
        if not rows:
            return Looked(0, None)
        verdicts: dict[TaskId, NewTask | TaskerError] = {}
        has_others: bool | None = None
        for row in rows:
            try:
                verdicts[row.id] = self._verdict(row, decode, largest)
            except _UnknownError as error:
                if has_others is None:
                    has_others = len(await self._store.nodes()) > 1
                if not has_others or self._store.clock.now() - row.inserted_at >= _LEFT_FOR:
                    verdicts[row.id] = error.refusal
            except UpgradeUnfinishedError:
                pass  # it waits for the end of that
        taken = [row for row in rows if row.id in verdicts]
        if taken:
            given = [verdicts[row.id] for row in taken]
            await self._came(taken, given, await self._store.take(taken, given))
        return Looked(len(rows), rows[-1].id)

    async def _came(
        self,
        rows: Sequence[InboxRow],
        verdicts: Sequence[NewTask | TaskerError],
        came: Sequence[Made | TaskerError | None],
    ) -> None:
        counts = self._engine.telemetry.from_inbox
        new: list[NewTask] = []
        made: list[Made] = []
        for row, verdict, each in zip(rows, verdicts, came, strict=True):
            if isinstance(each, Made):
                counts[each.outcome.value] += 1
                if isinstance(verdict, NewTask):
                    new.append(verdict)
                    made.append(each)
            elif each is not None:
                counts["refused"] += 1
                _log.warning("refused a row of the inbox; GET /inbox shows why", id=row.id)
        await self._tasks.made(new, made)

    def _verdict(self, row: InboxRow, decode: Callable[[bytes], Asked], largest: int) -> NewTask | TaskerError:
        """Return the task that a row asks for, or why there is none.

        Raises:
            _UnknownError: another node may know what this one does not.
            UpgradeUnfinishedError: not all nodes could read it.
        """
        if row.request is None:
            return BodyTooLargeError(largest)
        try:
            return self._built(row, row.request, decode)
        except (_UnknownError, UpgradeUnfinishedError):
            raise
        except InvalidTaskError as error:
            return error
        except Exception:  # noqa: BLE001 - a row must not be in the way of others, whatever it is
            _log.exception("could not read a row of the inbox", id=row.id)
            return InvalidTaskError("", "tasker failed to read it; see its log")

    def _built(self, row: InboxRow, request: bytes, decode: Callable[[bytes], Asked]) -> NewTask:
        name = type_named_in(request)
        try:
            asked = _checked(decode(request))
            asked = replace(asked, request=replace(asked.request, id=row.id), content=sha256(request).digest())
            return self._tasks.build(_CALLER, asked, now=row.inserted_at)
        except InvalidTaskError as error:
            if name is not None and (name not in self._types or error.field == f"{name}.time_zone"):
                raise _UnknownError(error) from None
            raise

    async def page(self, *, after: str | None, limit: int) -> tuple[Sequence[InboxRow], str | None]:
        """Return rows, refused ones and others, by their ids; and the cursor of the next page. None: this is the last.

        Raises:
            InvalidQueryError: *after* (as ``cursor``) did not come from such a page.
        """
        try:
            start = None if after is None else parse_id(after)
        except ValueError:
            raise InvalidQueryError(
                "cursor", f"expected the cursor of a page before, as its next gives it, got: {cut(after or '')!r}"
            ) from None
        rows = await self._store.inbox_rows(after=start, limit=limit)
        # A page may be shorter than asked for before the last one, since long requests fill it.
        has_more = rows and await self._store.inbox_rows(after=rows[-1].id, limit=1)
        return rows, rows[-1].id if has_more else None

    async def retry(self, caller: Caller, row_id: str) -> None:
        """Have a row that was refused be taken again, at once. One that was not stays as it is.

        Raises:
            InboxRowNotFoundError: none has this id, any more.
        """
        id_ = _parsed(row_id)
        await self._store.retry_inbox_row(id_, entry=caller.entry(Action.RETRY, Kind.INBOX, id_))
        self._engine.announce_inbox()

    async def delete(self, caller: Caller, row_id: str) -> None:
        """Delete a row: no task comes of it any more.

        Raises:
            InboxRowNotFoundError: none has this id, any more.
        """
        id_ = _parsed(row_id)
        await self._store.delete_inbox_row(id_, entry=caller.entry(Action.DELETE, Kind.INBOX, id_))


_LEFT_FOR: Final = instants.microseconds(LEFT_FOR)


class _UnknownError(Exception):
    """Another node may know what this one does not, such as a task type."""

    def __init__(self, refusal: InvalidTaskError) -> None:
        self.refusal = refusal
        super().__init__()


def _checked(asked: Asked) -> Asked:
    """Return what is *asked* for if the inbox takes it.

    Raises:
        InvalidTaskError: it does not.
    """
    name, request = asked.type.name, asked.request
    if request.id is not UNSET:
        raise InvalidTaskError(f"{name}.id", "expected none here: the task has the id of the row in tasker_inbox")
    if request.on_conflict is not UNSET and OnConflict(request.on_conflict) not in _ALLOWED:
        raise InvalidTaskError(
            f"{name}.on_conflict",
            f"expected one of {', '.join(each.value for each in _ALLOWED)} in the inbox, got: {request.on_conflict!r}",
        )
    return asked


def type_named_in(request: bytes) -> str | None:
    """Return the name of the task type that a request is for, known or not; None: it names no single one."""
    try:
        members = msgspec.json.decode(request, type=dict[str, Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return next(iter(members)) if len(members) == 1 else None


def _parsed(row_id: str) -> TaskId:
    try:
        return parse_id(row_id)
    except ValueError:
        raise InboxRowNotFoundError(cut(row_id)) from None
