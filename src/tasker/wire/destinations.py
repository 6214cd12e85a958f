"""What answers show of a destination, and what can be changed of it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from tasker.model import instants
from tasker.model.circuit import CircuitState
from tasker.model.gate import GateKind, GateStatus


class CircuitView(Struct, frozen=True, kw_only=True):
    """Whether a destination is left alone because it fails."""

    state: Annotated[
        Literal["closed", "open", "half_open"],
        Meta(description="closed: calls go out; open: none does; half_open: one at a time does, as a probe."),
    ]
    failures: Annotated[int, Meta(description="In a row, each the destination's own fault.")]
    open_until: (
        Annotated[str, Meta(description="When the next probe starts.", extra_json_schema={"format": "date-time"})]
        | None
    )


class DestinationView(Struct, frozen=True, kw_only=True):
    """Where tasks go: a scheme, host and port, or a task type other than webhook."""

    id: int
    name: Annotated[str, Meta(examples=["https://example.org:443", "hash"])]
    kind: Literal["host", "type"]
    paused: bool
    max_running: (
        Annotated[int, Meta(description="How many of its tasks may run at once. null: as many as the settings say.")]
        | None
    )
    running: int
    held: Annotated[int, Meta(description="Tasks that are due and wait for the gate; counting stops at 10,000.")]
    circuit: CircuitView


class DestinationChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change of a destination."""

    max_running: Annotated[
        Annotated[int, Meta(ge=1, le=10_000)] | None,
        Meta(
            description="How many of its tasks may run at once, on all nodes together. "
            "null: as many as the settings say."
        ),
    ]


def destination_view(status: GateStatus) -> DestinationView:
    """Return a gate as answers show it."""
    gate, circuit = status.record.gate, status.record.gate.circuit
    return DestinationView(
        id=gate.id,
        name=gate.name,
        kind="host" if gate.kind is GateKind.HOST else "type",
        paused=gate.paused,
        max_running=gate.max_running,
        running=status.record.running,
        held=status.record.held,
        circuit=CircuitView(
            state=status.circuit.value,
            failures=circuit.failures,
            open_until=instants.text(circuit.open_until) if status.circuit is CircuitState.OPEN else None,
        ),
    )
