"""Who may call: API keys of the settings and of the database."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from tasker.callers import Role, read_key_line
from tasker.doctor.case import Case
from tasker.doctor.secret_files import open_to_all, words
from tasker.model.api_key import KeyState
from tasker.model.diagnosis import Finding, Level, Problem, fine, unknown
from tasker.model.instants import Instant, after
from tasker.model.number_words import many
from tasker.model.time_words import apart

CHECK: Final = "keys"

SOON: Final = timedelta(days=7)
"""A key that expires within this is told."""

READABLE: Final = Problem(CHECK, "keys_readable", Level.WARNING, "whoever reads them may call as their owners")
EXPIRING: Final = Problem(CHECK, "key_expires", Level.WARNING, "from then on it is refused with 401")
NONE_VALID: Final = Problem(CHECK, "no_valid_key", Level.FAULT, "every call is refused with 401")
NO_ADMIN: Final = Problem(CHECK, "no_admin_key", Level.WARNING, "nobody can make or revoke keys through a server")
NO_AUTH_IDLE: Final = Problem(CHECK, "no_auth_idle", Level.WARNING, "callers without a key are refused")

NO_AUTH_CONTRADICTS: Final = Problem(CHECK, "no_auth_contradicts", Level.FAULT, "the server does not start")

PROBLEMS: Final = (READABLE, EXPIRING, NONE_VALID, NO_ADMIN, NO_AUTH_IDLE, NO_AUTH_CONTRADICTS)


def look(case: Case) -> Sequence[Finding]:
    """Return what is wrong with the keys. None is shown."""
    settings, contents = case.settings, case.database.contents
    found = []
    path = settings.api_keys_file
    if path is not None and path in open_to_all(settings):
        what, mend = words(path)
        found.append(READABLE.found(what, mend=mend))
    if settings.no_auth and settings.api_keys:
        found.append(
            NO_AUTH_CONTRADICTS.found("--no-auth is set, and API keys are given", mend="take one of them away")
        )
    state = None if contents is None else contents.keys
    roles = [read_key_line(line).role for line in settings.api_keys]
    found += judge(state, roles, case.now if contents is None else contents.at, no_auth=settings.no_auth)
    if found:
        return found
    if state is None and not roles and not case.database.is_new:
        return [unknown(CHECK, "those of the database could not be read: see database")]
    stored = 0 if state is None else len(state.keys)
    if not (roles or (state is not None and state.asks)):
        return [fine(CHECK, "none is asked for")]
    return [fine(CHECK, f"asked for: {stored} in the database, {len(roles)} in the settings")]


def judge(state: KeyState | None, roles: Sequence[Role], now: Instant, *, no_auth: bool) -> Iterator[Finding]:
    """Return what is wrong.

    Args:
        state: what the database says; None: that is not known.
        roles: those of the keys of the settings.
        no_auth: see ``Settings``.
    """
    if state is None or not state.asks:
        return
    valid = [key for key in state.keys if key.expires_at is None or key.expires_at > now]
    make = "tasker db keys create NAME --role admin, while no server runs"
    if not valid and not roles:
        yield NONE_VALID.found("keys are asked for, and none is valid", mend=make)
    elif not any(key.is_admin_at(now) for key in valid) and Role.ADMIN not in roles:
        yield NO_ADMIN.found("no key that is valid may make others", mend=make)
    for key in valid:
        if key.expires_at is not None and key.expires_at < after(now, SOON):
            yield EXPIRING.found(
                f"the key {key.id} ({key.name}) expires {apart(key.expires_at, now)}", mend="tasker keys create NAME"
            )
    if no_auth:
        yield NO_AUTH_IDLE.found(
            f"--no-auth is set, and the database has {many(len(state.keys), 'key')} and asks for them",
            mend="take --no-auth away, or: tasker db keys disable, while no server runs",
        )
