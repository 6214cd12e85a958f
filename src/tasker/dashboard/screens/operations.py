"""Operations: one move of many tasks. First it is only looked at what it would do, then it is begun."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from starlette.responses import Response

from tasker.api.new_operation import NewOperation, asked_of
from tasker.api.new_task import BodyDecoder
from tasker.callers import Scope
from tasker.dashboard.screens.tasks import searched
from tasker.dashboard.visits import Pages, Visit
from tasker.errors import InvalidQueryError, InvalidRequestError, InvalidTaskError, cut
from tasker.ids import parse_id
from tasker.model.operation import SCATTERED, Action, Operation
from tasker.model.task import TaskId
from tasker.wire.operations import operation_view

pages = Pages(place="Operations")

MANY: Final = 1_000
"""Above this many tasks, the number is to be typed."""

_LENGTH: Final = 50

_new = BodyDecoder(NewOperation, list(NewOperation.__struct_fields__))


@pages.get("/operations")
async def find(visit: Visit) -> Response:
    """Show operations, the latest first."""
    before = visit.asked("before")
    found = await visit.service.operations.page(before=None if before is None else _id(before), limit=_LENGTH)
    following = visit.url("/operations", [("before", found[-1].id)]) if len(found) == _LENGTH else None
    return visit.show(
        "operations.html", title="Operations", operations=list(map(operation_view, found)), following=following
    )


def _id(text: str) -> TaskId:
    try:
        return parse_id(text)
    except ValueError:
        raise InvalidQueryError("before", "expected the id of an operation") from None


@pages.get("/operations/{id}")
async def show(visit: Visit) -> Response:
    """Show an operation: how far it has come; of a dry run, what it would do, and the way to do it."""
    return _shown(visit, await visit.service.operations.get(visit.values["id"]))


def _shown(visit: Visit, operation: Operation, *, wrong: str = "", field: str = "") -> Response:
    return visit.show(
        "operation.html",
        status=400 if wrong else 200,
        title=f"{operation.action.value.capitalize()} many tasks",
        operation=operation_view(operation),
        is_scattered=operation.action in SCATTERED,
        is_typed=operation.changed > MANY,
        wrong=wrong,
        field=field,
    )


@pages.post("/operations/look", Scope.OPERATE)
async def look(visit: Visit) -> Response:
    """See what an operation would do to the tasks that a list has, or to those that are marked in it."""
    words = searched(visit).given
    ids = [value for name, value in visit.form if name == "id"]
    is_all = visit.said("which") == "all"
    if not is_all and not ids:
        raise InvalidRequestError("", "no task is marked: mark some in the list, or choose all that match")
    members: dict[str, Any] = {"action": visit.said("action")}
    if is_all:
        members |= {"filter": words} if words else {"all": True}
    else:
        members["ids"] = ids
    if members["action"] == Action.POSTPONE and visit.said("by"):
        members["by"] = visit.said("by")
    action, asked = asked_of(_decoded(members))
    operation = await visit.service.operations.create(visit.caller, action, asked, is_dry_run=True, repeatable=None)
    assert isinstance(operation, Operation)  # noqa: S101 - nothing is kept without a key
    return visit.go(f"/operations/{operation.id}")


@pages.post("/operations/{id}/begin", Scope.OPERATE)
async def begin(visit: Visit) -> Response:
    """Do what a dry run has looked at."""
    looked = await visit.service.operations.get(visit.values["id"])
    if looked.is_running:
        return _shown(visit, looked, wrong="The look is still under way: wait for its end.")
    if looked.changed > MANY and visit.said("number").replace(",", "") != str(looked.changed):
        return _shown(visit, looked, wrong=f"Type the number {looked.changed} to go on.", field="number")
    asked = looked.asked
    rate = visit.said("per_second")
    if rate and looked.action in SCATTERED:
        try:
            new = _decoded({"action": looked.action, "all": True, "per_second": float(rate)})
        except (ValueError, InvalidRequestError):
            wrong = f"Expected a number above 0, such as 10 or 0.5, got: {cut(rate)}"
            return _shown(visit, looked, wrong=wrong, field="per_second")
        asked = replace(asked, per_second=new.per_second)
    begun = await visit.service.operations.create(visit.caller, looked.action, asked, is_dry_run=False, repeatable=None)
    assert isinstance(begun, Operation)  # noqa: S101 - nothing is kept without a key
    return visit.go(f"/operations/{begun.id}")


def _decoded(members: Mapping[str, Any]) -> NewOperation:
    """Return what a form asks for, as the body of ``POST /operations`` would.

    Raises:
        InvalidRequestError: that call would refuse it.
    """
    try:
        new: NewOperation = _new.decode_body(msgspec.json.encode(members))
    except InvalidTaskError as error:
        raise InvalidRequestError(error.field, error.problem) from None
    return new


@pages.post("/operations/{id}/cancel", Scope.OPERATE)
async def cancel(visit: Visit) -> Response:
    """Have it go no further."""
    operation = await visit.service.operations.cancel(visit.caller, visit.values["id"])
    return visit.go(f"/operations/{operation.id}", done="operation_cancel")
