"""What the JSON field of a new task begins with: a task of a type, as one would write it."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tasker.interfaces.task_type import TaskType

EXAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "webhook": {"delay": "10m", "url": "https://example.org/hook"},
    "hash": {"delay": "10m", "secret": "correct-horse"},
    "job": {"delay": "10m", "queue": "reports", "json": {"month": "2027-03"}},
}
"""Of tasker's own types."""

_BLANKS: Final[Mapping[str, Any]] = {
    "string": "",
    "integer": 0,
    "number": 0,
    "boolean": False,
    "array": [],
    "object": {},
}
_TEXTS: Final = {
    "date-time": "2027-03-01T09:00:00Z",
    "date": "2027-03-01",
    "time": "09:00:00",
    "uuid": "00000000-0000-0000-0000-000000000000",
    "duration": "PT10M",
}
"""What a text looks like that has a format."""

_DEEPEST: Final = 8
"""Objects inside of each other in an example: those of a type may go on without an end."""


def is_function(task_type: TaskType) -> bool:
    """Return whether it is a function of an app: no other type may have ``args``."""
    return "args" in task_type.fields.__struct_fields__


def example_of(task_type: TaskType) -> dict[str, Any]:
    """Return the members of a task. Of a function, each argument without a default has a value to be replaced."""
    if task_type.name in EXAMPLES:
        return dict(EXAMPLES[task_type.name])
    example: dict[str, Any] = {"delay": "10m"}
    if is_function(task_type):
        named = msgspec.json.schema(task_type.fields)["$defs"]
        example["args"] = _blank(named[task_type.fields.__name__]["properties"]["args"], named, 0)
    return example


def _blank(schema: Mapping[str, Any], named: Mapping[str, Any], depth: int) -> Any:  # noqa: ANN401 - JSON
    """Return the least that fits *schema*, as far as it says."""
    if "$ref" in schema:
        schema = {**named[schema["$ref"].rpartition("/")[2]], **schema}
    if "default" in schema:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    for choices in (schema.get("anyOf"), schema.get("oneOf")):
        if choices:
            may_be_null = {"type": "null"} in choices
            return None if may_be_null else _blank(choices[0], named, depth)
    if schema.get("type") == "object" and depth < _DEEPEST:
        members = schema.get("properties", {})
        return {name: _blank(members[name], named, depth + 1) for name in schema.get("required", ())}
    if schema.get("format") in _TEXTS:
        return _TEXTS[schema["format"]]
    return _BLANKS.get(schema.get("type", ""))
