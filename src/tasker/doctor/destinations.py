"""Which destinations, groups and queues let their tasks wait."""

import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from tasker.doctor.case import Case
from tasker.model.circuit import CircuitState
from tasker.model.diagnosis import Finding, Level, Problem, fine, unknown
from tasker.model.gate import HELD_COUNTED_TO, GateKind, GateStatus
from tasker.model.number_words import many
from tasker.model.time_words import length_in_words

CHECK: Final = "destinations"

SHOWN: Final = 5
"""Those in trouble that are told, the ones that hold most first."""

PAUSED: Final = Problem(CHECK, "paused", Level.WARNING, "its tasks wait until it is resumed")
FAILING: Final = Problem(
    CHECK,
    "failing",
    Level.WARNING,
    "its tasks wait, and fail with circuit_open if that lasts longer than --circuit-patience",
)
MORE: Final = Problem(CHECK, "more_in_trouble", Level.WARNING, "their tasks wait")

PROBLEMS: Final = (PAUSED, FAILING, MORE)

_KINDS: Final = {
    GateKind.HOST: "",
    GateKind.TYPE: "the type ",
    GateKind.GROUP: "the group ",
    GateKind.QUEUE: "the queue ",
}


def look(case: Case) -> Sequence[Finding]:
    """Return what is wrong with the gates of the database."""
    contents = case.database.contents
    if contents is None:
        if case.database.is_new:
            return [fine(CHECK, "there are none yet")]
        return [unknown(CHECK, "they could not be read: see database")]
    return [*judge(contents.gates, contents.at)] or [fine(CHECK, "none is paused, and none fails")]


def judge(gates: Sequence[GateStatus], now: int) -> Iterator[Finding]:
    """Return what is wrong with those that are in trouble."""
    worst = sorted(gates, key=lambda status: -status.record.held)
    for status in worst[:SHOWN]:
        gate, held = status.record.gate, status.record.held
        name = f"{_KINDS[gate.kind]}{gate.name}"
        waiting = f"{many(held, 'task', is_exact=held < HELD_COUNTED_TO)} {'waits' if held == 1 else 'wait'} there"
        if gate.paused:
            yield PAUSED.found(
                f"{name} is paused, and {waiting}", mend=f"tasker destinations resume {shlex.quote(gate.name)}"
            )
        elif status.circuit in (CircuitState.OPEN, CircuitState.HALF_OPEN):
            since = gate.circuit.broken_since
            how_long = "" if since is None else f" for {length_in_words(max(now - since, 0) // 1_000_000)}"
            yield FAILING.found(
                f"{name} has been failing{how_long}, {many(gate.circuit.failures, 'time')} in a row, and {waiting}",
                mend=f"mend it there; to try it at once: tasker destinations probe {shlex.quote(gate.name)}",
            )
    if len(worst) > SHOWN:
        yield MORE.found(f"{len(worst) - SHOWN} more are paused or fail", mend="tasker destinations ls")
