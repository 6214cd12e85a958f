"""What is kept of attempts, as stores keep it: JSON text."""

from typing import Final

import msgspec

from tasker.model.attempt import AttemptRecord, Exchange

record_of: Final = msgspec.json.Decoder(AttemptRecord).decode
"""The record that is stored as a text."""


def record_text(record: AttemptRecord) -> str:
    """A record as it is stored."""
    return msgspec.json.encode(record).decode()


def answered(text: str | None, fence: int, exchange: Exchange | None) -> str | None:
    """Return the record *text* of an attempt with what passed in it.

    None: the end of that was not told before the answer, or what passed is known.

    Args:
        fence: of the claim of the attempt.
    """
    record = None if text is None else record_of(text)
    if record is None or record.told_by != fence or record.exchange is not None:
        return None
    return record_text(msgspec.structs.replace(record, exchange=exchange))
