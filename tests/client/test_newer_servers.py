"""A server that is newer than the client says words that it does not know: they are passed on."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec
import pytest
from every_call import ID
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from wires import TASK, answer, calling

import tasker
from tasker.client.decoding import decoder
from tasker.wire.explanations import Explanation
from tasker.wire.tasks import LatenessByCauseView, ProgressView

WHY = {
    "id": ID,
    "state": "resting",
    "reason": "full_moon",
    "msg": "it waits for the moon",
    "next_attempt": 1,
    "max_attempts": 10,
    "due_at": None,
    "due_in_seconds": 0,
    "expected_at": None,
    "node": None,
    "running_since": None,
    "last_error": {"code": "x", "msg": "y", "details": {"a": 1}},
    "destination": {
        "id": 1,
        "name": "moon",
        "kind": "planet",
        "paused": False,
        "max_running": None,
        "max_per_second": None,
        "burst": 1,
        "running": 0,
        "held": 0,
        "circuit": {"state": "ajar", "failures": 0, "open_until": None},
    },
}


class Inner(Struct, frozen=True):
    word: Literal["a", "b"]
    raw: Raw | UnsetType = UNSET


class Outer(Struct, frozen=True, rename={"from_": "from"}):
    from_: Annotated[int, Meta(ge=0)]
    one: Inner | None = None
    several: Annotated[Sequence[Inner], Meta(description="x")] = ()
    named: Mapping[Literal["x", "y"], Inner] | UnsetType = UNSET
    number_or_more: int | Inner = 0
    texts: Sequence[str] | UnsetType = UNSET


def read(value, kind=Outer):
    return decoder(kind)(json.dumps(value).encode())


def test_words_of_tomorrow_are_passed_on():
    with calling(answer(WHY)) as (client, _):
        why = client.explain(ID)
    assert isinstance(why, Explanation)
    assert (why.state, why.reason, why.destination.kind, why.destination.circuit.state) == (
        *("resting", "full_moon", "planet", "ajar"),
    )
    assert msgspec.json.decode(why.last_error.details) == {"a": 1}


def test_a_task_in_a_state_of_tomorrow_is_a_task():
    task = {
        **TASK["webhook"],
        "state": "resting",
        "progress": {"at": "2027-03-01T09:30:00Z", "progress": 7.5, "msg": None},
        "lateness_by_cause_seconds": {"down": -1, "held": 0, "own": 0},
    }
    with calling(answer({"webhook": task})) as (client, _):
        read = client.get(ID)
    assert isinstance(read, tasker.Task)
    assert (read.state, read.has_ended) == ("resting", False)
    assert read.progress == ProgressView(at="2027-03-01T09:30:00Z", progress=7.5, msg=None)
    assert read.lateness_by_cause_seconds == LatenessByCauseView(down=-1, held=0, own=0)
    with calling(answer({"tasks": [{"webhook": task}], "next": None})) as (client, _):
        assert [each.state for each in client.find()] == ["resting"]


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ({"from": -1}, Outer(-1)),
        ({"from": 1, "one": {"word": "c"}}, Outer(1, Inner("c"))),
        ({"from": -1, "one": None}, Outer(-1, None)),
        ({"from": 1, "several": [{"word": "a"}, {"word": "z"}]}, Outer(1, several=[Inner("a"), Inner("z")])),
        ({"from": 1, "named": {"z": {"word": "a"}}}, Outer(1, named={"z": Inner("a")})),
        ({"from": -1, "number_or_more": {"word": "a"}}, Outer(-1, number_or_more=Inner("a"))),
        ({"from": -1, "number_or_more": "many"}, Outer(-1, number_or_more="many")),
        ({"from": -1, "texts": ["a"], "colour": "blue"}, Outer(-1, texts=["a"])),
    ],
)
def test_what_is_not_as_it_was_is_made_as_far_as_it_goes(value, made):
    assert read(value) == made


def test_any_json_stays_as_it_was_sent():
    made = read({"from": -1, "one": {"word": "a", "raw": {"b": [1, None]}}})
    assert msgspec.json.decode(made.one.raw) == {"b": [1, None]}


@pytest.mark.parametrize(
    "value",
    [
        {"one": {"word": "a"}},
        {"from": -1, "one": {}},
        {"from": 1, "several": {"word": "a"}},
        {"from": 1, "several": ["a"]},
        {"from": 1, "named": {"x": 1}},
        [],
        1,
    ],
)
def test_what_lacks_something_is_refused(value):
    with pytest.raises(msgspec.ValidationError):
        read(value)
