"""How pages say things: states, and why tasks wait. Counts and sizes are said as everywhere. Pure."""

from collections.abc import Mapping
from typing import Final

from tasker.model.number_words import bytes_of, count, many

__all__ = ("REASONS", "STATES", "bytes_of", "count", "many")

STATES: Final[Mapping[str, str]] = {
    "todo": "waiting",
    "in_progress": "running",
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
}
"""The states in the order of a task's life, and what pages call them."""

REASONS: Final[Mapping[str, str]] = {
    "waiting": "not due yet",
    "retrying": "waits for its next attempt",
    "due": "due now",
    "no_slot": "no free slot on this server",
    "paused": "its destination is paused",
    "paused_all": "everything is paused",
    "circuit_open": "its destination fails, its circuit is open",
    "full": "its destination runs as many as it may",
    "rate": "its destination starts as many a second as it may",
    "unclaimed": "no worker has claimed it",
    "overlap": "another run of its schedule is going on",
    "inbox": "no server has taken it from the inbox yet",
    "running": "it runs",
    "completion": "accepted, waits for its completion",
    "done": "it is done",
    "failed": "it has failed",
    "cancelled": "it was cancelled",
}
"""Why a task stands where it does, in a few words."""
