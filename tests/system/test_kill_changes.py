"""kill -9 while tasks are changed: once a change is answered, no attempt begins in an old form or at an old time."""

import itertools
import random
import threading
import time
import urllib.error
from dataclasses import dataclass

import pytest

from databases import new_database
from tasker.model import instants
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver
from tasker.timing.clock import SystemClock

ROUNDS = 5
CLIENTS = 4
LATEST = 1.5
"""Seconds until the time of a task, at most."""


@dataclass
class Form:
    """What a task was given by one call. Its body is this form's alone."""

    body: str
    due_at: int
    answered_at: int | None = None
    """None: the call was not answered, and may or may not have been made."""


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_change_that_was_answered_holds_through_kills(tmp_path, database):
    options = ["--database-url", new_database()] if database == "postgresql" else []
    forms: dict[str, list[Form]] = {}
    with WebhookReceiver() as receiver, TaskerServer(tmp_path, *options) as server:
        for number in range(ROUNDS):
            clients = [
                threading.Thread(target=change_until_it_dies, args=(server, receiver, forms, f"{number}-{client}"))
                for client in range(CLIENTS)
            ]
            for client in clients:
                client.start()
            receiver.wait_for(len(receiver.deliveries()) + random.randrange(20, 60), timeout_seconds=30)
            server.kill()
            for client in clients:
                client.join()
            server.start()
        ended = [shown_at_its_end(server, task_id) for task_id in forms]

    arrived: dict[str, list] = {task_id: [] for task_id in forms}
    for delivery in receiver.deliveries():
        arrived.get(delivery.headers["webhook-id"], []).append(delivery)
    changes = sum(form.answered_at is not None for each in forms.values() for form in each[1:])
    assert changes > ROUNDS * 10, "hardly anything was changed"
    found = [broken(forms[task_id], arrived[task_id]) for task_id in forms]
    assert [(forms[task_id], what) for task_id, what in zip(forms, found, strict=True) if what] == []
    done = [shown for shown in ended if shown["state"] == "done"]
    # Three kills in a row may have caught an attempt of the same task.
    assert {shown["last_error"]["code"] for shown in ended if shown not in done} <= {"crashed_worker"}
    delivered = {delivery.body.decode() for delivery in receiver.deliveries()}
    assert [shown for shown in done if shown["body"] not in delivered] == [], "done in a form that never arrived"


def broken(forms, deliveries):
    """What breaks the promise among the deliveries of a task with these forms."""
    found = []
    for delivery in deliveries:
        (place,) = [place for place, form in enumerate(forms) if form.body == delivery.body.decode()]
        newer = [form for form in forms[place + 1 :] if form.answered_at is not None]
        if any(form.answered_at < delivery.arrived_at for form in newer):
            found.append(("in an old form", delivery))
        if delivery.arrived_at < forms[place].due_at:
            found.append(("early", delivery))
    return found


def change_until_it_dies(server, receiver, forms, client):
    """Create tasks, and change each a few times before it is due, or about then."""
    clock = SystemClock()
    rand = random.Random(client)
    for number in itertools.count():
        name = f"{client}-{number}"
        try:
            first = a_form(clock, rand, f"{name}-0")
            url = receiver.url("/slow/0.01")
            try:
                task = server.call("POST", "/tasks/new", {"webhook": request(first) | {"url": url}})
            except urllib.error.HTTPError as error:
                if error.code != 400:  # its time has passed meanwhile
                    raise
                continue
            first.answered_at = clock.now()
            mine = forms[task["id"]] = [first]
            for change in range(1, rand.randrange(1, 4)):
                time.sleep(rand.random() * 0.1)
                form = a_form(clock, rand, f"{name}-{change}")
                mine.append(form)
                if make(server, task["id"], form):
                    form.answered_at = clock.now()
                else:
                    mine.pop()
        except OSError:
            return


def make(server, task_id, form):
    """Change a task, and return whether it was. Not, if it runs, has ended, or the time has passed meanwhile."""
    try:
        server.call("PATCH", f"/tasks/{task_id}", {"webhook": request(form)})
    except urllib.error.HTTPError as error:
        if error.code not in (400, 409):
            raise
        return False
    return True


def a_form(clock, rand, body):
    return Form(body, clock.now() + round(rand.uniform(0.05, LATEST) * instants.SECOND))


def request(form):
    return {"execution_time": instants.text(form.due_at), "body": form.body}


def shown_at_its_end(server, task_id):
    """The task, once it has ended: on PostgreSQL, what was running is taken back when a lease has ended."""
    for _ in range(5):
        shown = server.call("GET", f"/tasks/{task_id}?wait=20")["webhook"]
        if shown["ended_at"] is not None:
            break
    return shown
