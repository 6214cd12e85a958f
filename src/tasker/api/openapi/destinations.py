"""The calls under ``/destinations``."""

from typing import Any

from tasker.api.openapi.parts import json, page, page_parameters, path_id, refusals, request, schema


def paths() -> dict[str, Any]:
    """Return the paths."""
    destination_id = path_id({"type": "integer", "minimum": 1})
    links = {
        call: {"operationId": call, "parameters": {"id": "$response.body#/0/id"}}
        for call in ("getDestination", "changeDestination", "pauseDestination", "resumeDestination")
    }
    found = page("The destinations. A list that breaks off has failed half-way.", schema("DestinationView"))
    return {
        "/destinations": {
            "get": {
                "operationId": "listDestinations",
                "summary": "List where tasks have gone and are to go, by id.",
                "parameters": page_parameters(),
                "responses": {"200": found | {"links": links}, **refusals(400, 503)},
            }
        },
        "/destinations/{id}": {
            "parameters": [destination_id],
            "get": {
                "operationId": "getDestination",
                "summary": "Read a destination.",
                "responses": {"200": _destination("The destination."), **refusals(404, 503)},
            },
            "patch": {
                "operationId": "changeDestination",
                "summary": "Say how many tasks of a destination may run at once.",
                "requestBody": request(schema("DestinationChange")),
                "responses": {"200": _destination("The destination now."), **refusals(400, 404, 413, 415, 503, 507)},
            },
        },
        "/destinations/{id}/pause": {
            "parameters": [destination_id],
            "post": {
                "operationId": "pauseDestination",
                "summary": "Start no more tasks of a destination; what is running goes on. Takes no body.",
                "responses": {"200": _destination("The destination now."), **refusals(400, 404, 413, 415, 503, 507)},
            },
        },
        "/destinations/{id}/resume": {
            "parameters": [destination_id],
            "post": {
                "operationId": "resumeDestination",
                "summary": "Start tasks of a destination again. Takes no body.",
                "responses": {"200": _destination("The destination now."), **refusals(400, 404, 413, 415, 503, 507)},
            },
        },
    }


def _destination(description: str) -> dict[str, Any]:
    return json(description, schema("DestinationView"))
