"""Reads what an operation is to be."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from tasker.api.bodies import read_member
from tasker.errors import InvalidQueryError, InvalidRequestError, cut
from tasker.filters import FILTERS, query_of, words_of
from tasker.ids import parse_id
from tasker.model import lengths
from tasker.model.instants import microseconds
from tasker.model.operation import SCATTERED, Action, Asked
from tasker.model.task import TaskId
from tasker.wire.fields import Length
from tasker.wire.operations import ActionWord

MOST_IDS: Final = 10_000
"""Tasks that one operation can name."""

OperationFilter: Final = msgspec.defstruct(
    "OperationFilter",
    [
        (each.name, Annotated[str | list[str], Meta(description=each.description)] | UnsetType, UNSET)
        for each in FILTERS
    ],
    namespace={"__doc__": "Which tasks: as the parameters of GET /tasks. A list stands for several values."},
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
)


class NewOperation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One move, to be made of many tasks."""

    action: ActionWord
    filter: OperationFilter | UnsetType = UNSET  # type: ignore[valid-type]
    ids: (
        Annotated[
            list[Annotated[str, Meta(extra_json_schema={"format": "uuid"})]],
            Meta(min_length=1, max_length=MOST_IDS, description="The tasks, in place of a filter."),
        ]
        | UnsetType
    ) = UNSET
    all: Annotated[bool, Meta(description="In place of a filter: all tasks.")] = False
    by: Annotated[Length, Meta(description="Of postpone: by how much.")] | UnsetType = UNSET
    change: (
        Annotated[Raw, Meta(description="Of change: what each task is given anew, as the body of PATCH /tasks/{id}.")]
        | UnsetType
    ) = UNSET
    per_second: (
        Annotated[
            float,
            Meta(gt=0, le=1_000_000, description="Of run and retry: how many tasks come due in a second."),
        ]
        | UnsetType
    ) = UNSET
    dry_run: Annotated[bool, Meta(description="Only say how many tasks would change, and how many not, and why.")] = (
        False
    )


def asked_of(new: NewOperation) -> tuple[Action, Asked]:
    """Return what *new* asks for.

    Raises:
        InvalidRequestError: it cannot be done. ``field`` is the path in the request.
    """
    action = Action(new.action)
    words = _words(new)
    if (new.ids is not UNSET) + bool(words) + new.all != 1:
        raise InvalidRequestError(
            "", 'expected one of a filter that is not empty, ids, and "all": true, which means every task'
        )
    if (action is Action.POSTPONE) != (new.by is not UNSET):
        right = "how long to postpone by" if action is Action.POSTPONE else "no such member: it is for postpone"
        raise InvalidRequestError("by", f"expected {right}")
    if (action is Action.CHANGE) != (new.change is not UNSET):
        right = "what to change" if action is Action.CHANGE else "no such member: it is for change"
        raise InvalidRequestError("change", f"expected {right}")
    if new.per_second is not UNSET and action not in SCATTERED:
        raise InvalidRequestError("per_second", f"expected no such member: it is for {' and '.join(sorted(SCATTERED))}")
    return action, Asked(
        filter=_checked(words),
        ids=[] if new.ids is UNSET else _ids(new.ids),
        by=None if new.by is UNSET else _by(new.by),
        change=UNSET if new.change is UNSET else Raw(bytes(new.change)),
        per_second=None if new.per_second is UNSET else new.per_second,
    )


def _words(new: NewOperation) -> Mapping[str, Sequence[str]]:
    if new.filter is UNSET:
        return {}
    given = msgspec.structs.asdict(new.filter)
    return {name: [value] if isinstance(value, str) else value for name, value in given.items() if value is not UNSET}


def _checked(words: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    for name, values in words.items():
        if not values:
            raise InvalidRequestError(f"filter.{name}", "expected at least one value")
    try:
        return words_of(query_of(words))
    except InvalidQueryError as error:
        raise InvalidRequestError(f"filter.{error.parameter}", error.problem) from None


def _ids(texts: Sequence[str]) -> Sequence[TaskId]:
    ids: dict[TaskId, None] = {}
    for place, text in enumerate(texts):
        try:
            ids[parse_id(text)] = None
        except ValueError:
            raise InvalidRequestError(f"ids[{place}]", f"expected a UUID, got: {cut(text)!r}") from None
    return list(ids)


def _by(length: str | float) -> int:
    by = microseconds(read_member("by", lengths.parse, length))
    if by == 0:
        raise InvalidRequestError("by", "expected more than 0 seconds")
    return by
