"""Creates, changes and cancels tasks over HTTP at a steady rate, and notes what came of each call."""

import dataclasses
import itertools
import random
import threading
import time
from dataclasses import dataclass
from enum import StrEnum

from caller import RESEND_SECONDS, REST_SECONDS, Caller, Request

from cluster import Cluster, now, wait_until
from tasker import ids
from tasker.model import instants
from tasker.model.instants import Instant
from tasker.testing.webhook_receiver import WebhookReceiver

THREADS = 9
HASHES = 0.1
"""The share of hashes among the tasks without a key; the rest are webhooks."""

WAITS = ("0", "0.02", "0.5")
"""Seconds that the receiver takes to answer, so that some deliveries are always under way."""

KEYS = 10
"""So many keys are fought for."""

DUE_SECONDS = (0.05, 3.0)
AGAIN = 0.2
"""The share of the calls that may be sent again and are, to another node, although they are answered."""


class What(StrEnum):
    """What a call asks for."""

    CREATE = "create"
    CREATE_WITH_ID = "create with an id of its own"
    CREATE_IDEMPOTENTLY = "create with an Idempotency-Key"
    CREATE_WITH_KEY = "create with a key, and with an Idempotency-Key"
    CHANGE = "change"
    CANCEL = "cancel"


SHARES = {
    What.CREATE: 50,
    What.CREATE_WITH_ID: 10,
    What.CREATE_IDEMPOTENTLY: 10,
    What.CREATE_WITH_KEY: 10,
    What.CHANGE: 14,
    What.CANCEL: 6,
}
"""Of a hundred calls."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call about a task, and what came of it: of all the times that it was sent."""

    what: What
    kind: str
    text: str | None = None
    """The body of the webhook, or the secret of the hash, that it gives a task: no two calls have
    the same. None: it gives none."""
    due_at: Instant
    """Before this nothing with its text may arrive."""
    key: str | None = None
    task_id: str | None = None
    """As the answer says; of a call about a task that is there, and of one that names an id, from
    the start."""
    task_ids: frozenset[str] = frozenset()
    """All that answers have named."""
    times_sent: int = 0
    sent_at: Instant = 0
    """For the first time."""
    answered_at: Instant = 0
    """For the last time, or when that was given up."""
    place: int = 0
    """Which node was called last."""
    status: int = 0
    """0: the connection broke, or there was no answer in time."""
    outcome: str | None = None
    """Or the code of the problem that the answer is."""
    state: str | None = None
    """Of the task, where the answer shows it."""
    is_replay: bool = False
    retry_after: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether the answer does not say what was done, so that it may be done yet."""
        return self.status in (0, 503) or self.outcome == "idempotency_in_flight"

    @property
    def may_be_done(self) -> bool:
        """Whether it may be done although no answer says so: a refusal is of the last time that it was sent."""
        return self.is_open or (self.times_sent > 1 and self.status in (400, 409))

    @property
    def creates(self) -> bool:
        return self.what not in (What.CHANGE, What.CANCEL)

    @property
    def is_created(self) -> bool:
        """Whether the answer says that a task was made, now or when the call was sent before."""
        again = self.what is What.CREATE_WITH_ID and self.status == 200
        return self.creates and (self.status == 201 or again)

    @property
    def is_replaced(self) -> bool:
        """Whether the answer says that the task, which waits, now has this form in place of another."""
        if self.what is What.CHANGE:
            return self.status == 200 and self.state == "todo"
        return self.status == 200 and self.outcome == "replaced"

    @property
    def is_accepted(self) -> bool:
        """Whether the task is to run in this form."""
        return self.is_created or self.is_replaced


class TaskLoad:
    """Runs from when it is entered until ``finish``.

    Each thread keeps its connections open and calls a node of its own; while that one fails it,
    another one. A call that may be sent again is, until it is answered, and some are once more. What
    is changed and cancelled is the task of the same thread that is due next: the nearer to its
    start, the more can go wrong.
    """

    def __init__(self, cluster: Cluster, receiver: WebhookReceiver, *, per_second: float, seed: int):
        self.calls: list[Call] = []
        self._receiver = receiver
        self._interval = THREADS / per_second
        self._over = threading.Event()
        self._numbers = itertools.count()
        self._creator, self._rand = _Creator(cluster, 0), random.Random(seed)
        self._threads = [
            threading.Thread(target=self._run, args=(_Creator(cluster, number), random.Random(f"{seed} {number}")))
            for number in range(THREADS)
        ]

    def __enter__(self) -> "TaskLoad":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.finish()

    def finish(self):
        """Make no more calls."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, count: int):
        """Return once *count* more tasks were made."""
        enough = self._created() + count
        wait_until(lambda: self._created() >= enough, "enough tasks were accepted")

    def wait_until_accepted_by(self, places):
        """Call each of the nodes in *places* until it accepts a task."""
        for place in places:
            wait_until(lambda: self._is_accepted_by(place), "a node accepts a task")  # noqa: B023

    def _created(self) -> int:
        return sum(call.is_created for call in self.calls)

    def _is_accepted_by(self, place: int) -> bool:
        call = self._creator.send(*self._new_task(What.CREATE, self._rand), place)
        self.calls.append(call)
        return call.is_created

    def _run(self, creator: "_Creator", rand: random.Random):
        mine: list[Call] = []
        due = time.monotonic() + rand.random() * self._interval
        while not self._over.wait(max(due - time.monotonic(), 0)):
            due = max(due + self._interval, time.monotonic())  # what was missed is not made up for
            if creator.place() is None:
                continue
            mine = sorted((call for call in mine if call.due_at > now()), key=lambda call: call.due_at)
            what = rand.choices(list(SHARES), SHARES.values())[0]
            if what is What.CHANGE:
                target = next((call for call in mine if call.kind == "webhook" and call.key is None), None)
                request = target and self._change(target, rand)
            elif what is What.CANCEL:
                target = next(iter(mine), None)
                request = target and _cancel(target)
            else:
                target, request = None, self._new_task(what, rand)
            if request is None:
                continue
            call = creator.send_until_answered(*request, rand)
            self.calls.append(call)
            if target is not None:
                mine.remove(target)
            elif call.is_created:
                mine.append(call)

    def _new_task(self, what: What, rand: random.Random) -> tuple[Call, Request]:
        text, sent_at = str(next(self._numbers)), now()
        due_at = _due(sent_at, rand)
        members, headers = {"execution_time": instants.text(due_at)}, {}
        call = Call(what=what, kind="hash" if rand.random() < HASHES else "webhook", text=text, due_at=due_at)
        if what is What.CREATE_WITH_ID:
            call = dataclasses.replace(call, task_id=str(ids.new_id(sent_at)))
            members["id"] = call.task_id
        if what in (What.CREATE_IDEMPOTENTLY, What.CREATE_WITH_KEY):
            headers["idempotency-key"] = f"call {text}"
        if what is What.CREATE_WITH_KEY:
            on_conflict = rand.choice(("reject", "keep", "replace", "debounce"))
            may_be_sooner = on_conflict == "debounce"  # the answer says how soon
            call = dataclasses.replace(
                call, kind="webhook", key=f"key {rand.randrange(KEYS)}", due_at=sent_at if may_be_sooner else due_at
            )
            members |= {"key": call.key, "on_conflict": on_conflict}
            members |= {"max_wait": DUE_SECONDS[1]} if may_be_sooner else {}
        members |= {"secret": text} if call.kind == "hash" else {"url": self._url(rand), "body": text}
        return call, Request("POST", "/tasks/new", {call.kind: members}, headers)

    def _change(self, target: Call, rand: random.Random) -> tuple[Call, Request]:
        """Give a task another body, and with luck another time."""
        text, due_at = str(next(self._numbers)), target.due_at
        members = {"body": text}
        if rand.random() < 0.5:
            due_at = _due(now(), rand)
            members["execution_time"] = instants.text(due_at)
        call = Call(what=What.CHANGE, kind="webhook", text=text, due_at=due_at, task_id=target.task_id)
        return call, Request("PATCH", f"/tasks/{target.task_id}", {"webhook": members}, {})

    def _url(self, rand: random.Random) -> str:
        return self._receiver.url(f"/slow/{rand.choice(WAITS)}")


