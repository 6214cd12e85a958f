"""Every method of the client that sends something, with arguments that it takes."""

import inspect
from datetime import UTC, datetime

ID = "01a20f5f-cad1-7ddf-9a84-7874a503bf14"
KEY = "shop/order 17"
NAME = "report"
NOW = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)
TOKEN = "the-token"
HOOK = "https://example.org/hook"

METHODS = {
    "schedule": lambda client: client.schedule(HOOK, delay=60),
    "create": lambda client: client.create("hash", {"secret": "x"}, delay=60),
    "schedule_many": lambda client: client.schedule_many([{"url": HOOK, "delay": 60}]),
    "get": lambda client: client.get(ID),
    "find": lambda client: client.find(state="todo", limit=1),
    "count": lambda client: client.count(state="todo"),
    "wait": lambda client: client.wait(ID, timeout=1),
    "update": lambda client: client.update(ID, type="webhook", delay=60),
    "cancel": lambda client: client.cancel(ID),
    "run": lambda client: client.run(ID),
    "retry": lambda client: client.retry(ID),
    "delete": lambda client: client.delete(ID),
    "duplicate": lambda client: client.duplicate(ID, delay=60),
    "attempts": lambda client: client.attempts(ID),
    "explain": lambda client: client.explain(ID),
    "history": lambda client: client.history(ID),
    "by_key.get": lambda client: client.by_key(KEY).get(),
    "by_key.wait": lambda client: client.by_key(KEY).wait(timeout=1),
    "by_key.update": lambda client: client.by_key(KEY).update(type="webhook", delay=60),
    "by_key.cancel": lambda client: client.by_key(KEY).cancel(),
    "by_key.run": lambda client: client.by_key(KEY).run(),
    "by_key.retry": lambda client: client.by_key(KEY).retry(),
    "by_key.delete": lambda client: client.by_key(KEY).delete(),
    "by_key.duplicate": lambda client: client.by_key(KEY).duplicate(delay=60),
    "queues.claim": lambda client: client.queues.claim(NAME),
    "queues.claim_any": lambda client: client.queues.claim_any([NAME, "type:report.build"]),
    "completions.complete": lambda client: client.completions.complete(TOKEN, {"pages": 3}),
    "completions.fail": lambda client: client.completions.fail(TOKEN, code="no_paper", retry_after="1h"),
    "completions.heartbeat": lambda client: client.completions.heartbeat(TOKEN, progress=0.5),
    "completions.release": lambda client: client.completions.release(TOKEN),
    "schedules.put": lambda client: client.schedules.put(NAME, HOOK, every="1h"),
    "schedules.preview": lambda client: client.schedules.preview(every="1h"),
    "schedules.find": lambda client: client.schedules.find(limit=1),
    "schedules.get": lambda client: client.schedules.get(NAME),
    "schedules.delete": lambda client: client.schedules.delete(NAME),
    "schedules.pause": lambda client: client.schedules.pause(NAME),
    "schedules.resume": lambda client: client.schedules.resume(NAME),
    "schedules.run": lambda client: client.schedules.run(NAME),
    "schedules.backfill": lambda client: client.schedules.backfill(NAME, from_=NOW, to=NOW),
    "destinations.find": lambda client: client.destinations.find(limit=1),
    "destinations.make": lambda client: client.destinations.make(url=HOOK, max_running=2),
    "destinations.get": lambda client: client.destinations.get(1),
    "destinations.update": lambda client: client.destinations.update(1, max_per_second=None),
    "destinations.pause": lambda client: client.destinations.pause(1),
    "destinations.resume": lambda client: client.destinations.resume(1),
    "destinations.probe": lambda client: client.destinations.probe(1),
    "operations.start": lambda client: client.operations.start("retry", filter={"state": "failed"}),
    "operations.get": lambda client: client.operations.get(ID),
    "operations.find": lambda client: client.operations.find(limit=1),
    "operations.wait": lambda client: client.operations.wait(ID, timeout=1),
    "operations.cancel": lambda client: client.operations.cancel(ID),
    "keys.create": lambda client: client.keys.create("grafana", role="metrics"),
    "keys.find": lambda client: client.keys.find(limit=1),
    "keys.revoke": lambda client: client.keys.revoke("0a1b2c3d"),
    "inbox.find": lambda client: client.inbox.find(limit=1),
    "inbox.retry": lambda client: client.inbox.retry(ID),
    "inbox.delete": lambda client: client.inbox.delete(ID),
    "events": lambda client: client.events(type="webhook"),
    "stats": lambda client: client.stats(),
    "stats_due": lambda client: client.stats_due(from_=NOW, step="1h"),
    "stats_history": lambda client: client.stats_history(to=NOW),
    "failures": lambda client: client.failures(from_=NOW),
    "audit": lambda client: client.audit(kind="task", after=NOW, limit=1),
    "nodes": lambda client: client.nodes(),
    "pause": lambda client: client.pause(),
    "resume": lambda client: client.resume(),
    "health": lambda client: client.health(),
    "ready": lambda client: client.ready(),
    "openapi": lambda client: client.openapi(),
    "request": lambda client: client.request("POST", "/tasks/new", json={}),
}
"""By name. One that returns an iterator has sent nothing yet."""

BARE = frozenset({"close"})
"""Public names of the client that send nothing themselves."""


def docstring(client, name):
    """What a method says of itself."""
    place, _, method = name.rpartition(".")
    owner = client.by_key(KEY) if place == "by_key" else getattr(client, place) if place else client
    return inspect.cleandoc(getattr(type(owner), method).__doc__)  # as newer Pythons have it from the start


def sent(made):
    """Have a synchronous method send what it has to: an iterator does with its first item."""
    return next(iter(made)) if hasattr(made, "__next__") else made
