"""Tells how attempts in other hands go on and end, with their tokens, and notes what was answered."""

import http.client
import itertools
import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlsplit

from caller import ANSWER_SECONDS, RESEND_SECONDS, REST_SECONDS

from cluster import now
from tasker.model import instants
from tasker.model.instants import Instant


class Told(StrEnum):
    """What is told of an attempt."""

    COMPLETE = "complete"
    FAIL = "fail, to be tried again"
    FAIL_FOR_GOOD = "fail for good"
    HEARTBEAT = "heartbeat"

    @property
    def is_end(self) -> bool:
        """Whether the task has ended then."""
        return self in (Told.COMPLETE, Told.FAIL_FOR_GOOD)


@dataclass(frozen=True)
class Report:
    """What was told, and what came of it: of all the times that it was sent."""

    token: str
    told: Told
    word: str
    """The result, or the code of the fault: no two reports have the same."""
    sent_at: Instant
    """For the first time."""
    answered_at: Instant = 0
    """For the last time, or when that was given up."""
    times_sent: int = 0
    status: int = 0
    """0: there was no answer."""
    code: str | None = None
    """Of the problem that the answer is."""
    deadline: Instant | None = None
    """As the answer to a heartbeat says."""

    @property
    def task_id(self) -> str:
        """The task whose attempt it is."""
        return self.token.partition(".")[0]

    @property
    def is_open(self) -> bool:
        """Whether it is not known if it was heard."""
        return self.status in (0, 503)

    @property
    def may_have_ended(self) -> bool:
        """Whether it may have ended the attempt."""
        again = self.code == "completed_before" and self.times_sent > 1
        return self.told is not Told.HEARTBEAT and (self.status == 200 or self.is_open or again)


class Reporter:
    """Sends reports, each until it is answered. Any thread may use it."""

    def __init__(self):
        self.reports: list[Report] = []
        """All, in the order in which they were answered."""
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def tell(self, url: str, token: str, told: Told, *, deadline: str | None = None) -> Report:
        """Tell the server at *url*, which ends in ``/completions``; return what came of it.

        Args:
            deadline: what a heartbeat asks for.
        """
        report = Report(token, told, f"r{next(self._numbers)}", now())
        body = _body(report, deadline)
        limit = time.monotonic() + RESEND_SECONDS
        while True:
            report = _sent(report, url, body)
            is_late = time.monotonic() > limit or (told is Told.HEARTBEAT and report.times_sent > 1)
            if not report.is_open or is_late:
                break
            time.sleep(REST_SECONDS)
        with self._lock:
            self.reports.append(report)
        return report

    def by_token(self) -> dict[str, list[Report]]:
        """The reports of each attempt."""
        return by_token(self.reports)


def by_token(reports: Iterable[Report]) -> dict[str, list[Report]]:
    found = defaultdict(list)
    for report in reports:
        found[report.token].append(report)
    return found


def _body(report: Report, deadline: str | None) -> dict[str, object]:
    match report.told:
        case Told.COMPLETE:
            return {"result": report.word}
        case Told.HEARTBEAT:
            return {"progress": 0.5} if deadline is None else {"deadline": deadline}
        case Told.FAIL:
            return {"code": report.word}
        case Told.FAIL_FOR_GOOD:
            return {"code": report.word, "retry": False}


def _sent(report: Report, url: str, body: object) -> Report:
    address, call = urlsplit(url), report.told.partition(",")[0].partition(" ")[0]
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=ANSWER_SECONDS)
    headers = {"content-type": "application/json", "authorization": f"Bearer {report.token}"}
    status, answer = 0, {}
    try:
        connection.request("POST", f"{address.path}/{call}", json.dumps(body).encode(), headers)
        response = connection.getresponse()
        status, answer = response.status, json.loads(response.read())
    except (OSError, http.client.HTTPException):
        pass
    finally:
        connection.close()
    deadline = answer.get("deadline")
    return replace(
        report,
        times_sent=report.times_sent + 1,
        answered_at=now(),
        status=status,
        code=answer.get("code"),
        deadline=None if deadline is None else instants.parse(deadline),
    )
