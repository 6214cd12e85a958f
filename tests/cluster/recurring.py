"""Schedules that are put, changed, paused, resumed and run now, and what of that was answered."""

import itertools
import random
import threading
import time
from dataclasses import dataclass, field

from caller import Answer, Caller, Request

from cluster import Cluster, now, wait_until
from tasker.model import instants
from tasker.model.instants import SECOND, Instant
from tasker.model.schedule import Missed, Overlap
from tasker.testing.webhook_receiver import WebhookReceiver

INTERVALS = (1, 2)
"""Seconds from one run to the next."""

CALLS_APART = 0.3
"""Seconds between two calls, on average."""


@dataclass(frozen=True)
class Kind:
    """What stays the same of a schedule."""

    overlap: Overlap
    wait: str
    """Seconds that the receiver takes to answer each of its runs."""
    jitter: int = 0
    """In seconds."""

    @property
    def missed(self) -> Missed:
        """What becomes of times that were missed while no node looked."""
        return Missed.ALL if self.overlap is Overlap.ALLOW else Missed.ONCE


KINDS = (
    Kind(Overlap.ALLOW, "0"),
    Kind(Overlap.ALLOW, "0.02"),
    Kind(Overlap.ALLOW, "0.5"),
    Kind(Overlap.ALLOW, "0.02", jitter=1),
    Kind(Overlap.SKIP, "0.02"),
    Kind(Overlap.SKIP, "1.5"),
    Kind(Overlap.QUEUE, "0.5"),
    Kind(Overlap.QUEUE, "1.5"),
)
"""Of each there is one schedule at any time; those that take longer than a second meet themselves."""


@dataclass(frozen=True)
class Span:
    """A time in which a schedule has the times of ``every``, and no others."""

    since: Instant
    until: Instant
    """Behind both, calls were answered, and none was sent in between that was not."""
    every: int
    """In seconds."""


@dataclass
class Recurring:
    """A schedule, and what is known of it."""

    name: str
    kind: Kind
    begin: Instant
    """From which its times are counted."""
    every: int
    since: Instant | None = None
    """Since when its times are known; None: it is paused."""
    spans: list[Span] = field(default_factory=list)
    asked_runs: set[str] = field(default_factory=set)
    """The ids of the runs that somebody asked for, and was told that they are made."""
    changes: int = 0
    is_left: bool = False
    """Whether a call was not answered, so that it is left alone."""

    def end_span(self, at: Instant):
        """Take note that a call is sent that changes it."""
        if self.since is not None:
            self.spans.append(Span(self.since, at, self.every))
            self.since = None

    def times(self) -> set[Instant]:
        """Those that it surely had: each has to have its run."""
        return {
            at
            for span in self.spans
            for at in range(self.begin, span.until, span.every * SECOND)
            # A run whose time has passed, and that only its jitter puts off, is removed by a pause.
            if span.since < at < span.until - self.kind.jitter * SECOND
        }


