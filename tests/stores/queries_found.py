"""Queries that use every index that drives, both ways, with every filter looked at on the way."""

from tasker.filters import REASONS, SORTS, query_of

DRIVING = {
    "key": ["order 17"],
    "key_prefix": ["order"],
    "tag": ["a", "b"],
    "parent": ["01a20f5f-cad1-7ddf-9a84-7874a503bf14"],
    "schedule": ["nightly"],
}
OTHERS = {
    "state": ["todo", "failed", "done"],
    "type": ["webhook"],
    "destination": ["http://localhost:9000"],
    "group": ["mail"],
    "queue": ["reports"],
    "error": ["timeout"],
    "fingerprint": ["0123456789abcdef"],
    "due_after": ["2026-01-01T00:00:00Z"],
    "due_before": ["2027-01-01T00:00:00Z"],
    "created_after": ["2026-01-01T00:00:00Z"],
    "created_before": ["2027-01-01T00:00:00Z"],
}
ENDED = {"ended_after": ["2026-01-01T00:00:00Z"], "ended_before": ["2027-01-01T00:00:00Z"]}

QUERIES_FOUND = [
    (f"{', '.join(words) or 'all'} by {sort}", query_of(words, sort))
    for words, sorts in [
        ({}, SORTS),
        (OTHERS, SORTS),
        (ENDED, SORTS),
        *(({"destination": ["17"], "reason": [reason]}, ("due",)) for reason in REASONS),
        *(({name: values}, ("created", "-created")) for name, values in DRIVING.items()),
        *((OTHERS | {name: values}, ("created",)) for name, values in DRIVING.items()),
        (OTHERS | DRIVING, ("created", "-created")),
    ]
    for sort in sorts
]
"""Each with what it is called."""
