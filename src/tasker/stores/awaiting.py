"""Attempts in other hands, as stores keep and read them."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from tasker.model.attempt import Attempt, Awaited
from tasker.model.task import Progress
from tasker.stores.ledger import record_of

progress_of: Final = msgspec.json.Decoder(Progress).decode
"""The progress that is stored as a text."""


def progress_text(progress: Progress) -> str:
    """A progress as it is stored."""
    return msgspec.json.encode(progress).decode()


def awaited_of(attempt: Attempt, columns: Sequence[Any]) -> Awaited:
    """Return what a row says of an *attempt* whose end is told from outside.

    Args:
        columns: what stands behind the attempt and its payload: when it began, its deadline, whether
            its task was cancelled, the progress, and what is kept of the attempt.
    """
    started_at, deadline, is_cancelled, progress, record_text = columns
    record = None if record_text is None or deadline is None else record_of(record_text)
    return Awaited(
        attempt=attempt if record is None else replace(attempt, node=record.node),
        started_at=started_at,
        deadline=deadline,
        is_cancelled=bool(is_cancelled),
        progress=None if progress is None else progress_of(progress),
        record=record,
    )
