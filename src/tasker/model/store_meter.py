"""What a store counts and measures of its own work, in plain numbers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from tasker.errors import StoreBusyError, StoreError, StoreFullError
from tasker.model.histogram import PHASE_BOUNDS, Histogram

GROUP_BOUNDS: Final[Sequence[int]] = (1, 2, 5, 10, 20, 50, 100, 200, 512)
"""The upper bounds of the sizes of groups; no group is larger than the last."""

STORE_ERRORS: Final = ("unavailable", "full", "busy")
"""What a store can fail with: it cannot be used, its medium is full, too many writes wait."""


class CommitMeter:
    """The group commits of one kind of write."""

    __slots__ = ("micros", "sizes")

    def __init__(self) -> None:
        self.sizes = Histogram(GROUP_BOUNDS)
        """How many writes were committed together."""
        self.micros = Histogram(PHASE_BOUNDS)
        """How long that took, in microseconds."""

    def committed(self, writes: int, seconds: float) -> None:
        """Count a group, whatever came of it."""
        self.sizes.observe(writes)
        self.micros.observe(int(seconds * 1_000_000))


class StoreMeter:
    """What a store counts since the process started. Read on any thread; each part is written on one."""

    def __init__(self, kinds: Sequence[str]) -> None:
        """Make it.

        Args:
            kinds: the kinds of write that are committed apart from each other.
        """
        self.commits: Mapping[str, CommitMeter] = {kind: CommitMeter() for kind in kinds}
        self.claims = Histogram(PHASE_BOUNDS)
        """How long a claim took, from when the node asked for it, in microseconds."""
        self.syncs = Histogram(PHASE_BOUNDS)
        """How long the disk took to confirm a commit, in microseconds. Stays empty where the store
        cannot tell."""
        self.errors: Counter[str] = Counter(dict.fromkeys(STORE_ERRORS, 0))
        """How often the store could not do what it was asked, by ``STORE_ERRORS``."""

    def claimed(self, seconds: float) -> None:
        """Count a claim."""
        self.claims.observe(int(seconds * 1_000_000))

    def synced(self, seconds: float) -> None:
        """Count a sync."""
        self.syncs.observe(int(seconds * 1_000_000))

    def failed(self, error: StoreError) -> None:
        """Count an error."""
        match error:
            case StoreBusyError():
                self.errors["busy"] += 1
            case StoreFullError():
                self.errors["full"] += 1
            case _:
                self.errors["unavailable"] += 1


class Space(Struct, frozen=True, kw_only=True):
    """What a store takes of its medium, in bytes. None: this node cannot see it."""

    database: int | None = None
    """The database itself."""
    wal: int | None = None
    """The write-ahead log beside it."""
    free: int | None = None
    """What is left on the medium."""
    size: int | None = None
    """Of the medium."""


class Upkeep(Struct, frozen=True, kw_only=True):
    """What shows whether a database keeps up with removing dead rows. None: there are none, or this node cannot see it.

    Dead rows at the head of the queue make claims slow, long before there are many tasks.
    """

    dead_rows: int | None = None
    """Rows of the table ``task`` that are dead and still there, as the database estimates."""
    oldest_transaction: float | None = None
    """For how many seconds the oldest transaction goes on: no row that died since can be removed."""
