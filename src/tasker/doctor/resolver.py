"""Are host names found?"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from tasker import urls
from tasker.doctor.case import Case
from tasker.doctor.lookups import LONGEST_SECONDS, Lookup, look_up_all
from tasker.egress.address_policy import is_host_name
from tasker.egress.egress_proxy import read_proxy
from tasker.model.diagnosis import Finding, Level, Problem, fine
from tasker.model.gate import GateKind
from tasker.model.time_words import length_in_words

CHECK: Final = "resolver"

SLOW_SECONDS: Final = 1.0

_ASKED: Final = 5
"""Hosts of destinations in trouble that are looked up, at most."""

NOT_FOUND: Final = Problem(
    CHECK, "name_not_found", Level.WARNING, "attempts there fail with dns_failed, and are tried again"
)
NO_ANSWER: Final = Problem(
    CHECK, "no_name_server_answers", Level.FAULT, "attempts fail with dns_failed, and are tried again"
)
SLOW: Final = Problem(CHECK, "slow_name_server", Level.WARNING, "each new connection takes that much longer")

PROBLEMS: Final = (NOT_FOUND, NO_ANSWER, SLOW)

_MEND: Final = "look at /etc/resolv.conf, and ask it: getent hosts {}"


def look(case: Case) -> Sequence[Finding]:
    """Look up the names that this server has to do with, and ``localhost``."""
    names = [*dict.fromkeys(["localhost", *_names(case)])]
    found = look_up_all(names)
    return [*judge(found)] or [fine(CHECK, f"it finds {', '.join(names)}")]


def _names(case: Case) -> Iterator[str]:
    """Return the hosts that are of interest: that of a proxy looks up all others."""
    if case.settings.egress_proxy is not None:
        hosts = [read_proxy(case.settings.egress_proxy).host]
    else:
        contents = case.database.contents
        gates = [] if contents is None else [each.record.gate for each in contents.gates]
        troubled = (gate.name for gate in gates if gate.kind is GateKind.HOST)
        hosts = [host for url in islice(troubled, _ASKED) if (host := host_of(url))]
        if case.target is not None and (host := host_of(case.target)):
            hosts.insert(0, host)
    yield from filter(is_host_name, hosts)


def host_of(url: str) -> str:
    """Return the host of a URL; nothing, if it is none."""
    try:
        return urls.parts(urls.checked(url)).host
    except ValueError:
        return ""


def judge(found: Mapping[str, Lookup]) -> Iterator[Finding]:
    """Return what is wrong with lookups."""
    silent = [name for name, each in found.items() if each.seconds is None]
    if silent:
        yield NO_ANSWER.found(
            f"no name server has answered within {LONGEST_SECONDS:g} s for {', '.join(silent)}",
            mend=_MEND.format(silent[0]),
        )
    for name, each in found.items():
        if each.has_failed:
            yield NOT_FOUND.found(f"{name} cannot be looked up", mend=_MEND.format(name))
        elif each.seconds is not None and each.seconds > SLOW_SECONDS:
            yield SLOW.found(f"it took {length_in_words(each.seconds)} to look up {name}", mend=_MEND.format(name))
