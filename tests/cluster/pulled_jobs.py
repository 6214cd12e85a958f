"""Jobs that workers pull, and the workers: some are late, some hang up, and some die with what they have."""

import http.client
import itertools
import json
import random
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from caller import Answer, Caller, Request
from reporting import Reporter, Told

from cluster import NODES, Cluster, now
from tasker.model import instants
from tasker.model.instants import SECOND, Instant

PER_SECOND = 8
WORKERS = 6

LEASE = 3
"""Seconds."""

LIMITED, LIMIT = "limited", 3
"""A queue of whose jobs workers may have so many at once."""

QUEUES = ("wide", LIMITED)

HANG_UPS = 0.05
"""The share of the claims whose worker hangs up before it is answered."""


class Plan(StrEnum):
    """What a worker does with a job."""

    SOON = "completed within 0.3 s"
    BEATING = "completed behind the first lease, which heartbeats have moved"
    FAILS = "failed, to be tried again"
    FAILS_FOR_GOOD = "failed for good"
    NEAR = "completed about the end of the lease"
    LATE = "completed behind the end of the lease"
    DIES = "left behind by a worker that has died"


SHARES = {
    Plan.SOON: 60,
    Plan.BEATING: 8,
    Plan.FAILS: 10,
    Plan.FAILS_FOR_GOOD: 4,
    Plan.NEAR: 6,
    Plan.LATE: 5,
    Plan.DIES: 7,
}
"""Of a hundred claims of a job."""


@dataclass(frozen=True)
class PulledJob:
    """One that somebody has created."""

    queue: str
    due_at: Instant
    created: Answer

    @property
    def task_id(self) -> str | None:
        """None: no answer has named it."""
        return self.created.body["id"] if self.created.status == 201 else None


@dataclass(frozen=True)
class Handed:
    """A job that a worker was given: the answer to its claim had arrived."""

    task_id: str
    token: str
    plan: Plan
    due_at: Instant
    lease_until: Instant

    @property
    def claimed_at(self) -> Instant:
        """When it was claimed, by the database's clock."""
        return self.lease_until - LEASE * SECOND


class PullLoad:
    """Creates jobs from when it is entered until ``finish``; its workers work until it is left."""

    def __init__(self, cluster: Cluster, *, seed: int):
        self.jobs: list[PulledJob] = []
        self.handed: list[Handed] = []
        self.claims: list[Answer] = []
        self.hang_ups = 0
        self.reporter = Reporter()
        self._cluster = cluster
        self._seed = seed
        self._numbers = itertools.count()
        self._is_made, self._is_left = threading.Event(), threading.Event()
        self._maker = threading.Thread(target=self._make)
        self._workers = [threading.Thread(target=self._work, args=(number,)) for number in range(WORKERS)]
        self._pool = ThreadPoolExecutor(100)
        self._following: list[Future[None]] = []

    def __enter__(self) -> "PullLoad":
        limited = Request("POST", "/destinations", {"queue": LIMITED, "max_running": LIMIT})
        Caller(self._cluster).ask_until_answered(limited)
        for thread in (self._maker, *self._workers):
            thread.start()
        return self

    def __exit__(self, *error):
        self.finish()
        self._is_left.set()
        for worker in self._workers:
            worker.join()
        self._pool.shutdown()
        for each in self._following:
            each.result()

    def finish(self):
        """Create no more, and have workers do at once what is there."""
        self._is_made.set()
        self._maker.join()

    def _make(self):
        caller, rand = Caller(self._cluster, 2), random.Random(f"jobs {self._seed}")
        while not self._is_made.wait(rand.uniform(0, 2 / PER_SECOND)):
            if caller.place() is None:
                continue
            number, queue = next(self._numbers), rand.choice(QUEUES)
            due_at = now() + round(rand.uniform(0.05, 2) * SECOND)
            job = {
                "queue": queue,
                "json": number,
                "execution_time": instants.text(due_at),
                "retry": {"initial_delay": 0.2, "max_delay": 0.2, "max_attempts": 100},
            }
            request = Request("POST", "/tasks/new", {"job": job}, {"idempotency-key": f"job {number}"})
            self.jobs.append(PulledJob(queue, due_at, caller.ask_until_answered(request)))

    def _work(self, number: int):
        caller, rand = Caller(self._cluster, number), random.Random(f"worker {number} {self._seed}")
        while not self._is_left.is_set():
            place = caller.place(further=number % NODES)
            if place is None:
                time.sleep(0.1)
                continue
            path, asked = f"/queues/{rand.choice(QUEUES)}/claim", {"max": rand.randint(1, 3), "wait": 1, "lease": LEASE}
            if not self._is_made.is_set() and rand.random() < HANG_UPS:
                self._hang_up(place, path, asked, rand.random() / 5)
                continue
            claim = caller.ask(Request("POST", path, asked), place)
            self.claims.append(claim)
            if claim.status != 200:
                time.sleep(0.1)
                continue
            for job in claim.body["jobs"]:
                plan = Plan.SOON if self._is_made.is_set() else rand.choices(list(SHARES), SHARES.values())[0]
                due_at, lease_until = map(instants.parse, (job["execution_time"], job["lease_until"]))
                handed = Handed(job["id"], job["token"], plan, due_at, lease_until)
                self.handed.append(handed)
                self._following.append(self._pool.submit(self._follow, handed, rand.random()))

    def _hang_up(self, place: int, path: str, asked: object, seconds: float):
        """Claim, and hang up after so long, whatever comes."""
        address = urlsplit(self._cluster.nodes[place].server.url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=1)
        try:
            connection.request("POST", path, json.dumps(asked).encode(), {"content-type": "application/json"})
            time.sleep(seconds)
        except OSError:
            pass
        finally:
            connection.close()
        self.hang_ups += 1

    def _follow(self, handed: Handed, chance: float):
        url, token = f"{self._cluster.public_url}/completions", handed.token
        match handed.plan:
            case Plan.SOON:
                time.sleep(chance * 0.3)
                self.reporter.tell(url, token, Told.COMPLETE)
            case Plan.BEATING:
                for _ in range(4):
                    time.sleep(0.3 + chance)
                    self.reporter.tell(url, token, Told.HEARTBEAT)
                self.reporter.tell(url, token, Told.COMPLETE)
            case Plan.FAILS:
                time.sleep(chance)
                self.reporter.tell(url, token, Told.FAIL)
            case Plan.FAILS_FOR_GOOD:
                time.sleep(chance)
                self.reporter.tell(url, token, Told.FAIL_FOR_GOOD)
            case Plan.NEAR:
                time.sleep(max((handed.lease_until - now()) / SECOND + (chance - 0.5) / 5, 0))
                self.reporter.tell(url, token, Told.COMPLETE)
            case Plan.LATE:
                time.sleep(max((handed.lease_until - now()) / SECOND + chance, 0))
                self.reporter.tell(url, token, Told.COMPLETE)
