"""Creates tasks over HTTP at a steady rate, and notes what came of each call."""

import http.client
import itertools
import json
import random
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from cluster import NODES, Cluster, now, wait_until
from tasker.model import instants
from tasker.model.instants import Instant
from tasker.testing.webhook_receiver import WebhookReceiver

THREADS = 9
CHANGED = 0.2
"""The share of webhooks that are changed once they are accepted."""
HASHES = 0.1
"""The share of hashes; the rest are webhooks."""

WAITS = ("0", "0.02", "0.5")
"""Seconds that the receiver takes to answer, so that some deliveries are always under way."""

DUE_SECONDS = (0.05, 3.0)
_ANSWER_SECONDS = 8.0
_REST_SECONDS = 0.3
"""How long a thread leaves a node alone that failed it."""

_LONG_REST_SECONDS = 5.0
"""The same for one that did not answer in time."""


@dataclass(frozen=True)
class Creation:
    """A call that was to create a task, and what came of it."""

    key: str
    """The body of the webhook or the secret of the hash: no two calls have the same."""
    kind: str
    due_at: Instant
    sent_at: Instant
    answered_at: Instant
    place: int
    """Which node was called."""
    status: int
    """0: the connection broke, or there was no answer in time."""
    task_id: str | None
    retry_after: str | None


@dataclass(frozen=True)
class Changing:
    """A call that was to change a webhook, and what came of it: its time, and its header ``x-form``."""

    key: str
    due_at: Instant
    answered_at: Instant
    status: int
    """As of a creation."""


class Load:
    """Runs from when it is entered until it is left.

    Each thread keeps its connections open and calls a node of its own; while that one fails it,
    another one.
    """

    def __init__(self, cluster: Cluster, receiver: WebhookReceiver, *, per_second: float, seed: int):
        self.creations: list[Creation] = []
        self.changes: list[Changing] = []
        self._cluster = cluster
        self._receiver = receiver
        self._interval = THREADS / per_second
        self._over = threading.Event()
        self._numbers = itertools.count()
        self._caller, self._rand = _Caller(), random.Random(seed)
        self._threads = [
            threading.Thread(target=self._run, args=(number, random.Random(f"{seed} {number}")))
            for number in range(THREADS)
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def accepted(self) -> list[Creation]:
        """The calls that were answered with 201."""
        return [each for each in self.creations if each.status == 201]

    def wait_for(self, count: int):
        """Return once *count* more tasks were accepted."""
        enough = len(self.accepted) + count
        wait_until(lambda: len(self.accepted) >= enough, "enough tasks were accepted")

    def wait_until_accepted_by(self, places):
        """Call each of the nodes in *places* until it accepts a task."""
        for place in places:
            wait_until(lambda: self._try(self._caller, place, self._rand) == 201, "a node accepts a task")  # noqa: B023

    def _run(self, number: int, rand: random.Random):
        caller, rests = _Caller(), [0.0] * NODES
        due = time.monotonic() + rand.random() * self._interval
        while not self._over.wait(max(due - time.monotonic(), 0)):
            due = max(due + self._interval, time.monotonic())  # what was missed is not made up for
            places = [(number + step) % NODES for step in range(NODES)]
            place = next((each for each in places if rests[each] <= time.monotonic()), None)
            if place is not None:
                began = time.monotonic()
                if self._try(caller, place, rand) in (0, 503):
                    was_long = time.monotonic() - began >= _ANSWER_SECONDS
                    rests[place] = time.monotonic() + (_LONG_REST_SECONDS if was_long else _REST_SECONDS)

    def _try(self, caller: "_Caller", place: int, rand: random.Random) -> int:
        """Call a node to create a task, and return the answer's status."""
        key, sent_at = str(next(self._numbers)), now()
        kind = "hash" if rand.random() < HASHES else "webhook"
        due_at = sent_at + round(rand.uniform(*DUE_SECONDS) * instants.SECOND)
        fields = {"execution_time": instants.text(due_at)}
        url = self._receiver.url(f"/slow/{rand.choice(WAITS)}")
        fields |= {"secret": key} if kind == "hash" else {"url": url, "body": key, "headers": {"x-form": "old"}}
        address = self._cluster.nodes[place].server.url
        status, task_id, retry_after = caller.call("POST", address, "/tasks/new", {kind: fields})
        self.creations.append(Creation(key, kind, due_at, sent_at, now(), place, status, task_id, retry_after))
        if status == 201 and kind == "webhook" and rand.random() < CHANGED:
            return self._change(caller, address, key, f"/tasks/{task_id}", rand)
        return status

    def _change(self, caller: "_Caller", address: str, key: str, path: str, rand: random.Random) -> int:
        """Call a node to change a webhook, and return the answer's status; 201 if it was not done in time."""
        due_at = now() + round(rand.uniform(*DUE_SECONDS) * instants.SECOND)
        fields = {"execution_time": instants.text(due_at), "headers": {"x-form": "new"}}
        status, *_ = caller.call("PATCH", address, path, {"webhook": fields})
        self.changes.append(Changing(key, due_at, now(), status))
        return 201 if status in (200, 400, 409) else status


class _Caller:
    """Keeps a connection to each node open."""

    def __init__(self):
        self._connections: dict[str, http.client.HTTPConnection] = {}

    def call(self, method: str, url: str, path: str, body) -> tuple[int, str | None, str | None]:
        """Return the answer's status, its id and its Retry-After; a status of 0 is none."""
        connection = self._connections.get(url)
        if connection is None:
            address = urlsplit(url)
            connection = http.client.HTTPConnection(address.hostname, address.port, timeout=_ANSWER_SECONDS)
            self._connections[url] = connection
        try:
            connection.request(method, path, json.dumps(body).encode(), {"content-type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException):
            connection.close()
            return 0, None, None
        return response.status, answer.get("id"), response.getheader("retry-after")
