"""The declared calls as operations."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from tasker.api.calls import Answer, Call, Shape
from tasker.api.etags import IF_MATCH
from tasker.api.idempotency import PARAMETER, REPLAYED
from tasker.api.openapi.parts import refusals, request, schema
from tasker.api.problems import status_of
from tasker.callers import Scope


def paths(
    calls: Iterable[Call], registered: Mapping[Shape, dict[str, Any]], *, examples: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the paths.

    Args:
        registered: the schemas that depend on the task types.
        examples: requests for new tasks.
    """
    rendered: dict[str, Any] = {}
    for call in calls:
        item = rendered.setdefault(call.path, _place(call, registered))
        item[call.method.lower()] = _operation(call, registered, examples)
    return rendered


def webhooks() -> dict[str, Any]:
    """Return what is sent to those who ask to be told of a task's end."""
    return {
        "taskEnded": {
            "post": {
                "summary": "Tells of the end of a task that has on_success or on_failure.",
                "requestBody": request(schema("CallbackSummary")),
                "responses": {"2XX": {"description": "It was heard. After any other answer it is sent again."}},
            }
        }
    }


def _place(call: Call, registered: Mapping[Shape, dict[str, Any]]) -> dict[str, Any]:
    """What all calls of a path have: the parameter in it."""
    if call.value is None:
        return {}
    (name,) = re.findall(r"\{(\w+)\}", call.path)
    shape = registered[call.value] if isinstance(call.value, Shape) else call.value
    return {"parameters": [{"name": name, "in": "path", "required": True, "schema": shape}]}


def _operation(call: Call, registered: Mapping[Shape, dict[str, Any]], examples: Mapping[str, Any]) -> dict[str, Any]:
    is_open = call.scope is Scope.OPEN
    operation: dict[str, Any] = {"operationId": call.operation_id, "summary": call.summary}
    # Behind a scheme that is not OAuth's stand the roles that a call needs: OpenAPI 3.1, "Security
    # Requirement Object".
    operation["security"] = [] if is_open else [{}, {"key": [call.scope.value]}]
    if call.takes_token:
        operation["security"] = [{"token": []}]
    parameters: list[Mapping[str, Any]] = [
        {"name": each.name, "in": "query", "description": each.description, "schema": each.schema}
        for each in call.query
    ]
    parameters += [
        {"name": each.name, "in": "header", "description": each.description, "schema": each.schema}
        for each in call.headers
    ]
    if call.is_repeatable:
        parameters.append(PARAMETER)
    if call.is_conditional:
        parameters.append(IF_MATCH)
    if parameters:
        operation["parameters"] = parameters
    if call.body is not None and call.body.shape is not None:
        more = {"examples": examples} if call.body.shape is Shape.NEW_TASK else {}
        is_patch = call.method == "PATCH"
        operation["requestBody"] = request(_schema(call.body.shape, registered), is_patch=is_patch, **more)
        if call.body.is_optional:
            operation["requestBody"]["required"] = False
        if call.body.taken is not None:
            operation["requestBody"]["content"][call.body.taken.media_type] = {"schema": {"type": "string"}}
    operation["responses"] = {
        **refusals(map(status_of, call.raises), is_open=is_open),
        **{
            str(answer.status): _answer(answer, registered, is_repeatable=call.is_repeatable) for answer in call.answers
        },
    }
    operation["responses"] = dict(sorted(operation["responses"].items()))
    return operation


def _answer(answer: Answer, registered: Mapping[Shape, dict[str, Any]], *, is_repeatable: bool) -> dict[str, Any]:
    rendered: dict[str, Any] = {"description": answer.description}
    if answer.shape is not None:
        item = _schema(answer.shape, registered)
        shape = {"type": "array", "items": item} if answer.is_list else item
        rendered["content"] = {answer.media_type: {"schema": shape}}
    headers = {**answer.headers, **({"Idempotency-Replayed": REPLAYED} if is_repeatable else {})}
    if headers:
        rendered["headers"] = headers
    if answer.links is not None:
        parameters = {"id": answer.links.id}
        rendered["links"] = {
            name: {"operationId": name, "parameters": parameters} for name in answer.links.operation_ids
        }
    return rendered


def _schema(shape: type[msgspec.Struct] | Shape, registered: Mapping[Shape, dict[str, Any]]) -> dict[str, Any]:
    return registered[shape] if isinstance(shape, Shape) else schema(shape.__name__)
