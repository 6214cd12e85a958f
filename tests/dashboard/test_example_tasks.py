"""What the JSON field of a new task begins with: a task that can be created as it stands, for most types."""

import dataclasses
import datetime as dt
import uuid
from typing import Annotated, Literal

import msgspec
import pytest

import tasker
from tasker.api.new_task import NewTaskDecoder
from tasker.dashboard.example_tasks import example_of, is_function
from tasker.task_types.function import function_types
from tasker.task_types.hash import HashType
from tasker.task_types.job import JobType
from tasker.task_types.registry import Registry

app = tasker.App()


@dataclasses.dataclass
class Line:
    product: str
    count: int = 1


@dataclasses.dataclass
class Nested:
    inner: "Nested | None"
    lines: list[Line]
    line: Line


@app.task("none")
def none(layout: str = "pdf") -> None:
    pass


@app.task("report.build")
def build(
    customer: int,
    name: str,
    share: float,
    at: Annotated[dt.datetime, msgspec.Meta(tz=True)],
    day: dt.date,
    id_: uuid.UUID,
    kind: Literal["a", "b"],
    nested: Nested,
    maybe: int | None,
    anything,
    more: bool = True,
) -> None:
    pass


REGISTRY = Registry([HashType(iterations=1, slots=1), JobType(), *function_types(app)])


@pytest.mark.parametrize("name", ["hash", "job", "none", "report.build"])
def test_the_example_of_a_type_is_a_task(name):
    task_type = REGISTRY.get(name)
    body = msgspec.json.encode({name: example_of(task_type)})
    asked = NewTaskDecoder(REGISTRY).decode(body)
    assert asked.type is task_type
    assert is_function(task_type) == (name in app.functions)


def test_the_example_of_a_function_has_what_has_no_default_and_no_more():
    assert example_of(REGISTRY.get("none")) == {"delay": "10m", "args": {}}
    assert set(example_of(REGISTRY.get("report.build"))["args"]) == {
        *("customer", "name", "share", "at", "day", "id_", "kind", "nested", "maybe", "anything")
    }
