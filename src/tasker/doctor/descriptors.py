"""Are there enough file descriptors: for the connections to targets, and for those of callers?"""

import resource
from collections.abc import Iterator, Sequence
from typing import Final

from tasker.doctor.case import Case
from tasker.egress.shortage import connections_that_fit
from tasker.model.diagnosis import Finding, Level, Problem, fine
from tasker.model.number_words import count

CHECK: Final = "descriptors"

TOO_FEW: Final = Problem(CHECK, "too_few_descriptors", Level.WARNING, "fewer webhooks are sent at once than wanted")
NEARLY_USED: Final = Problem(
    CHECK, "descriptors_nearly_used", Level.WARNING, "callers are turned away, and webhooks wait"
)

PROBLEMS: Final = (TOO_FEW, NEARLY_USED)

_LEAST: Final = 4_096


def look(case: Case) -> Sequence[Finding]:
    """Return whether there are enough: those of the server, if it says so, else those that it would get from here."""
    figures, open_ = case.answers.figures, None
    limit: float | None = None
    if figures is not None:
        limit, open_ = figures.one("process_max_fds"), figures.one("process_open_fds")
    whose = "the server"
    if limit is None:
        own, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        limit = float("inf") if own == resource.RLIM_INFINITY else own
        whose = "a server that is started from here"
    found = [*judge(limit, open_, case.settings.max_deliveries, whose)]
    if found:
        return found
    used = "" if open_ is None else f", and has {count(int(open_))} open"
    return [fine(CHECK, f"{whose} may have {_many(limit)}{used}")]


def judge(limit: float, open_: float | None, max_deliveries: int, whose: str) -> Iterator[Finding]:
    """Return what is wrong.

    Args:
        limit: descriptors that the process may have; may be infinite.
        open_: those that it has; None: that is not known.
        max_deliveries: see ``Settings``.
        whose: whose they are, for people.
    """
    fitting = max_deliveries if limit == float("inf") else connections_that_fit(int(limit))
    wanted = max(2 * max_deliveries, _LEAST)
    mend = f"ulimit -n {wanted} in the shell that starts it, or LimitNOFILE={wanted} in its unit"
    if fitting < max_deliveries:
        yield TOO_FEW.found(
            f"{whose} may have {_many(limit)}: enough for {count(fitting)} connections to targets, "
            f"where --max-deliveries is {count(max_deliveries)}",
            mend=mend,
        )
    if open_ is not None and open_ > 0.9 * limit:
        yield NEARLY_USED.found(f"{whose} has {count(int(open_))} open, and may have {_many(limit)}", mend=mend)


def _many(limit: float) -> str:
    return "any number" if limit == float("inf") else count(int(limit))
