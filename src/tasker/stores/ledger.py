"""What is kept of attempts, as stores keep it: JSON text."""

from typing import Final

import msgspec

from tasker.model.attempt import AttemptRecord

record_of: Final = msgspec.json.Decoder(AttemptRecord).decode
"""The record that is stored as a text."""


def record_text(record: AttemptRecord) -> str:
    """A record as it is stored."""
    return msgspec.json.encode(record).decode()
