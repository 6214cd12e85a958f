"""The calls under ``/tasks``."""

from collections.abc import Mapping
from typing import Any

from tasker.api.openapi.parts import (
    TEXT,
    array,
    json,
    page,
    page_parameters,
    path_id,
    refusals,
    request,
    schema,
)
from tasker.model.task import State


def paths(views: Mapping[str, Any], examples: Mapping[str, Any]) -> dict[str, Any]:
    """Return the paths.

    Args:
        views: the schema of a task of each type.
        examples: requests for new tasks.
    """
    location = {"Location": {"description": "The path of the task.", "schema": TEXT}}
    task_id = path_id({"type": "string", "format": "uuid"})
    return {
        "/tasks/new": {
            "post": {
                "operationId": "createTask",
                "summary": "Create a task. Once this is answered, the task survives a kill and a power loss.",
                "requestBody": request(schema("NewTask"), examples=examples),
                "responses": {
                    "201": json("The task is stored.", schema("Created")) | {"headers": location, "links": _links()},
                    **refusals(400, 413, 415, 503, 507),
                },
            }
        },
        "/tasks/{id}": {
            "parameters": [task_id],
            "get": {
                "operationId": "getTask",
                "summary": "Read a task.",
                "responses": {"200": json("The task.", schema("Task")), **refusals(404, 503)},
            },
            "delete": {
                "operationId": "deleteTask",
                "summary": "Delete a task that is not running, for good: it never starts any more.",
                "responses": {"204": {"description": "The task is deleted."}, **refusals(404, 409, 503, 507)},
            },
        },
        "/tasks/{id}/retry": {
            "parameters": [task_id],
            "post": {
                "operationId": "retryTask",
                "summary": "Have a failed task run again, now. Takes no body.",
                "responses": {
                    "200": json("The task, which is todo.", schema("Task")),
                    **refusals(400, 404, 409, 413, 415, 503, 507),
                },
            },
        },
        "/tasks/{id}/attempts": {
            "parameters": [task_id],
            "get": {
                "operationId": "listAttempts",
                "summary": "List the latest attempts of a task that have ended, oldest first.",
                "responses": {"200": json("The attempts.", array("AttemptView")), **refusals(404, 503)},
            },
        },
        "/tasks/{id}/explain": {
            "parameters": [task_id],
            "get": {
                "operationId": "explainTask",
                "summary": "Say why a task is where it is, and what comes next.",
                "responses": {"200": json("The explanation.", schema("Explanation")), **refusals(404, 503)},
            },
        },
        "/tasks/type/{type}": {"get": _list("type", list(views), {"anyOf": list(views.values())})},
        "/tasks/state/{state}": {"get": _list("state", [state.word for state in State], schema("Task"))},
    }


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


def _links() -> dict[str, Any]:
    """What can be done with a task that was just created."""
    calls = ("getTask", "deleteTask", "retryTask", "listAttempts", "explainTask")
    return {call: {"operationId": call, "parameters": {"id": "$response.body#/id"}} for call in calls}


def _list(by: str, values: list[str], item: dict[str, Any]) -> dict[str, Any]:
    named = {"name": by, "in": "path", "required": True, "schema": {"type": "string", "enum": values}}
    answer = page("The tasks, without the values of their headers. A list that breaks off has failed half-way.", item)
    return {
        "operationId": f"listTasksBy{by.capitalize()}",
        "summary": f"List the tasks of a {by}, by execution time.",
        "parameters": [named, *page_parameters()],
        "responses": {"200": answer, **refusals(400, 503)},
    }
