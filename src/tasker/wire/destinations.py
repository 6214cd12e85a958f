"""What answers show of a destination, and what can be changed of it."""

from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from tasker.model import instants
from tasker.model.circuit import CircuitState
from tasker.model.gate import GateKind, GateStatus, Limits
from tasker.wire.fields import Group, Queue


class CircuitView(Struct, frozen=True, kw_only=True):
    """Whether a destination is left alone because it fails."""

    state: Annotated[
        Literal["closed", "open", "half_open", "recovering"],
        Meta(
            description="closed: calls go out; open: none does; half_open: one at a time does, as a probe; recovering: "
            "for 10 s after it has closed a few do, twice as many with each second."
        ),
    ]
    failures: Annotated[int, Meta(description="In a row, each the destination's own fault.")]
    open_until: (
        Annotated[str, Meta(description="When the next probe starts.", extra_json_schema={"format": "date-time"})]
        | None
    )


class DestinationView(Struct, frozen=True, kw_only=True):
    """Where tasks go: a scheme, host and port, a task type other than webhook, a group, or a queue."""

    id: int
    name: Annotated[str, Meta(examples=["https://example.org:443", "hash"])]
    kind: Literal["host", "type", "group", "queue"]
    paused: bool
    max_running: (
        Annotated[int, Meta(description="How many of its tasks may run at once. null: as many as the settings say.")]
        | None
    )
    max_per_second: (
        Annotated[float, Meta(description="How many of its tasks may start in a second. null: as often as they come.")]
        | None
    )
    burst: Annotated[int, Meta(description="How many of them may start at one moment after a rest.")]
    running: int
    held: Annotated[int, Meta(description="Tasks that are due and wait for the gate; counting stops at 10,000.")]
    circuit: CircuitView


MaxRunning = Annotated[
    Annotated[int, Meta(ge=1, le=10_000)] | None,
    Meta(
        description="How many of its tasks may run at once, on all nodes together. null: as many as the settings say."
    ),
]
MaxPerSecond = Annotated[
    Annotated[float, Meta(ge=0.00001, le=10_000)] | None,
    Meta(
        description="How many of its tasks may start in a second, evenly spaced, on all nodes together; fractions too. "
        "null: as often as they come."
    ),
]
Burst = Annotated[
    int, Meta(ge=1, le=10_000, description="How many of them may start at one moment after a rest: 1 if not given.")
]


class DestinationChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change of a destination: what is not given stays as it is."""

    max_running: MaxRunning | UnsetType = UNSET
    max_per_second: MaxPerSecond | UnsetType = UNSET
    burst: Burst | UnsetType = UNSET


class NewDestination(DestinationChange, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A destination that is made, or found: that of a URL, a group or a queue. Its limits are set as well."""

    url: (
        Annotated[str, Meta(min_length=1, description="Of its host.", examples=["https://example.org/hook"])]
        | UnsetType
    ) = UNSET
    group: Group | UnsetType = UNSET
    queue: Queue | UnsetType = UNSET


def limits_of(change: DestinationChange) -> Limits:
    """Return the limits that a request changes."""
    return Limits(max_running=change.max_running, max_per_second=change.max_per_second, burst=change.burst)


_KINDS: Final[dict[GateKind, Literal["host", "type", "group", "queue"]]] = {
    GateKind.HOST: "host",
    GateKind.TYPE: "type",
    GateKind.GROUP: "group",
    GateKind.QUEUE: "queue",
}


def destination_view(status: GateStatus) -> DestinationView:
    """Return a gate as answers show it."""
    gate, circuit = status.record.gate, status.record.gate.circuit
    return DestinationView(
        id=gate.id,
        name=gate.name,
        kind=_KINDS[gate.kind],
        paused=gate.paused,
        max_running=gate.max_running,
        max_per_second=gate.max_per_second,
        burst=gate.burst,
        running=status.record.running,
        held=status.record.held,
        circuit=CircuitView(
            state=status.circuit.value,
            failures=circuit.failures,
            open_until=instants.text(circuit.open_until) if status.circuit is CircuitState.OPEN else None,
        ),
    )
