"""The calls about the server itself."""

from typing import Any

from tasker.api.openapi.parts import SECONDS, UNKEYED, array, json, refusals, schema


def paths() -> dict[str, Any]:
    """Return the paths."""
    return {
        "/healthz": {
            "get": {
                "operationId": "getHealth",
                "summary": "Is the server alive? Needs no key.",
                "security": [],
                "responses": {"200": json("It is.", schema("Health")), **refusals(anywhere=UNKEYED)},
            }
        },
        "/readyz": {
            "get": {
                "operationId": "getReadiness",
                "summary": "Should the server be sent work now? Needs no key.",
                "security": [],
                "responses": {
                    "200": json("It should.", schema("Health")),
                    **refusals(anywhere=UNKEYED),
                    "503": json("It should not: reason says why.", schema("Health")) | {"headers": {"Retry-After": SECONDS}},
                },
            }
        },
        "/stats": {
            "get": {
                "operationId": "getStats",
                "summary": "Lateness, counts and worker slots.",
                "responses": {"200": json("What was counted.", schema("Stats")), **refusals(503)},
            }
        },
        "/nodes": {
            "get": {
                "operationId": "getNodes",
                "summary": "The servers that share the database, in the order in which they started.",
                "responses": {"200": json("The nodes.", array("NodeView")), **refusals(503)},
            }
        },
        "/openapi.json": {
            "get": {
                "operationId": "getOpenapi",
                "summary": "This description.",
                "responses": {"200": json("OpenAPI 3.1.", {"type": "object"}), **refusals()},
            }
        },
    }
