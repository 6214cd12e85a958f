"""What monitoring systems read: everything that this node has counted, and what its store says of all nodes."""

import asyncio
import platform
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol, TypeVar

from tasker import __version__
from tasker.egress.call_meter import CallMeter
from tasker.engine.engine import Engine
from tasker.engine.shared_look import SharedLook
from tasker.engine.telemetry import Telemetry
from tasker.errors import StoreError
from tasker.interfaces.store import Store
from tasker.model.histogram import PHASE_BOUNDS, Histogram
from tasker.model.inbox import InboxCount
from tasker.model.overdue import Overdue
from tasker.model.stats import SlotCount
from tasker.model.store_meter import Space, StoreMeter, Upkeep
from tasker.task_types.registry import Registry
from tasker.timing.clock_steps import DIRECTIONS

T = TypeVar("T")

GATES_APART: Final = timedelta(seconds=5)
"""Between two looks at all gates and nodes, at least: there may be many."""

LONGEST_LOOK: Final = 2.0
"""Seconds that the store has to answer. What it does not say in time is left out."""


class Calls(Protocol):
    """What makes the calls to targets."""

    @property
    def meter(self) -> CallMeter:
        """What it has counted."""

    @property
    def under_way(self) -> int:
        """How many calls are being made."""

    @property
    def kept_open(self) -> int:
        """How many connections wait for another call."""


class NoCalls:
    """Makes no calls."""

    under_way = kept_open = 0

    def __init__(self) -> None:
        self.meter = CallMeter()


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What is counted neither by the engine nor by the store. By default: of a server without calls and callers."""

    calls: Calls = field(default_factory=NoCalls)
    """Makes the calls to targets."""
    loop_lag: Histogram = field(default_factory=lambda: Histogram(PHASE_BOUNDS))
    """How late the event loop was."""
    clock_steps: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(DIRECTIONS, 0))
    """How often the clock of the machine was set, by the direction."""
    callers: Callable[[], int] = lambda: 0
    """Returns how many connections of callers there are."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """All that there is to read at one moment. Of what is counted, the counters themselves."""

    version: str
    python: str
    is_ready: bool
    telemetry: Telemetry
    refused: Mapping[str, int]
    """Requests that were refused, by the code of the error."""
    slots: Mapping[str, SlotCount]
    """By task type."""
    calls: CallMeter
    calls_under_way: int
    connections_kept: int
    """Connections to targets on which nothing is under way."""
    callers: int
    """Connections of callers."""
    loop_lag: Histogram
    clock_steps: Mapping[str, int]
    clock_offset: float
    lease_left: float
    """Seconds for which attempts may begin unless the lease is renewed; infinite without other nodes."""
    meter: StoreMeter
    is_store_well: bool
    space: Space
    overdue: Overdue | None
    """None: the store did not say."""
    gates: Mapping[str, int] | None
    nodes: int | None
    upkeep: Upkeep
    inbox: InboxCount | None
    """None: there is no inbox, or the store did not say."""


class MetricsService:
    """Reads the counters. Counting costs the same whether anybody reads them or not."""

    def __init__(self, store: Store, engine: Engine, registry: Registry, sources: Sources) -> None:
        self.refused: Counter[str] = Counter()
        """Requests that were refused, by the code of the error. The doors count them."""
        self._store = store
        self._engine = engine
        self._types = registry.types
        self._sources = sources
        monotonic = store.clock.monotonic
        self._gates = SharedLook(store.count_gates, monotonic, apart=GATES_APART)
        self._upkeep = SharedLook(store.upkeep, monotonic, apart=GATES_APART)
        self._nodes = SharedLook(store.nodes, monotonic, apart=GATES_APART)
        self._inbox = SharedLook(store.count_inbox, monotonic, apart=GATES_APART)

    def count_refused(self, code: str) -> None:
        """Count a request that was refused."""
        self.refused[code] += 1

    async def read(self) -> Figures:
        """Return what there is to read. Never fails: what the store does not say within seconds is left out."""
        overdue, gates, nodes, upkeep, inbox = await asyncio.gather(
            self.overdue(),
            _within(self._gates.look),
            _within(self._nodes.look),
            _within(self._upkeep.look),
            self.inbox(),
        )
        running = self._engine.slots.running
        return Figures(
            version=__version__,
            python=platform.python_version(),
            is_ready=self._engine.unready() is None,
            telemetry=self._engine.telemetry,
            refused=self.refused,
            slots={each.name: SlotCount(total=each.slots, running=running(each.pool)) for each in self._types},
            calls=self._sources.calls.meter,
            calls_under_way=self._sources.calls.under_way,
            connections_kept=self._sources.calls.kept_open,
            callers=self._sources.callers(),
            loop_lag=self._sources.loop_lag,
            clock_steps=self._sources.clock_steps,
            clock_offset=self._store.clock_offset,
            lease_left=self._engine.lease.seconds_left,
            meter=self._store.meter,
            is_store_well=self._store.ailment is None,
            space=self._store.space(),
            overdue=overdue,
            gates=gates,
            nodes=None if nodes is None else len(nodes),
            upkeep=upkeep or Upkeep(),
            inbox=inbox,
        )

    async def overdue(self) -> Overdue | None:
        """Return what is overdue, by reason; None: the store did not say within seconds."""
        return await _within(self._engine.overdue.look)

    async def inbox(self) -> InboxCount | None:
        """Return what stands in the inbox; None: there is no inbox, or the store did not say within seconds."""
        return await _within(self._inbox.look) if self._store.has_inbox else None


async def _within(look: Callable[[], Awaitable[T]]) -> T | None:
    try:
        async with asyncio.timeout(LONGEST_LOOK):
            return await look()
    except (StoreError, TimeoutError):
        return None
