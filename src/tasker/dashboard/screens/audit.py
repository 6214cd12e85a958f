"""The audit log: who has changed what."""

from typing import Final

from starlette.responses import Response

from tasker.callers import Scope
from tasker.dashboard.visits import Pages, Visit
from tasker.errors import InvalidQueryError
from tasker.model import time_words, zones
from tasker.model.audit import AuditQuery
from tasker.wire.audit import ACTIONS, KINDS, change_view

pages = Pages(place="Audit")

_LENGTH: Final = 50
_NAMES: Final = ("kind", "action", "by", "subject", "when")


@pages.get("/audit", Scope.ADMIN)
async def find(visit: Visit) -> Response:
    """Show changes, the latest first."""
    said = {name: visit.asked(name) or "" for name in _NAMES}
    wrong = ""
    since = before = None
    if said["when"]:
        try:
            since, before = time_words.range_of(said["when"], visit.now, zones.zone_named(visit.zone))
        except ValueError as error:
            wrong = str(error)
    if said["kind"] not in ("", *KINDS) or said["action"] not in ("", *ACTIONS):
        raise InvalidQueryError("kind", f"expected one of {', '.join(KINDS)}; and an action of {', '.join(ACTIONS)}")
    query = AuditQuery(
        subject=said["subject"] or None,
        kind=KINDS.get(said["kind"]),
        action=ACTIONS.get(said["action"]),
        by=said["by"] or None,
        since=since,
        before=before,
    )
    page = await visit.service.audit.page(query, after=visit.asked("cursor"), limit=_LENGTH)
    kept = [(name, value) for name, value in said.items() if value]
    return visit.show(
        "audit.html",
        status=400 if wrong else 200,
        title="Audit",
        said=said,
        wrong=wrong,
        changes=[] if wrong else [change_view(record) for record in page.records],
        following=None if page.next is None or wrong else visit.url("/audit", [*kept, ("cursor", page.next)]),
        kinds=KINDS,
        actions=ACTIONS,
        suggested=time_words.SUGGESTED,
    )
