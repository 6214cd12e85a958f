"""Calls nodes over HTTP, and leaves one that failed alone for a while."""

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cluster import NODES, Cluster, now
from tasker.model.instants import Instant

ANSWER_SECONDS = 8.0
"""So long an answer is waited for."""

RESEND_SECONDS = 20.0
"""So long a call is sent again that is not answered: longer than the database keeps a transaction
whose node it no longer hears of."""

REST_SECONDS = 0.3
"""How long a node is left alone that failed."""

_LONG_REST_SECONDS = 5.0
"""The same for one that did not answer in time."""


@dataclass(frozen=True)
class Request:
    """What a node is asked for."""

    method: str
    path: str
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What came of a request."""

    status: int
    """0: the connection broke, or there was no answer in time."""
    body: Mapping[str, object]
    """Its JSON; empty, if it has none."""
    headers: Mapping[str, str]
    """Names in lower case."""
    place: int
    """Of the node that was asked last."""
    sent_at: Instant
    """For the first time."""
    answered_at: Instant
    """For the last time, or when that was given up."""
    times_sent: int = 1

    @property
    def is_open(self) -> bool:
        """Whether it does not say what was done, so that it may be done yet."""
        return self.status in (0, 503)


class Caller:
    """Keeps a connection to each node open. Belongs to one thread."""

    def __init__(self, cluster: Cluster, number: int = 0):
        """Make one whose own node is in the place *number*."""
        self._cluster = cluster
        self._number = number
        self._rests = [0.0] * NODES
        self._connections: dict[str, http.client.HTTPConnection] = {}

    def place(self, *, further: int = 0) -> int | None:
        """The first node that is not left alone, from its own or *further* on; None: there is none."""
        places = [(self._number + further + step) % NODES for step in range(NODES)]
        return next((each for each in places if self._rests[each] <= time.monotonic()), None)

    def ask(self, request: Request, place: int) -> Answer:
        """Send a request to a node."""
        began, sent_at = time.monotonic(), now()
        response, body = self._exchange(self._cluster.nodes[place].server.url, request)
        status = 0 if response is None else response.status
        if status in (0, 503):
            was_long = time.monotonic() - began >= ANSWER_SECONDS
            self._rests[place] = time.monotonic() + (_LONG_REST_SECONDS if was_long else REST_SECONDS)
        headers = {} if response is None else {name.lower(): value for name, value in response.getheaders()}
        return Answer(status, body, headers, place, sent_at, now())

    def ask_until_answered(self, request: Request) -> Answer:
        """Send a request that may be repeated to one node after the other, until it is answered or time is up."""
        limit, first_sent_at, times_sent = time.monotonic() + RESEND_SECONDS, None, 0
        while True:
            place = self.place(further=times_sent)
            if place is not None:
                answer = self.ask(request, place)
                times_sent += 1
                first_sent_at = first_sent_at or answer.sent_at
                if not answer.is_open or time.monotonic() > limit:
                    return Answer(
                        answer.status,
                        answer.body,
                        answer.headers,
                        place,
                        first_sent_at,
                        answer.answered_at,
                        times_sent,
                    )
            time.sleep(REST_SECONDS)

    def _exchange(self, url: str, request: Request) -> tuple[http.client.HTTPResponse | None, dict]:
        """Return the answer and its JSON; None: there was none."""
        connection = self._connections.get(url)
        if connection is None:
            address = urlsplit(url)
            connection = http.client.HTTPConnection(address.hostname, address.port, timeout=ANSWER_SECONDS)
            self._connections[url] = connection
        body = None if request.body is None else json.dumps(request.body).encode()
        try:
            connection.request(
                request.method, request.path, body, {"content-type": "application/json", **request.headers}
            )
            response = connection.getresponse()
            text = response.read()
            return response, json.loads(text) if text else {}
        except (OSError, http.client.HTTPException):
            connection.close()
            return None, {}
