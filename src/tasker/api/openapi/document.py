"""The whole description."""

import inspect
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from tasker import __version__
from tasker.api.batch import TASKS
from tasker.api.calls import Call, Shape
from tasker.api.new_task import new_task_type
from tasker.api.openapi.changes import Changes
from tasker.api.openapi.operations import paths, webhooks
from tasker.api.openapi.parts import refusal_components, schema
from tasker.task_types.registry import Registry
from tasker.wire.fields import request_type
from tasker.wire.server import Problem
from tasker.wire.tasks import AtLeast, CallbackSummary, view_type


def document_json(calls: Sequence[Call], registry: Registry) -> bytes:
    """Return the description of *calls* as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(document(calls, registry)), indent=2) + b"\n"


def document(calls: Sequence[Call], registry: Registry) -> dict[str, Any]:
    """Return the description of *calls* for the task types in *registry*."""
    views = {task_type.name: view_type(task_type.name, task_type.fields) for task_type in registry.types}
    places = {f"member_{place}": name for place, name in enumerate(views)}  # a name need not be one in Python
    task = msgspec.defstruct(
        "Task", [(place, views[name] | UnsetType, UNSET) for place, name in places.items()], rename=places
    )
    page = msgspec.defstruct(
        "TaskPage",
        [("tasks", list[task]), ("next", str | None), ("count", int | AtLeast | UnsetType, UNSET)],  # type: ignore[valid-type]
    )
    named = {
        shape
        for call in calls
        for shape in (*(answer.shape for answer in call.answers), None if call.body is None else call.body.shape)
        if isinstance(shape, type)
    }
    shapes = [new_task_type(registry), task, page, Problem, CallbackSummary, *named, *views.values()]
    registered: dict[Shape, dict[str, Any]] = {
        Shape.NEW_TASK: schema("NewTask"),
        # Not as maxItems: who tests by the description would send so many.
        Shape.NEW_TASKS: {
            "type": "array",
            "description": f"At most {TASKS} tasks.",
            "items": schema("NewTask"),
            "minItems": 1,
        },
        Shape.TASK_CHANGE: schema("TaskChange"),
        Shape.TASK: schema("Task"),
        Shape.TASK_OF_TYPE: {"anyOf": [schema(view.__name__) for view in views.values()]},
        Shape.TASK_PAGE: schema("TaskPage"),
        Shape.TYPE_NAME: {"type": "string", "enum": list(views)},
        Shape.TEXT: {"type": "string"},
        Shape.DOCUMENT: {"type": "object"},
    }
    _, schemas = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    for each in schemas.values():
        if "description" in each:  # a docstring, which older Pythons keep as it stands in the code
            each["description"] = inspect.cleandoc(each["description"])
    schemas["NewTask"] |= {
        "description": "One member, named for the task type. "
        "Of a name that comes twice in an object the last one counts.",
        "minProperties": 1,
        "maxProperties": 1,
    }
    changes = Changes(schemas)
    schemas["TaskChange"] = {
        "type": "object",
        "description": "One member, named for the task type: a merge patch of what the task was given.",
        "properties": {
            spelling: changes.of(request_type(task_type.name, task_type.fields).__name__)
            for task_type in registry.types
            for spelling in (task_type.name, *task_type.spellings)
        },
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }
    schemas |= changes.made
    schemas["TaskPage"] |= {"description": "Some of the tasks that were found, and the path of the next page."}
    schemas["Task"] |= {"description": "A task under the name of its type.", "minProperties": 1, "maxProperties": 1}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tasker",
            "version": __version__,
            "description": "Runs a task at its time: calls a URL or runs a job. "
            "Every failure, an unknown path included, is answered with a Problem. HEAD works where GET does.",
        },
        "paths": paths(calls, registered, examples=_examples(registry)),
        "webhooks": webhooks(),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": refusal_components(),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "If API keys are asked for."},
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The tasker-completion-token of a request.",
                },
            },
        },
        "security": [{}, {"key": []}],
    }


def _examples(registry: Registry) -> dict[str, Any]:
    """Return a request for each task type whose required fields all have an example."""
    examples = {}
    for task_type in registry.types:
        shape = request_type(task_type.name, task_type.fields)
        fields = msgspec.json.schema(shape)["$defs"][shape.__name__]
        given = {name: field["examples"][0] for name, field in fields["properties"].items() if "examples" in field}
        if given.keys() >= set(fields["required"]):
            examples[task_type.name] = {"value": {task_type.name: given}}
    return examples
