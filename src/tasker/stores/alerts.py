"""Alerts, as far as all stores keep them alike: what was told is JSON text."""

from collections.abc import Mapping

import msgspec

from tasker.model.alerts import Cause, Told, Trouble, shown
from tasker.model.instants import Instant

_decode = msgspec.json.Decoder(dict[str, Told]).decode


def told_text(told: Mapping[Cause, Told]) -> str:
    """What was told, as it is stored."""
    return msgspec.json.encode({cause.value: of_cause for cause, of_cause in told.items()}).decode()


def told_of(text: str) -> Mapping[Cause, Told]:
    """What was told, of the *text* that is stored."""
    return {Cause(word): of_cause for word, of_cause in _decode(text).items()}


def failing_circuit(gate_id: int, name: str, broken_since: Instant) -> Trouble:
    """The trouble with the destination of a gate whose circuit does not close."""
    return Trouble(
        id=str(gate_id),
        name=name,
        since=broken_since,
        facts={"destination": gate_id},
        note=f"failing since {shown(broken_since)}",
    )
