"""What holds tasks back, one gate for each destination."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from tasker.model.audit import Entry
from tasker.model.gate import Destination, GateRecord, Limits


class GateStore(Protocol):
    """Keeps gates. See ``Store`` for what holds for every method."""

    async def gates(self, *, after: int, limit: int) -> Sequence[GateRecord]:
        """Return up to *limit* gates with ids greater than *after*, by id.

        A gate is made with the first task that needs it.
        """

    async def troubled_gates(self, *, limit: int) -> Sequence[GateRecord]:
        """Return up to *limit* gates that are paused, or whose circuit is not closed, by id.

        Looks at every gate, but at no task of the others.
        """

    async def count_gates(self) -> Mapping[str, int]:
        """Return how many gates are in each of ``GATE_STATES``. Looks at every gate, but at no task."""

    async def gate(self, gate_id: int) -> GateRecord:
        """Return a gate.

        Raises:
            DestinationNotFoundError: there is none with this id.
        """

    async def pause(self, gate_id: int, *, entry: Entry | None = None) -> None:
        """Close a gate until it is resumed. What is running goes on. Twice is as good as once.

        Raises:
            DestinationNotFoundError: there is none with this id.
        """

    async def resume(self, gate_id: int, *, entry: Entry | None = None) -> None:
        """Open a gate that was paused. Twice is as good as once; one that is open stays open.

        Raises:
            DestinationNotFoundError: there is none with this id.
        """

    async def probe(self, gate_id: int, *, entry: Entry | None = None) -> None:
        """Let one attempt of a gate start now although its circuit is open: of the first task that it holds.

        Twice, before that has ended, is as good as once. If attempts of the gate are still running,
        their end is the probe.

        Raises:
            DestinationNotFoundError: there is none with this id.
            NothingToProbeError: the gate or everything is paused, its circuit is closed, or it holds no
                task.
                Nothing was written.
        """

    async def limit(self, gate_id: int, limits: Limits, *, entry: Entry | None = None) -> None:
        """Change the limits of a gate; what *limits* does not say stays as it is.

        Raises:
            DestinationNotFoundError: there is none with this id.
        """

    async def make_gate(self, destination: Destination) -> int:
        """Return the id of the gate of *destination*, which is made if it is missing."""
