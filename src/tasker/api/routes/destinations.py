"""Where tasks go: look, pause, resume, limit."""

import re
from typing import Final

import msgspec
from starlette.responses import Response

from tasker.api.bodies import answer
from tasker.api.calls import NOTHING, READING, WRITING, Answer, Body, Call, Links, Request
from tasker.api.routes import lists
from tasker.api.routes.lists import Part, answer_list
from tasker.callers import Scope
from tasker.errors import DestinationNotFoundError, InvalidQueryError, NothingToProbeError, UpgradeUnfinishedError
from tasker.wire.destinations import DestinationChange, DestinationView, NewDestination, destination_view, limits_of

_CURSOR: Final = re.compile(r"\d{1,9}", re.ASCII)
_ID: Final = {"type": "integer", "minimum": 1}
_NOW: Final = (Answer(description="The destination now.", shape=DestinationView),)


@Call(
    method="GET",
    path="/destinations",
    summary="List where tasks have gone and are to go, by id.",
    scope=Scope.TASKS_READ,
    query=lists.PARAMETERS,
    answers=(
        Answer(
            description="The destinations. A list that breaks off has failed half-way.",
            shape=DestinationView,
            is_list=True,
            headers=lists.HEADERS,
            links=Links(
                id="$response.body#/0/id",
                operation_ids=(
                    "getDestination",
                    "changeDestination",
                    "pauseDestination",
                    "resumeDestination",
                    "probeDestination",
                ),
            ),
        ),
    ),
    errors=(InvalidQueryError, *READING),
    page="destinations.md#list-destinations",
).answered_by
async def list_destinations(request: Request) -> Response:
    """Answer with the destinations, by id."""
    service = request.service.destinations

    async def read(after: str | None, limit: int) -> Part:
        found = await service.page(after=_position(after), limit=limit)
        items = [msgspec.json.encode(destination_view(status)) for status in found]
        return Part(items, str(found[-1].record.gate.id) if len(found) == limit else None)

    return await answer_list(request, read)


@Call(
    method="POST",
    path="/destinations",
    summary="Make the destination of a URL, a group or a queue before its first task, or find it; set its limits.",
    scope=Scope.OPERATE,
    body=Body(NewDestination),
    answers=_NOW,
    errors=(UpgradeUnfinishedError, *WRITING),
    page="destinations.md#make-a-destination",
).answered_by
async def make_destination(request: Request) -> Response:
    """Make or find a destination."""
    new: NewDestination = request.body
    return answer(
        destination_view(
            await request.service.destinations.make(
                request.caller, limits_of(new), url=new.url, group=new.group, queue=new.queue
            )
        )
    )


@Call(
    method="GET",
    path="/destinations/{id}",
    summary="Read a destination.",
    scope=Scope.TASKS_READ,
    value=_ID,
    answers=(Answer(description="The destination.", shape=DestinationView),),
    errors=(DestinationNotFoundError, *READING),
    page="destinations.md#read-a-destination",
).answered_by
async def get_destination(request: Request) -> Response:
    """Answer with a destination."""
    return answer(destination_view(await request.service.destinations.get(request.values["id"])))


@Call(
    method="PATCH",
    path="/destinations/{id}",
    summary="Say how many tasks of a destination may run at once, and how often they may start.",
    scope=Scope.OPERATE,
    value=_ID,
    body=Body(DestinationChange),
    answers=_NOW,
    errors=(DestinationNotFoundError, UpgradeUnfinishedError, *WRITING),
    page="destinations.md#limit-a-destination",
).answered_by
async def change_destination(request: Request) -> Response:
    """Limit a destination."""
    change: DestinationChange = request.body
    return answer(
        destination_view(
            await request.service.destinations.limit(request.caller, request.values["id"], limits_of(change))
        )
    )


@Call(
    method="POST",
    path="/destinations/{id}/pause",
    summary="Start no more tasks of a destination; what is running goes on. Takes no body.",
    scope=Scope.OPERATE,
    value=_ID,
    body=NOTHING,
    answers=_NOW,
    errors=(DestinationNotFoundError, *WRITING),
    page="destinations.md#pause-and-resume-a-destination",
).answered_by
async def pause_destination(request: Request) -> Response:
    """Pause a destination."""
    return answer(destination_view(await request.service.destinations.pause(request.caller, request.values["id"])))


@Call(
    method="POST",
    path="/destinations/{id}/resume",
    summary="Start tasks of a destination again. Takes no body.",
    scope=Scope.OPERATE,
    value=_ID,
    body=NOTHING,
    answers=_NOW,
    errors=(DestinationNotFoundError, *WRITING),
    page="destinations.md#pause-and-resume-a-destination",
).answered_by
async def resume_destination(request: Request) -> Response:
    """Resume a destination."""
    return answer(destination_view(await request.service.destinations.resume(request.caller, request.values["id"])))


@Call(
    method="POST",
    path="/destinations/{id}/probe",
    summary="Try a destination now, with one task, though its circuit is open. Takes no body.",
    scope=Scope.OPERATE,
    value=_ID,
    body=NOTHING,
    answers=(Answer(status=202, description="The destination now: it is tried.", shape=DestinationView),),
    errors=(DestinationNotFoundError, NothingToProbeError, *WRITING),
    page="destinations.md#probe-a-destination",
).answered_by
async def probe_destination(request: Request) -> Response:
    """Probe a destination."""
    return answer(
        destination_view(await request.service.destinations.probe(request.caller, request.values["id"])), status=202
    )


def _position(cursor: str | None) -> int:
    """The id after which a page begins."""
    if cursor is None:
        return 0
    if _CURSOR.fullmatch(cursor) is None:
        raise InvalidQueryError("cursor", "expected the cursor of a page before, as its Link header gives it")
    return int(cursor)


CALLS: Final = (
    list_destinations,
    make_destination,
    get_destination,
    change_destination,
    pause_destination,
    resume_destination,
    probe_destination,
)