class ScheduleLoad:
    """Has a thread of its own that puts schedules, and then changes one after the other, until ``finish``.

    A schedule of which a call was not answered is paused, and left alone from then on, because nobody
    knows if and when that call is made. Another is put in its place.
    """

    def __init__(self, cluster: Cluster, receiver: WebhookReceiver, *, seed: int):
        self.schedules: list[Recurring] = []
        """All that there have been."""
        self.answers: list[tuple[str, Answer]] = []
        """Of all calls, with what they asked for."""
        self._cluster = cluster
        self._receiver = receiver
        self._caller = Caller(cluster)
        self._rand = random.Random(f"schedules {seed}")
        self._numbers = itertools.count()
        self._current: dict[Kind, Recurring] = {}
        self._left: list[Recurring] = []
        """Those that are left alone, and may make runs yet."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "ScheduleLoad":
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._over.set()
        self._thread.join()

    def wait_for_times(self, count: int):
        """Return once the schedules surely had more than *count* times together."""
        enough = "the schedules had enough times"
        wait_until(lambda: sum(len(schedule.times()) for schedule in self.schedules) > count, enough, seconds=60)

    def finish(self):
        """Have no schedule make any further run. Returns once that is so."""
        self._over.set()
        self._thread.join()
        for schedule in self.schedules:
            schedule.end_span(now())
            wait_until(lambda: self._is_paused(schedule), "a schedule is paused", seconds=60)  # noqa: B023

    def _is_paused(self, schedule: Recurring) -> bool:
        place = self._caller.place()
        if place is None:
            return False
        return self._caller.ask(Request("POST", f"/schedules/{schedule.name}/pause"), place).status in (200, 404)

    def _run(self):
        while not self._over.wait(self._rand.uniform(0, 2 * CALLS_APART)):
            place = self._caller.place(further=self._rand.randrange(3))
            if place is None or self._cluster.nodes[place].is_away:
                continue
            self._stop_one_that_is_left(place)
            kind = next((kind for kind in KINDS if kind not in self._current), None)
            if kind is not None:
                self._put(self._new(kind), place)
            else:
                self._change(self._current[self._rand.choice(KINDS)], place)

    def _stop_one_that_is_left(self, place: int):
        """Pause a schedule that is left alone, so that there are not more and more runs."""
        if self._left:
            answer = self._ask("pause", Request("POST", f"/schedules/{self._left[0].name}/pause"), place)
            if answer.status in (200, 404):
                del self._left[0]

    def _new(self, kind: Kind) -> Recurring:
        begin = now() // SECOND * SECOND
        name = f"{kind.overlap}-{next(self._numbers)}"
        schedule = Recurring(name, kind, begin, self._rand.choice(INTERVALS))
        self.schedules.append(schedule)
        self._current[kind] = schedule
        return schedule

    def _change(self, schedule: Recurring, place: int):
        what = self._rand.choice(["put", "put", "run", "pause"])
        if schedule.since is None:
            what = "resume"
        match what:
            case "put":
                schedule.end_span(now())
                schedule.every = self._rand.choice(INTERVALS)
                self._put(schedule, place)
            case "run":
                # Sent once: whether one that is not answered makes a run does not matter for the others.
                answer = self._ask("run", Request("POST", f"/schedules/{schedule.name}/run"), place)
                if answer.status == 201:
                    schedule.asked_runs |= {run["id"] for run in answer.body["runs"]}
            case "pause":
                schedule.end_span(now())
                answer = self._ask("pause", Request("POST", f"/schedules/{schedule.name}/pause"), place)
                self._leave_unless_answered(schedule, answer)
            case "resume":
                time.sleep(self._rand.random())
                answer = self._ask("resume", Request("POST", f"/schedules/{schedule.name}/resume"), place)
                self._leave_unless_answered(schedule, answer)
                schedule.since = answer.answered_at if answer.status == 200 else None

    def _put(self, schedule: Recurring, place: int):
        schedule.changes += 1
        webhook = {"url": self._receiver.url(f"/slow/{schedule.kind.wait}")}
        body = {
            "every": f"{schedule.every}s",
            "starts_at": instants.text(schedule.begin),
            "overlap": schedule.kind.overlap,
            "jitter": schedule.kind.jitter,
            "missed": schedule.kind.missed,
            "task": {"webhook": {**webhook, "body": f"{schedule.name} {schedule.changes}"}},
        }
        schedule.end_span(now())
        answer = self._ask("put", Request("PUT", f"/schedules/{schedule.name}", body), place)
        self._leave_unless_answered(schedule, answer)
        schedule.since = answer.answered_at if answer.status in (200, 201) else None

    def _ask(self, what: str, request: Request, place: int) -> Answer:
        answer = self._caller.ask(request, place)
        self.answers.append((what, answer))
        return answer

    def _leave_unless_answered(self, schedule: Recurring, answer: Answer):
        if answer.status not in (200, 201):
            schedule.is_left = True
            self._left.append(schedule)
            del self._current[schedule.kind]
