"""kill -9 while workers have jobs: their leases go on, and what was answered with 200 has happened."""

import collections
import itertools
import json
import random
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.error import HTTPError

import pytest

from databases import new_database
from polling import until
from tasker.model import instants
from tasker.testing.server import TaskerServer
from tasker.timing.clock import SystemClock

KILLS = 4
JOBS = 25
"""At each kill."""
WORKERS = 4
LEASE = 3
"""Seconds."""


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request, tmp_path):
    options = ["--database-url", new_database()] if request.param == "postgresql" else []
    with TaskerServer(tmp_path, *options) as server:
        yield server


def create(server, count=1):
    job = {"delay": 0, "queue": "reports", "retry": {"initial_delay": 0.1, "max_delay": 0.1, "max_attempts": 50}}
    return [server.call("POST", "/tasks/new", {"job": job})["id"] for _ in range(count)]


def claim(server, *, lease=LEASE, wait=0, most=1):
    return server.call("POST", "/queues/reports/claim", {"max": most, "wait": wait, "lease": lease})["jobs"]


def tell(server, token, what, body=None):
    """The status of the answer to a report, 0 if there was none, and the code of a problem."""
    try:
        server.call("POST", f"/completions/{what}", body or {}, headers={"authorization": f"Bearer {token}"})
    except HTTPError as error:
        return error.code, json.load(error)["code"]
    except (OSError, HTTPException):
        return 0, None
    return 200, None


def kill(server):
    server.kill()
    server.start()


def test_a_lease_goes_on_while_no_server_runs_and_what_it_is_of_is_nobody_elses(server):
    ids = create(server, 3)
    (kept,), (over,), (beaten,) = claim(server, lease=60), claim(server), claim(server)
    assert [job["id"] for job in (kept, over, beaten)] == ids
    assert tell(server, beaten["token"], "heartbeat", {"deadline": "60s"}) == (200, None)
    server.kill()
    time.sleep(max(instants.parse(over["lease_until"]) - SystemClock().now(), 0) / instants.SECOND)
    server.start()

    (again,) = claim(server, lease=60, most=9, wait=60)  # the one whose lease has ended
    assert (again["id"], again["attempt"]) == (over["id"], 1)
    assert tell(server, over["token"], "complete") == (409, "completion_late")
    assert claim(server, most=9) == []
    for job in (kept, beaten, again):
        assert tell(server, job["token"], "complete", {"result": job["token"]}) == (200, None)
        kill(server)
        shown = server.call("GET", f"/tasks/{job['id']}")["job"]
        assert (shown["state"], shown["result"]) == ("done", job["token"])
        assert tell(server, job["token"], "complete") == (409, "completed_before")


def test_what_workers_do_holds_through_kills(server):
    work = Work(server)
    workers = [threading.Thread(target=work.run, args=(random.Random(number),)) for number in range(WORKERS)]
    for worker in workers:
        worker.start()
    ids = []
    for number in range(1, KILLS + 1):
        ids += create(server, JOBS)
        until(lambda number=number: len(work.handed) > number * JOBS * 2 // 3, "workers have jobs", seconds=60)
        work.is_up.clear()
        kill(server)
        work.is_up.set()
    work.is_last.set()
    until(lambda: not server.call("GET", "/tasks?state=todo&state=in_progress&limit=1")["tasks"], "all has ended")
    work.is_over.set()
    for worker in workers:
        worker.join()
    assert work.failures == []
    ended = {task_id: server.call("GET", f"/tasks/{task_id}")["job"] for task_id in ids}

    of_job = collections.defaultdict(list)
    for handed in work.handed:
        of_job[handed.task_id].append(handed)
    assert any(len(each) > 1 for each in of_job.values()), "no job was handed out again"
    for handed in of_job.values():
        handed.sort(key=lambda each: each.claimed_at)
        for before, after in itertools.pairwise(handed):
            assert after.claimed_at >= before.had_until, "two workers have had it at once"
    for task_id, shown in ended.items():
        heard = [each for each in of_job[task_id] if each.status == 200 and each.end != "fail"]
        assert len(heard) <= 1, "it has ended twice"
        if heard:
            assert (shown["state"], shown["result"]) == ("done", heard[0].token)
        else:
            is_unheard = any(each.end == "complete" and each.status != 200 for each in of_job[task_id])
            assert shown["state"] == "failed" or is_unheard
            assert shown["state"] == "done" or shown["last_error"]["code"] == "crashed_worker"


@dataclass
class Handed:
    """A job that a worker was given."""

    task_id: str
    token: str
    claimed_at: int
    had_until: int
    """Until when nobody else may have it."""
    end: str | None = None
    status: int | None = None
    """Of the answer to the report of its end."""


@dataclass
class Work:
    """Workers that report each end until it is answered, over all kills; some leave jobs behind."""

    server: TaskerServer
    handed: list[Handed] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)

    def __post_init__(self):
        self.is_up, self.is_last, self.is_over = threading.Event(), threading.Event(), threading.Event()
        self.is_up.set()

    def run(self, rand):
        try:
            while not self.is_over.is_set():
                self.is_up.wait()
                try:
                    jobs = claim(self.server, most=rand.randint(1, 3), wait=0.5)
                except (OSError, HTTPException):
                    continue
                for job in jobs:
                    self.work(job, rand)
        except BaseException as error:
            self.failures.append(error)
            raise

    def work(self, job, rand):
        until = instants.parse(job["lease_until"])
        handed = Handed(job["id"], job["token"], until - LEASE * instants.SECOND, until)
        self.handed.append(handed)
        what = rand.choice(["complete"] * 6 + ["fail", "leave"])
        if what == "leave" and not self.is_last.is_set():
            return
        handed.end, told = ("fail", {}) if what == "fail" else ("complete", {"result": job["token"]})
        time.sleep(rand.random() / 20)
        sent_at = SystemClock().now()
        for _ in range(20):
            self.is_up.wait()
            handed.status, code = tell(self.server, job["token"], handed.end, told)
            if handed.status not in (0, 503):
                break
        if handed.end == "fail" and (handed.status == 200 or code == "completed_before"):
            handed.had_until = sent_at
        elif handed.status == 200:
            handed.had_until = instants.LAST
