"""The whole description."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from tasker import __version__
from tasker.api.new_task import new_task_type
from tasker.api.openapi import about, destinations, tasks
from tasker.api.openapi.parts import refusal_components, schema
from tasker.task_types.registry import Registry
from tasker.wire.destinations import DestinationChange, DestinationView
from tasker.wire.fields import request_type
from tasker.wire.server import Health, NodeView, Problem, Stats
from tasker.wire.tasks import AttemptView, CallbackSummary, Created, Explanation, view_type


def document_json(registry: Registry) -> bytes:
    """Return the description as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(document(registry)), indent=2) + b"\n"


def document(registry: Registry) -> dict[str, Any]:
    """Return the description of the API for the task types in *registry*."""
    views = {task_type.name: view_type(task_type.name, task_type.fields) for task_type in registry.types}
    task = msgspec.defstruct("Task", [(name, view | UnsetType, UNSET) for name, view in views.items()])
    shapes = [
        new_task_type(registry),
        task,
        Created,
        Problem,
        Health,
        Stats,
        NodeView,
        AttemptView,
        Explanation,
        DestinationView,
        DestinationChange,
        CallbackSummary,
        *views.values(),
    ]
    _, schemas = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    schemas["NewTask"] |= {
        "description": "One member, named for the task type. Of a name that comes twice in an object the last one counts.",
        "minProperties": 1,
        "maxProperties": 1,
    }
    schemas["Task"] |= {"description": "A task under the name of its type.", "minProperties": 1, "maxProperties": 1}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tasker",
            "version": __version__,
            "description": "Runs a task at its time: calls a URL or runs a job. Every failure, an unknown path included, is "
            "answered with a Problem. HEAD works where GET does.",
        },
        "paths": {
            **tasks.paths({name: schema(view.__name__) for name, view in views.items()}, _examples(registry)),
            **destinations.paths(),
            **about.paths(),
        },
        "webhooks": tasks.webhooks(),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": refusal_components(),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "If the server was started with API keys."}
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