def _cancel(target: Call) -> tuple[Call, Request]:
    call = Call(what=What.CANCEL, kind=target.kind, due_at=target.due_at, task_id=target.task_id)
    return call, Request("POST", f"/tasks/{target.task_id}/cancel", None, {})


def _due(at: Instant, rand: random.Random) -> Instant:
    return at + round(rand.uniform(*DUE_SECONDS) * instants.SECOND)


class _Creator:
    """Sends the calls of one thread."""

    def __init__(self, cluster: Cluster, number: int):
        self._caller = Caller(cluster, number)

    def place(self) -> int | None:
        """Which node it would call; None: there is none."""
        return self._caller.place()

    def send_until_answered(self, call: Call, request: Request, rand: random.Random) -> Call:
        """Send a request to one node after the other until it is answered, and some once more.

        One that would make a second task is sent once. Return the call with all that came of it.
        """
        limit = time.monotonic() + RESEND_SECONDS
        while True:
            place = self._caller.place(further=call.times_sent)
            if place is not None:
                call = self.send(call, request, place)
                if call.what is What.CREATE or not call.is_open:
                    break
            if time.monotonic() > limit:
                break
            time.sleep(REST_SECONDS)
        may_repeat = call.creates and call.what is not What.CREATE and call.is_accepted
        place = self._caller.place(further=call.times_sent)
        if may_repeat and place is not None and rand.random() < AGAIN:
            again = self.send(call, request, place)
            if not again.is_open:
                return dataclasses.replace(again, answered_at=call.answered_at, place=call.place)
        return call

    def send(self, call: Call, request: Request, place: int) -> Call:
        """Send a request to a node, and return the call with what came of it."""
        answer = self._caller.ask(request, place)
        shown = answer.body.get(call.kind, answer.body)
        named = {shown["id"]} if "id" in shown else set()
        is_debounced = call.key is not None and answer.status in (200, 201)
        return dataclasses.replace(
            call,
            times_sent=call.times_sent + 1,
            sent_at=call.sent_at or answer.sent_at,
            answered_at=answer.answered_at,
            place=place,
            status=answer.status,
            task_id=shown.get("id") or call.task_id,
            task_ids=call.task_ids | named,
            due_at=instants.parse(shown["execution_time"]) if is_debounced else call.due_at,
            outcome=shown.get("outcome") or shown.get("code"),
            state=shown.get("state"),
            is_replay=answer.headers.get("idempotency-replayed") == "true",
            retry_after=answer.headers.get("retry-after"),
        )
