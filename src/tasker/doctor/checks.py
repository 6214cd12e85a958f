"""All checks, in the order in which they are told, and all that they may find."""

from collections.abc import Callable, Sequence
from typing import Final

from tasker.doctor import (
    clock,
    descriptors,
    destinations,
    egress,
    keys,
    listening,
    overdue,
    resolver,
    secrets,
    server,
    settings,
    versions,
)
from tasker.doctor.case import Case
from tasker.model.diagnosis import Finding, Problem
from tasker.stores.kind import kinds

_BEFORE: Final = (versions, settings, server)
_BEHIND: Final = (clock, descriptors, resolver, egress, overdue, destinations, secrets, keys, listening)


def examine(case: Case) -> Sequence[Finding]:
    """Return what all checks say: those of the database come between those of the server and the others."""
    looks: Sequence[Callable[[Case], Sequence[Finding]]] = [
        *(each.look for each in _BEFORE),
        lambda case: case.database.findings,
        *(each.look for each in _BEHIND),
    ]
    return [finding for look in looks for finding in look(case)]


def problems() -> Sequence[Problem]:
    """Return all that may be found wrong, each once, in the same order."""
    of_stores = [problem for kind in kinds() for problem in kind.problems()]
    found = [
        *(problem for each in _BEFORE for problem in each.PROBLEMS),
        *of_stores,
        *(problem for each in _BEHIND for problem in each.PROBLEMS),
    ]
    return [*dict.fromkeys(found)]
