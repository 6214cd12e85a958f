"""kill -9 while tasks with keys are created, replaced, changed and cancelled: nothing is lost, or runs as it was."""

import http.client
import itertools
import random
import threading
import time
import urllib.error
from collections import defaultdict
from dataclasses import dataclass

import pytest

from databases import new_database
from tasker.model import instants
from tasker.model.instants import Instant
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver
from tasker.timing.clock import SystemClock

ROUNDS = 10
ANSWERS_A_ROUND = 40
CLIENTS = 4
KEYS = 5
RUNNING = 20


@dataclass(frozen=True)
class Form:
    """What a task was to be, by a call that made, replaced or changed it."""

    text: str
    task_id: str
    due_at: Instant
    sent_at: Instant
    answered_at: Instant
    is_new: bool
    """Of a new task; False: in place of another form."""
    is_sure: bool
    """Whether the answer says so; False: the call may have done it when it was sent before."""


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_ten_kills_lose_nothing_hold_no_key_twice_and_send_nothing_that_was_replaced_or_cancelled(tmp_path, database):
    options = ["--max-deliveries", str(RUNNING)]
    if database == "postgresql":
        options += ["--database-url", new_database()]
    with WebhookReceiver() as receiver, TaskerServer(tmp_path, *options) as server:
        load = Load(server, receiver)
        clients = [threading.Thread(target=load.run, args=(random.Random(number),)) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        starts = []
        for number in range(1, ROUNDS + 1):
            load.wait_for_answers(number * ANSWERS_A_ROUND)
            load.is_up.clear()
            server.kill()
            server.start()
            starts.append(now())
            load.is_up.set()
        load.wait_for_answers((ROUNDS + 1) * ANSWERS_A_ROUND)
        load.is_over.set()
        for client in clients:
            client.join()
        load.wait_until_all_has_ended()
        states = {task_id: load.state(task_id) for task_id in load.cancels}

    assert load.failures == []
    assert load.held_twice == []
    found = Found(load, receiver.deliveries(), starts)
    assert len(found.changed) > ROUNDS, "hardly anything was changed"
    assert len(load.cancels) > ROUNDS / 2, "hardly anything was cancelled"
    assert found.lost() == []
    assert found.early() == []
    assert found.with_two_ids() == []
    assert found.in_old_forms() == []
    assert found.cancelled() == []
    assert set(states.values()) == {"cancelled"}


class Found:
    """What arrived, beside what was answered: each method returns what broke a promise."""

    def __init__(self, load, deliveries, starts):
        self.changed = [form for form in load.forms if form.is_sure and not form.is_new]
        self._load, self._deliveries, self._starts = load, deliveries, starts
        self._arrived, self._forms = defaultdict(list), defaultdict(list)
        for delivery in deliveries:
            self._arrived[delivery.body.decode()].append(delivery)
        for form in load.forms:
            self._forms[form.task_id].append(form)

    def lost(self):
        cancelled = self._load.cancels.keys() | self._load.unsure_cancels
        forms = [form for form in self._load.forms if form.is_sure and form.task_id not in cancelled]
        return [form for form in forms if not self._is_delivered(form)]

    def early(self):
        return [
            (form, each)
            for form in self._load.forms
            for each in self._arrived[form.text]
            if each.arrived_at < form.due_at
        ]

    def with_two_ids(self):
        return [
            (form, each)
            for form in self._load.forms
            for each in self._arrived[form.text]
            if each.headers["webhook-id"] != form.task_id
        ]

    def in_old_forms(self):
        return [
            (new, each)
            for new in self.changed
            for old in self._forms[new.task_id]
            if old.is_sure and old.answered_at <= new.sent_at
            for each in self._arrived[old.text]
            if self._left_after(new.answered_at, each)
        ]

    def cancelled(self):
        return [
            each
            for each in self._deliveries
            if (answered_at := self._load.cancels.get(each.headers["webhook-id"])) is not None
            and self._left_after(answered_at, each)
        ]

    def _is_delivered(self, form):
        """Whether its task was, in this form or in one that may have come after it."""
        forms = [each for each in self._forms[form.task_id] if each.answered_at >= form.sent_at]
        return any(self._arrived[each.text] for each in forms)

    def _left_after(self, answered_at, delivery):
        """Whether a delivery left after a call had been answered that found its task waiting.

        If it left before, a kill before the answer has caught it: otherwise its end had been
        written, or the call would have found the task running. No margin: between a kill and the
        first answer after it lies the start of a server, in which the receiver has read what had
        been sent.
        """
        return not any(delivery.arrived_at <= start <= answered_at for start in self._starts)


class Load:
    """Clients that send each call until it is answered, over all kills, and note what came of it."""

    def __init__(self, server, receiver):
        self.forms: list[Form] = []
        self.cancels: dict[str, Instant] = {}
        """By the id of the task, when it was answered that it is cancelled."""
        self.unsure_cancels: set[str] = set()
        self.held_twice = []
        self.failures = []
        self.is_up, self.is_over = threading.Event(), threading.Event()
        self.is_up.set()
        self._server, self._receiver = server, receiver
        self._numbers, self._answers = itertools.count(), itertools.count()
        self.answered = 0

    def run(self, rand):
        """Be a client until all is over."""
        try:
            while not self.is_over.is_set():
                if rand.random() < 0.4:
                    self._use_key(rand)
                else:
                    self._change_or_cancel(self._create(rand), rand)
        except BaseException as error:
            self.failures.append(error)
            raise

    def wait_for_answers(self, count):
        deadline = time.monotonic() + 60
        while self.answered < count:
            assert not self.failures
            assert time.monotonic() < deadline, "the server answers"
            time.sleep(0.002)

    def wait_until_all_has_ended(self):
        """Return once nothing waits or runs.

        On PostgreSQL, what was running is taken back when a lease has ended.
        """
        deadline = time.monotonic() + 90
        while self._call("GET", "/tasks?state=todo&state=in_progress&limit=1")[0]["tasks"]:
            assert time.monotonic() < deadline, "all ends"
            time.sleep(0.1)

    def state(self, task_id):
        return self._call("GET", f"/tasks/{task_id}")[0]["webhook"]["state"]

    def _create(self, rand, **members):
        """Create a task, or replace one. Return its form, None if there is none."""
        text, sent_at, due_at = str(next(self._numbers)), now(), soon(rand)
        task = {
            "execution_time": instants.text(due_at),
            "url": self._receiver.url("/slow/0.01"),
            "body": text,
            **members,
        }
        headers = {"idempotency-key": f"call {text}"}
        answer, _ = self._call("POST", "/tasks/new", {"webhook": task}, headers)
        outcome = answer.get("outcome", "created")
        if not answer or outcome == "kept":
            return None
        form = Form(text, answer["id"], due_at, sent_at, now(), is_new=outcome == "created", is_sure=True)
        self.forms.append(form)
        return form

    def _use_key(self, rand):
        key = f"key-{rand.randrange(KEYS)}"
        self._create(rand, key=key, on_conflict=rand.choice(("reject", "keep", "replace")))
        holders = self._call("GET", f"/tasks?key={key}&state=todo&state=in_progress")[0]["tasks"]
        if len(holders) > 1:
            self.held_twice.append(holders)

    def _change_or_cancel(self, form, rand):
        if form is None:
            return
        time.sleep(rand.choice((0, max((form.due_at - now()) / instants.SECOND, 0))))  # or as it starts
        if rand.random() < 0.5:
            answer, times_sent = self._call("POST", f"/tasks/{form.task_id}/cancel")
            if answer and answer["webhook"]["state"] == "cancelled":
                self.cancels[form.task_id] = now()
            elif answer or times_sent > 1:
                self.unsure_cancels.add(form.task_id)
            return
        text, sent_at, due_at = str(next(self._numbers)), now(), form.due_at
        members = {"body": text}
        if rand.random() < 0.5:
            due_at = soon(rand)
            members["execution_time"] = instants.text(due_at)
        answer, times_sent = self._call("PATCH", f"/tasks/{form.task_id}", {"webhook": members})
        is_sure = bool(answer) and answer["webhook"]["state"] == "todo"
        if is_sure or times_sent > 1:
            self.forms.append(Form(text, form.task_id, due_at, sent_at, now(), is_new=False, is_sure=is_sure))

    def _call(self, method, path, body=None, headers=None):
        """Send a call until it is answered. Return the answer, empty if it is refused, and how often it was sent."""
        answer, times_sent = None, 0
        while answer is None:
            self.is_up.wait()
            answer, times_sent = self._answer(method, path, body, headers), times_sent + 1
        self.answered = next(self._answers)
        return answer, times_sent

    def _answer(self, method, path, body, headers):
        try:
            return self._server.call(method, path, body, headers=headers)
        except urllib.error.HTTPError as error:
            if error.code in (400, 409):
                return {}
            if error.code != 503:
                raise
        except (OSError, http.client.HTTPException):
            pass
        return None


def now() -> Instant:
    """The machine's clock: server and receiver share it."""
    return SystemClock().now()


def soon(rand) -> Instant:
    return now() + rand.randrange(50, 600) * 1_000
