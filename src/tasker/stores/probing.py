"""When a destination can be probed by hand: what the stores share of it."""

from msgspec.structs import replace

from tasker.errors import NothingToProbeError
from tasker.model.circuit import Circuit, CircuitState
from tasker.model.instants import Instant


def probed(gate: int, circuit: Circuit, now: Instant, *, is_paused: bool, is_all_paused: bool, holds: bool) -> Circuit:
    """Return the *circuit* of *gate* with its next probe due by *now*.

    Args:
        is_all_paused: whether everything is.
        holds: whether the gate holds tasks.

    Raises:
        NothingToProbeError: no task could start, or they start anyway.
    """
    if is_all_paused:
        raise NothingToProbeError(gate, "everything is paused; POST /resume lets tasks start")
    if is_paused:
        raise NothingToProbeError(gate, f"it is paused; POST /destinations/{gate}/resume lets its tasks start")
    if circuit.state(now) in (CircuitState.CLOSED, CircuitState.RECOVERING):
        raise NothingToProbeError(gate, "its circuit is closed, so its tasks start without a probe")
    if not holds:
        raise NothingToProbeError(gate, "none of its tasks is due; the next that is due is the probe")
    return replace(circuit, open_until=min(circuit.open_until, now))
