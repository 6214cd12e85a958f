"""Does a server run, and is it ready?"""

from collections.abc import Sequence
from typing import Final

from tasker.doctor.case import Case
from tasker.model.diagnosis import Finding, Level, Problem, fine, unknown

CHECK: Final = "server"

UNREACHABLE: Final = Problem(CHECK, "server_unreachable", Level.FAULT, "nobody can create tasks there")
SILENT: Final = Problem(
    CHECK, "server_silent", Level.WARNING, "what only a server knows was not looked at: it listens elsewhere, or hangs"
)
NOT_TASKER: Final = Problem(CHECK, "not_tasker", Level.FAULT, "a server cannot listen there, or is not reached there")
NOT_READY: Final = Problem(CHECK, "not_ready", Level.FAULT, "it should be sent no work, and may start no tasks")
OTHER_DATABASE: Final = Problem(
    CHECK, "other_database", Level.WARNING, "what is said of the database is not said of that server's"
)
ALL_PAUSED: Final = Problem(CHECK, "all_paused", Level.WARNING, "tasks are taken, and none starts, on any server")

PROBLEMS: Final = (UNREACHABLE, SILENT, NOT_TASKER, NOT_READY, OTHER_DATABASE, ALL_PAUSED)


def look(case: Case) -> Sequence[Finding]:
    """Return what is wrong with the server, or that it is well, or that none runs."""
    found = [*_standing(case), *_pause(case)]
    if found:
        return found
    answers = case.answers
    if answers.is_there:
        return [fine(CHECK, f"ready, at {answers.url}")]
    where = "" if answers.url is None else f" at {answers.url}"
    return [fine(CHECK, f"none runs{where}")]


def _standing(case: Case) -> Sequence[Finding]:
    answers = case.answers
    if answers.is_stranger:
        return [
            NOT_TASKER.found(
                f"something else than tasker answers at {answers.url}",
                mend="name the server with --url, or let it listen elsewhere: tasker serve --listen-port 8081",
            )
        ]
    if not answers.is_there:
        return _silence(case)
    if answers.health is not None and answers.health.status != "ok":
        return [NOT_READY.found(f"{answers.url} is not ready: {answers.health.reason}", mend="see what is said below")]
    if _uses_another(case):
        return [
            OTHER_DATABASE.found(
                f"the server at {answers.url} does not use the database of these settings",
                mend="give this command the settings of the server, such as --config or DATABASE_URL",
            )
        ]
    if answers.needs_key:
        return [
            unknown(
                CHECK,
                f"ready, at {answers.url}; it asks for a key to say more",
                mend="give the variable TASKER_KEY a key with the role metrics",
            )
        ]
    return []


def _silence(case: Case) -> Sequence[Finding]:
    answers, database = case.answers, case.database
    if answers.is_named:
        return [
            UNREACHABLE.found(
                answers.silence or "it does not answer", mend="tasker serve starts one; --url names another"
            )
        ]
    elsewhere = case.nodes_there
    if elsewhere:
        return [
            SILENT.found(
                f"servers share the database, and none answers at {answers.url}",
                mend=f"tasker doctor --url {elsewhere[0]}",
            )
        ]
    if database.holder is not None:
        where = "" if answers.url is None else f", and no server answers at {answers.url}"
        return [
            SILENT.found(
                f"{database.holder} has the database open{where}",
                mend="name the server with --url, or start it again if it hangs",
            )
        ]
    return []


def _uses_another(case: Case) -> bool:
    contents = case.database.contents
    if contents is None:
        return False
    if not case.database.is_shared:
        return case.database.sees_holder and case.database.holder is None
    known = {node.id for node in contents.nodes}
    return case.answers.nodes is not None and not known & {node.id for node in case.answers.nodes}


def _pause(case: Case) -> Sequence[Finding]:
    contents = case.database.contents
    paused = contents is not None and contents.paused_at is not None
    if case.answers.stats is not None:
        paused = case.answers.stats.paused_at is not None
    if not paused:
        return []
    mend = (
        f"tasker resume --url {case.answers.url}" if case.answers.is_there else "tasker serve, and then: tasker resume"
    )
    return [ALL_PAUSED.found("everything is paused", mend=mend)]
