"""Which addresses webhooks may call: would a URL be called, and by which rule?"""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from tasker import node, urls
from tasker.doctor.case import Case
from tasker.doctor.lookups import look_up_all
from tasker.egress.address_policy import EgressPolicy, Verdict, is_host_name
from tasker.egress.connector import as_address, looked_up_name
from tasker.egress.egress_proxy import read_proxy
from tasker.model.diagnosis import Finding, Level, Problem, fine, unknown

CHECK: Final = "egress"

REFUSED: Final = Problem(
    CHECK, "egress_refused", Level.FAULT, "webhooks to it fail with egress_denied, and are not tried again"
)
NO_TARGET: Final = Problem(CHECK, "no_target", Level.FAULT, "a task with this URL is refused with 400")
ALMOST_ANY: Final = Problem(
    CHECK, "egress_any", Level.WARNING, "whoever may create tasks can reach almost every address that this machine can"
)

PROBLEMS: Final = (REFUSED, NO_TARGET, ALMOST_ANY)

_LEVELS: Final = {
    "public": "public addresses only",
    "lan": "public addresses, this machine and the local network",
    "any": "almost any address",
}


class Judged(Struct, frozen=True, kw_only=True):
    """What the rules say of a place."""

    place: str
    """Scheme, host and port."""
    name_refusal: str | None = None
    """Why its host name may not be called, wherever it leads; None: that decides."""
    verdicts: Sequence[tuple[str, Verdict]] = ()
    """Each address that it has, and what the rules say of it."""
    proxy: str | None = None
    """The proxy that looks its name up and checks it; None: none does."""


def look(case: Case) -> Sequence[Finding]:
    """Return whether the target would be called; without one, which addresses would."""
    settings = case.settings
    found = [] if case.target is None else [*_of_target(case, case.target)]
    if settings.egress_level == "any":
        found.append(
            ALMOST_ANY.found(
                "webhooks may call almost any address", mend="start the server with --egress lan or public"
            )
        )
    if found:
        return found
    more = "".join(
        f"; {len(entries)} {word}"
        for word, entries in (("allowed", settings.allow_targets), ("denied", settings.deny_targets))
        if entries
    )
    origin = f"--egress {settings.egress_level}" + (" (auto)" if settings.egress == "auto" else "")
    through = "" if settings.egress_proxy is None else f"; through the proxy {read_proxy(settings.egress_proxy)}"
    return [fine(CHECK, f"{origin}: {_LEVELS[settings.egress_level]}{more}{through}")]


def _of_target(case: Case, target: str) -> Iterator[Finding]:
    try:
        url = urls.checked(target)
        parts = urls.parts(url)
    except ValueError as error:
        yield NO_TARGET.found(f"it is not a URL that can be called: {error}", mend="write it as the message says")
        return
    policy, proxy = node.egress_policy(case.settings), case.settings.egress_proxy
    place = urls.origin(url)
    at = as_address(parts.host, parts.port)
    if at:
        address = at[0][4][0].partition("%")[0]
        yield from judge(Judged(place=place, verdicts=[(address, policy.verdict(address, parts.port))]))
        return
    name = looked_up_name(parts.host, is_absolute=parts.is_absolute)
    refusal = policy.name_refusal(name, parts.port)
    if refusal is not None or proxy is not None:
        shown = None if proxy is None or not is_host_name(parts.host) else str(read_proxy(proxy))
        yield from judge(Judged(place=place, name_refusal=refusal, proxy=shown))
        return
    found = look_up_all([name])[name]
    yield from judge(
        Judged(place=place, verdicts=verdicts(policy, [info[4][0] for info in found.addresses], parts.port, name))
    )


def verdicts(policy: EgressPolicy, addresses: Sequence[str], port: int, name: str) -> Sequence[tuple[str, Verdict]]:
    """Return what the rules say of the *addresses* that a name has, each once."""
    return [(each, policy.verdict(each, port, name=name)) for each in dict.fromkeys(addresses)]


def judge(judged: Judged) -> Iterator[Finding]:
    """Return whether a place would be called, and by which rule."""
    if judged.name_refusal is not None:
        yield _refused(f"{judged.place} would not be called: it is {judged.name_refusal}")
        return
    if judged.proxy is not None:
        yield fine(
            CHECK, f"{judged.place} would be asked of the proxy {judged.proxy}, which looks the name up and checks it"
        )
        return
    if not judged.verdicts:
        yield unknown(CHECK, f"{judged.place}: its host name has no address now, and that decides")
        return
    allowed = [(address, verdict) for address, verdict in judged.verdicts if verdict.refusal is None]
    if not allowed:
        address, verdict = judged.verdicts[0]
        yield _refused(f"{judged.place} would not be called: {address} is {verdict.rule}")
        return
    address, verdict = allowed[0]
    others = len(judged.verdicts) - len(allowed)
    left_out = f"; {others} of its addresses would not" if others else ""
    yield fine(CHECK, f"{judged.place} would be called: {address} is {verdict.rule}{left_out}")


def _refused(what: str) -> Finding:
    said, _, way = what.partition("; ")
    return REFUSED.found(
        said, mend=f"start the server so that {way}" if " allows it" in way else way or "name it with --allow-target"
    )
