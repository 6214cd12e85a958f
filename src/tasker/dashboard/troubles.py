"""What is wrong now, in words, and what mends it. Pure: the service has found it."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tasker.callers import Scope
from tasker.dashboard import words
from tasker.model.circuit import CircuitState
from tasker.model.gate import HELD_COUNTED_TO, Gate, GateKind, GateStatus
from tasker.model.inbox import INBOX_COUNTED_TO, InboxCount
from tasker.model.instants import Instant
from tasker.model.overdue import OVERDUE_COUNTED_TO, Overdue


class Mend(Struct, frozen=True):
    """A button."""

    words: str
    path: str
    """Where its form goes, or its link leads."""
    scope: Scope
    is_link: bool = False
    fields: Mapping[str, str] = {}
    """What its form says."""


class Trouble(Struct, frozen=True):
    """Something that is wrong."""

    id: str
    text: str
    since: Instant | None
    mends: Sequence[Mend]
    after: str = ""
    """What is said behind the moment since when it is so."""


def of_destinations(found: Sequence[GateStatus]) -> list[Trouble]:
    """Return what is wrong with destinations that are paused or fail."""
    return [_of_destination(status) for status in found]


def _of_destination(status: GateStatus) -> Trouble:
    gate, held = status.record.gate, status.record.held
    wait = f"{words.many(held, 'task', is_exact=held < HELD_COUNTED_TO)} {'waits' if held == 1 else 'wait'}"
    path = f"/destinations/{gate.id}"
    mends = [Mend("Look", path, Scope.TASKS_READ, is_link=True)]
    if held:
        mends.append(_give_up(gate))
    if gate.paused:
        mends.insert(0, Mend("Resume", f"{path}/resume", Scope.OPERATE))
        return Trouble(f"g-{gate.id}", f"{gate.name} is paused; {wait}.", None, mends)
    mends.insert(0, Mend("Pause", f"{path}/pause", Scope.OPERATE))
    if status.circuit is CircuitState.OPEN and held:
        mends.insert(0, Mend("Probe now", f"{path}/probe", Scope.OPERATE))
    failures = words.many(gate.circuit.failures, "time")
    trying = " It is being tried." if status.circuit is CircuitState.HALF_OPEN else ""
    since, id_ = gate.circuit.broken_since, f"g-{gate.id}"
    if since is None:
        return Trouble(id_, f"{gate.name} has failed {failures} in a row; {wait}.{trying}", None, mends)
    after = f", {failures} in a row; {wait}.{trying}"
    return Trouble(id_, f"{gate.name} has been failing since", since, mends, after)


def _give_up(gate: Gate) -> Mend:
    """Return the button that shows what it would be to cancel all that wait there."""
    name, value = ("group", gate.name) if gate.kind is GateKind.GROUP else ("destination", str(gate.id))
    fields = {name: value, "which": "all", "state": "todo", "action": "cancel"}
    return Mend("Give up all that wait…", "/operations/look", Scope.OPERATE, fields=fields)


def of_overdue(overdue: Overdue | None) -> list[Trouble]:
    """Return what is wrong with tasks that are due and that nothing but this server holds back."""
    if overdue is None:
        return [Trouble("overdue", "The database does not say in time what is overdue.", None, [])]
    found = []
    for reason, text in (
        ("no_slot", "wait for a free slot: the servers do as much at once as they may"),
        ("unclaimed", "wait for a worker to claim them"),
    ):
        tasks = overdue.by_reason.get(reason)
        if tasks is not None and tasks.count:
            number = words.many(tasks.count, "task", is_exact=tasks.count < OVERDUE_COUNTED_TO)
            look = Mend("Look", f"/tasks?reason={reason}", Scope.TASKS_READ, is_link=True)
            said = f"{number} {text}. The oldest has been due since"
            found.append(Trouble(reason, said, tasks.oldest, [look], "."))
    return found


def of_inbox(inbox: InboxCount | None) -> list[Trouble]:
    """Return what is wrong with the inbox: what was refused there, nobody else is told."""
    if inbox is None or not inbox.refused:
        return []
    number = words.many(inbox.refused, "row", is_exact=inbox.refused < INBOX_COUNTED_TO)
    was = "was" if inbox.refused == 1 else "were"
    said = f"{number} of the PostgreSQL inbox {was} refused, and no task came of it. GET /inbox says why."
    return [Trouble("inbox", said, None, [])]


def of_nodes(unready: str | None) -> list[Trouble]:
    """Return what is wrong with this server."""
    return [] if unready is None else [Trouble("unready", f"This server is not well: {unready}.", None, [])]
