"""A client whose requests are answered here, and whose pauses take no time."""

import contextlib
import json
from types import SimpleNamespace

import httpx2
import pytest

import tasker
from tasker.client.synchronous import by_key, connection, operating

CREATED = {"id": "01a20f5f-cad1-7ddf-9a84-7874a503bf14", "outcome": "created"}
TASK = {
    "webhook": {
        "id": "01a20f5f-cad1-7ddf-9a84-7874a503bf14",
        "type": "webhook",
        "state": "todo",
        "created_at": "2027-03-01T09:30:00.000000Z",
        "execution_time": "2027-03-02T09:30:00Z",
        "attempts": 0,
        "last_error": None,
        "started_at": None,
        "ended_at": None,
        "lateness_seconds": None,
        "url": "https://example.org/hook",
    }
}


def problem(status, code, headers=None, **members):
    """A refusal of a server."""
    body = {"title": "T", "status": status, "code": code, "detail": "no", "msg": "no", **members}
    return httpx2.Response(
        status, headers={"content-type": "application/problem+json", **(headers or {})}, content=json.dumps(body)
    )


def answer(body, status=200, headers=None):
    return httpx2.Response(status, headers=headers, json=body)


class Wire:
    """Gives the answers one after the other; the last one again and again. An exception is raised."""

    def __init__(self, *answers):
        self._answers = list(answers)
        self.requests = []
        self.pauses = []
        self.now = 1_000.0

    def __call__(self, request):
        self.requests.append(request)
        given = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(given, Exception):
            raise given
        return given(request) if callable(given) else given

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds

    @property
    def bodies(self):
        return [json.loads(request.content) for request in self.requests]


@contextlib.contextmanager
def calling(*answers, key="the-key", rand=lambda: 1.0, **options):
    """A synchronous client, and the wire that it hangs on."""
    wire = Wire(*answers)
    clock = SimpleNamespace(sleep=wire.sleep, monotonic=lambda: wire.now)
    with pytest.MonkeyPatch.context() as patched:
        for module in (by_key, connection, operating):
            patched.setattr(module, "time", clock)
        with tasker.Client("http://server", key, transport=httpx2.MockTransport(wire), **options) as client:
            client._connection._rand = rand
            yield client, wire
