"""Destinations: how they fare, and what lets their tasks go on."""

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import msgspec
from msgspec import Struct
from starlette.responses import Response

from tasker.api.new_task import BodyDecoder
from tasker.callers import Scope
from tasker.dashboard.numbers import whole
from tasker.dashboard.visits import Pages, Visit
from tasker.errors import InvalidQueryError, InvalidRequestError, InvalidTaskError, StoreError, cut
from tasker.filters import query_of
from tasker.model import instants
from tasker.model.audit import AuditQuery, AuditRecord, Kind
from tasker.model.history import HOUR, Tally
from tasker.model.steps import Steps
from tasker.service.service import Service
from tasker.wire.audit import change_view
from tasker.wire.destinations import DestinationChange, destination_view, limits_of

pages = Pages(place="Destinations")

SAMPLE: Final = 100
"""Tasks that ended last, from which the usual length of attempts is taken."""

_change = BodyDecoder(DestinationChange, list(DestinationChange.__struct_fields__))

_LENGTH: Final = 50
_CHANGES: Final = 20
_DAY: Final = timedelta(days=1)


class Fared(Struct, frozen=True):
    """What came of the attempts of a destination in 24 hours."""

    attempts: int
    succeeded: int

    @property
    def success(self) -> float | None:
        """The part that succeeded, from 0 to 1; None: there was none."""
        return self.succeeded / self.attempts if self.attempts else None


@pages.get("/destinations")
async def find(visit: Visit) -> Response:
    """Show destinations: those in trouble first, then all in the order in which they were met."""
    after = whole(visit.asked("after") or "0")
    if after is None:
        raise InvalidQueryError("after", "expected the id of a destination")
    destinations = visit.service.destinations
    found = await destinations.page(after=after, limit=_LENGTH)
    troubled = await destinations.troubled(limit=_LENGTH) if after == 0 else []
    named = {status.record.gate.id for status in troubled}
    fared = await _fared(visit, [status.record.gate.id for status in (*troubled, *found)])
    last = found[-1].record.gate.id if len(found) == _LENGTH else None
    return visit.show(
        "destinations.html",
        title="Destinations",
        troubled=[destination_view(status) for status in troubled],
        others=[destination_view(status) for status in found if status.record.gate.id not in named],
        fared=fared,
        following=None if last is None else visit.url("/destinations", [("after", str(last))]),
    )


async def _fared(visit: Visit, ids: Sequence[int]) -> Mapping[int, Fared]:
    """Return what came of the attempts of destinations in the last 24 hours."""
    if not ids:
        return {}
    now = visit.now
    steps = Steps.over(instants.after(now, -_DAY), now + 1, HOUR)
    found = await visit.service.statistics.history(steps, apart=ids)
    total = Tally()
    for tally in found.tallies:
        total.add(tally)
    by_outcome = {id_: total.destinations.get(id_, {}) for id_ in ids}
    return {id_: Fared(sum(counts.values()), counts.get("succeeded", 0)) for id_, counts in by_outcome.items()}


@pages.get("/destinations/{id}")
async def show(visit: Visit) -> Response:
    """Show a destination."""
    return await _shown(visit)


async def _shown(visit: Visit, *, wrong: Mapping[str, str] | None = None) -> Response:
    service = visit.service
    status = await service.destinations.get(visit.values["id"])
    view = destination_view(status)
    changes: Sequence[AuditRecord] = ()
    if visit.caller.may(Scope.ADMIN):  # as the audit log needs
        query = AuditQuery(subject=str(view.id), kind=Kind.DESTINATION)
        changes = (await service.audit.page(query, after=None, limit=_CHANGES)).records
    by_gate = {"group": view.name} if view.kind == "group" else {"destination": str(view.id)}
    return visit.show(
        "destination.html",
        status=400 if wrong else 200,
        title=view.name,
        destination=view,
        broken_since=status.record.gate.circuit.broken_since,
        filters=by_gate,
        fared=(await _fared(visit, [view.id]))[view.id],
        usual=await _usual_length(service, visit, by_gate),
        changes=[change_view(record) for record in changes],
        wrong=wrong or {},
        said=dict(visit.form),
        sample=SAMPLE,
    )


async def _usual_length(service: Service, visit: Visit, by_gate: Mapping[str, str]) -> float | None:
    """Return the 95th percentile of what the last attempts took of the tasks that ended last; None: there are none."""
    query = query_of({**{name: [value] for name, value in by_gate.items()}, "state": ["done", "failed"]}, "-ended")
    try:
        page = await service.finding.page(visit.caller, query, cursor=None, limit=SAMPLE)
    except (InvalidQueryError, StoreError):
        return None
    took = sorted(
        task.ended_at - task.started_at
        for task in page.tasks
        if task.ended_at is not None and task.started_at is not None
    )
    return instants.seconds(took[max(-(-len(took) * 95 // 100) - 1, 0)]) if took else None


@pages.post("/destinations/{id}/pause", Scope.OPERATE)
async def pause(visit: Visit) -> Response:
    """Let none of its tasks start."""
    await visit.service.destinations.pause(visit.caller, visit.values["id"])
    return visit.go(f"/destinations/{visit.values['id']}", done="pause")


@pages.post("/destinations/{id}/resume", Scope.OPERATE)
async def resume(visit: Visit) -> Response:
    """Let its tasks start again."""
    await visit.service.destinations.resume(visit.caller, visit.values["id"])
    return visit.go(f"/destinations/{visit.values['id']}", done="resume")


@pages.post("/destinations/{id}/probe", Scope.OPERATE)
async def probe(visit: Visit) -> Response:
    """Try it with one task."""
    await visit.service.destinations.probe(visit.caller, visit.values["id"])
    return visit.go(f"/destinations/{visit.values['id']}", done="probe")


@pages.post("/destinations/{id}/limits", Scope.OPERATE)
async def limit(visit: Visit) -> Response:
    """Change its limits; an empty field takes one away."""
    members: dict[str, float | None] = {}
    wrong = {}
    for name in DestinationChange.__struct_fields__:
        text = visit.said(name)
        number = _number(text)
        if text and number is None:
            wrong[name] = f"Expected a number, such as 5, got: {cut(text)}"
        elif text or name != "burst":  # which always is a number
            members[name] = number
    if wrong:
        return await _shown(visit, wrong=wrong)
    try:
        limits = limits_of(_change.decode_body(msgspec.json.encode(members)))
        await visit.service.destinations.limit(visit.caller, visit.values["id"], limits)
    except (InvalidRequestError, InvalidTaskError) as error:
        return await _shown(visit, wrong={error.field or "max_running": error.problem})
    return visit.go(f"/destinations/{visit.values['id']}", done="limits")


def _number(text: str) -> float | None:
    """Return the number that *text* is; None: it is none, or none that JSON has."""
    number = whole(text)
    if number is not None:
        return number
    try:
        fraction = float(text)
    except ValueError:
        return None
    return fraction if math.isfinite(fraction) else None
