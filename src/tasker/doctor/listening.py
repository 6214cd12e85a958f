"""Can a server listen where the settings say, and who reaches it there?"""

from collections.abc import Iterator, Sequence
from typing import Final

from tasker import node
from tasker.config import is_loopback
from tasker.doctor.case import Case
from tasker.errors import ListenError, open_to_others
from tasker.model.diagnosis import Finding, Level, Problem, fine, unknown

CHECK: Final = "listening"

CANNOT_LISTEN: Final = Problem(CHECK, "cannot_listen", Level.FAULT, "the server does not start")
OPEN_TO_OTHERS: Final = Problem(CHECK, "open_to_others", Level.FAULT, "the server does not start")
WITHOUT_KEY: Final = Problem(
    CHECK, "open_without_key", Level.WARNING, "whoever reaches it can create tasks, read them and delete them"
)

PROBLEMS: Final = (CANNOT_LISTEN, OPEN_TO_OTHERS, WITHOUT_KEY)


def look(case: Case) -> Sequence[Finding]:
    """Return what is wrong with the addresses."""
    settings = case.settings
    contents = case.database.contents
    asks: bool | None = True
    if not settings.api_keys:
        asks = contents.keys.asks if contents is not None else False if case.database.is_new else None
    found = [*judge(settings.listen_ip, asks=asks, no_auth=settings.no_auth), *_bound(case)]
    if found:
        return found
    at = f"{settings.listen_ip}, port {settings.listen_port or 'any that is free'}"
    if is_loopback(settings.listen_ip):
        return [fine(CHECK, f"{at}: only this machine reaches it")]
    if asks is None:
        return [unknown(CHECK, f"{at}: others reach it; whether it asks for keys could not be read: see database")]
    return [fine(CHECK, f"{at}: others reach it, with a key")]


def judge(ip: str, *, asks: bool | None, no_auth: bool) -> Iterator[Finding]:
    """Return whether others can call without a key.

    Args:
        asks: whether keys are asked for; None: that is not known.
    """
    if is_loopback(ip) or asks:
        return
    if no_auth:
        yield WITHOUT_KEY.found(
            f"others can reach {ip}, and no API key is asked for (--no-auth)",
            mend="tasker keys create NAME --role admin",
        )
    elif asks is not None:
        what, _, mend = open_to_others(ip).partition("; ")
        yield OPEN_TO_OTHERS.found(what, mend=mend)


def _bound(case: Case) -> Iterator[Finding]:
    """Try the addresses, unless a server has them."""
    settings = case.settings
    own = (settings.listen_ip, settings.listen_port, "")
    places = [own] if settings.metrics_listen is None else [own, (*settings.metrics_listen, "--metrics-listen")]
    for ip, port, way in places:
        try:
            node.bind(ip, 0 if case.is_at_work or case.answers.is_stranger else port, way=way).close()
        except ListenError as error:
            what, _, mend = str(error).partition("; ")
            yield CANNOT_LISTEN.found(what, mend=mend)
