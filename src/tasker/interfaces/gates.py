"""What holds tasks back, one gate for each destination."""

from collections.abc import Sequence
from typing import Protocol

from tasker.model.gate import GateRecord


class GateStore(Protocol):
    """Keeps gates. See ``Store`` for what holds for every method."""

    async def gates(self, *, after: int, limit: int) -> Sequence[GateRecord]:
        """Return up to *limit* gates with ids greater than *after*, by id.

        A gate is made with the first task that needs it.
        """

    async def gate(self, gate_id: int) -> GateRecord:
        """Return a gate.

        Raises:
            DestinationNotFoundError: there is none with this id.
        """

    async def pause(self, gate_id: int) -> None:
        """Close a gate until it is resumed. What is running goes on. Twice is as good as once.

        Raises:
            DestinationNotFoundError: there is none with this id.
        """

    async def resume(self, gate_id: int) -> None:
        """Open a gate that was paused. Twice is as good as once; one that is open stays open.

        Raises:
            DestinationNotFoundError: there is none with this id.
        """

    async def probe(self, gate_id: int) -> None:
        """Let one attempt of a gate start now although its circuit is open: of the first task that it holds.

        Twice, before that has ended, is as good as once. If attempts of the gate are still running,
        their end is the probe.

        Raises:
            DestinationNotFoundError: there is none with this id.
            NothingToProbeError: the gate is paused, its circuit is closed, or it holds no task.
                Nothing was written.
        """

    async def limit(self, gate_id: int, max_running: int | None) -> None:
        """Say how many tasks of a gate may run at once, at least 1; None: as many as the settings say.

        Raises:
            DestinationNotFoundError: there is none with this id.
        """
