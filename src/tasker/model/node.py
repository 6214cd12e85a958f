"""A node, as the store knows it."""

from msgspec import Struct

from tasker.model.instants import Instant


class NodeRecord(Struct, frozen=True, kw_only=True):
    """A node that shares the store, or did so lately."""

    id: str
    """A UUID, new at every start."""
    address: str
    """The URL that it listens at."""
    version: str
    started_at: Instant
    lease_until: Instant | None
    """When it ends unless it is renewed; past: the node is gone, or cannot reach the store. None:
    it holds the store alone."""
    running: int
    """Tasks that are ``in_progress`` on it."""
