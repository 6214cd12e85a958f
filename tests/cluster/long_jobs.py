"""Long jobs: webhooks with a completion, and the receiver that accepts them and tells later how they ended."""

import asyncio
import itertools
import random
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from caller import Answer, Caller, Request
from reporting import Reporter, Told

from cluster import Cluster, now
from tasker.model import instants
from tasker.model.instants import Instant
from tasker.testing.webhook_receiver import Delivery, WebhookReceiver, answer

PER_SECOND = 4

DEADLINE = 3
"""Seconds that each waits for its completion, from the answer of the receiver."""

CANCELLED = 0.05
"""The share of the jobs that somebody cancels a little later."""


class Plan(StrEnum):
    """What becomes of an attempt."""

    AT_ONCE = "answered with 200"
    EARLY = "completed before the answer"
    SOON = "completed within half a second"
    BEATING = "completed behind the first deadline, which heartbeats have moved"
    FAILS = "failed, to be tried again"
    FAILS_FOR_GOOD = "failed for good"
    NEAR = "completed about the deadline"
    LATE = "completed behind the deadline"
    NEVER = "never told of"


SHARES = {
    Plan.AT_ONCE: 5,
    Plan.EARLY: 15,
    Plan.SOON: 32,
    Plan.BEATING: 10,
    Plan.FAILS: 10,
    Plan.FAILS_FOR_GOOD: 6,
    Plan.NEAR: 10,
    Plan.LATE: 7,
    Plan.NEVER: 5,
}
"""Of a hundred attempts."""


@dataclass(frozen=True)
class LongJob:
    """One that somebody has created."""

    text: str
    due_at: Instant
    created: Answer
    cancelled: Answer | None = None
    """What a cancel was answered; None: there was none."""

    @property
    def task_id(self) -> str | None:
        """None: no answer has named it."""
        return self.created.body["id"] if self.created.status == 201 else None


class LongJobLoad:
    """Creates long jobs from when it is entered until ``finish``, and receives and reports them until it is left."""

    def __init__(self, cluster: Cluster, *, seed: int):
        self.jobs: list[LongJob] = []
        self.plans: dict[str, Plan] = {}
        """By the token of the attempt."""
        self.reporter = Reporter()
        self.receiver = WebhookReceiver(self._respond)
        self._caller = Caller(cluster, 1)
        self._rand, self._plan_rand = random.Random(f"long jobs {seed}"), random.Random(f"plans {seed}")
        self._numbers = itertools.count()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._pool = ThreadPoolExecutor(100)
        self._following: list[Future[None]] = []

    def __enter__(self) -> "LongJobLoad":
        self.receiver.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *error):
        self.finish()
        self.receiver.__exit__(*error)
        self._pool.shutdown()
        for each in self._following:
            each.result()

    def finish(self):
        """Create no more, and let those that are there end soon."""
        self._over.set()
        self._thread.join()

    def _run(self):
        to_cancel: list[tuple[float, LongJob]] = []
        while not self._over.wait(self._rand.uniform(0, 2 / PER_SECOND)):
            if self._caller.place() is None:
                continue
            job = self._create()
            if self._rand.random() < CANCELLED and job.task_id is not None:
                to_cancel.append((time.monotonic() + self._rand.uniform(0, 3), job))
            else:
                self.jobs.append(job)
            due = [each for each in to_cancel if each[0] <= time.monotonic()]
            for each in due:
                to_cancel.remove(each)
                self.jobs.append(self._cancel(each[1]))
        self.jobs += [job for _, job in to_cancel]

    def _create(self) -> LongJob:
        text = f"long job {next(self._numbers)}"
        due_at = now() + round(self._rand.uniform(0.05, 1) * instants.SECOND)
        webhook = {
            "execution_time": instants.text(due_at),
            "url": self.receiver.url("/job"),
            "body": text,
            "completion": {"deadline": DEADLINE},
            "retry": {"initial_delay": 0.2, "max_delay": 0.2, "max_attempts": 100},
        }
        request = Request("POST", "/tasks/new", {"webhook": webhook}, {"idempotency-key": text})
        return LongJob(text, due_at, self._caller.ask_until_answered(request))

    def _cancel(self, job: LongJob) -> LongJob:
        answer = self._caller.ask_until_answered(Request("POST", f"/tasks/{job.task_id}/cancel"))
        return LongJob(job.text, job.due_at, job.created, answer)

    async def _respond(self, delivery: Delivery) -> bytes:
        url, token = (delivery.headers[f"tasker-completion-{what}"] for what in ("url", "token"))
        plan = Plan.SOON if self._over.is_set() else self._plan_rand.choices(list(SHARES), SHARES.values())[0]
        self.plans[token] = plan
        if plan is Plan.AT_ONCE:
            return answer(200)
        following = self._pool.submit(self._follow, plan, url, token, self._plan_rand.random())
        self._following.append(following)
        if plan is Plan.EARLY:
            await asyncio.wrap_future(following)
        return answer(202)

    def _follow(self, plan: Plan, url: str, token: str, chance: float):
        match plan:
            case Plan.EARLY:
                self.reporter.tell(url, token, Told.HEARTBEAT, deadline=f"{DEADLINE}s")
                self.reporter.tell(url, token, Told.COMPLETE)
            case Plan.SOON:
                time.sleep(chance / 2)
                self.reporter.tell(url, token, Told.COMPLETE)
            case Plan.BEATING:
                for _ in range(4):
                    time.sleep(0.3 + chance)
                    self.reporter.tell(url, token, Told.HEARTBEAT, deadline=f"{DEADLINE}s")
                    self.reporter.tell(url, token, Told.HEARTBEAT)
                self.reporter.tell(url, token, Told.COMPLETE)
            case Plan.FAILS:
                time.sleep(chance / 2)
                self.reporter.tell(url, token, Told.FAIL)
            case Plan.FAILS_FOR_GOOD:
                time.sleep(chance / 2)
                self.reporter.tell(url, token, Told.FAIL_FOR_GOOD)
            case Plan.NEAR:
                time.sleep(DEADLINE + (chance - 0.5) / 5)
                self.reporter.tell(url, token, Told.COMPLETE)
            case Plan.LATE:
                time.sleep(DEADLINE + chance)
                self.reporter.tell(url, token, Told.COMPLETE)
