"""kill -9 while long jobs report: what was answered with 200 has happened, and every job ends."""

import itertools
import json
import random
import threading
import time
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from databases import new_database
from polling import until
from ports import free_port
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver, answer

ROUNDS = 3
CLIENTS = 4
JOBS = 25
"""In each round."""


class Jobs:
    """The receiver of long jobs, and what it has reported."""

    def __init__(self):
        self.heard = {}
        """By the id of the task: the result whose report was answered with 200."""
        self.answers = []
        self._rand = random.Random(7)
        self._numbers = itertools.count()
        self._threads = []

    def respond(self, delivery):
        """Answer 202, and report sooner or later; now and then before that answer, and now and then never."""
        task_id, number = delivery.headers["webhook-id"], next(self._numbers)
        url, token = (delivery.headers[f"tasker-completion-{what}"] for what in ("url", "token"))
        when = self._rand.choice(["early", "soon", "soon", "later", "never" if number % 10 == 0 else "soon"])
        if when == "early":
            self._report(task_id, url, token, number)
        elif when != "never":
            delay = self._rand.random() * (0.05 if when == "soon" else 1)
            self._threads.append(threading.Thread(target=self._later, args=(delay, task_id, url, token, number)))
            self._threads[-1].start()
        return answer(202)

    def join(self):
        for thread in self._threads:
            thread.join()

    def _later(self, delay, *what):
        time.sleep(delay)
        self._report(*what)

    def _report(self, task_id, url, token, number):
        """Report once, or again until it is answered: some reports are made twice that way."""
        for _ in range(20):
            status, code = tell(url, token, number)
            self.answers.append((status, code))
            if status == 200:
                assert task_id not in self.heard, "a task has one end"
                self.heard[task_id] = number
            if status not in (0, 503):
                return
            time.sleep(0.2)


def tell(url, token, number):
    """The status of the answer to a report, 0 if there was none, and the code of a problem."""
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    try:
        with urlopen(Request(f"{url}/complete", json.dumps({"result": number}).encode(), headers), timeout=10):
            return 200, None
    except HTTPError as error:
        return error.code, json.load(error)["code"]
    except (OSError, HTTPException):
        return 0, None


def create_until_it_dies(server, receiver, ids, count):
    webhook = {
        "delay": 0,
        "url": receiver.url("/job"),
        "completion": {"deadline": "3s"},
        "retry": {"initial_delay": 0.2, "max_delay": 0.2, "max_attempts": 30},
    }
    for _ in range(count):
        try:
            ids.append(server.call("POST", "/tasks/new", {"webhook": webhook})["id"])
        except OSError:
            return


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_no_completion_is_lost_after_a_200(tmp_path, database):
    port = free_port()
    options = ["--database-url", new_database()] if database == "postgresql" else []
    options += ["--listen-port", str(port), "--public-url", f"http://127.0.0.1:{port}"]
    jobs, ids = Jobs(), []
    with WebhookReceiver(jobs.respond) as receiver, TaskerServer(tmp_path, *options) as server:
        for number in range(ROUNDS):
            clients = [
                threading.Thread(target=create_until_it_dies, args=(server, receiver, ids, JOBS // CLIENTS))
                for _ in range(CLIENTS)
            ]
            before = len(jobs.heard)
            for client in clients:
                client.start()
            until(lambda before=before: len(jobs.heard) >= before + JOBS // 5, "some jobs report", seconds=60)
            server.kill()
            for client in clients:
                client.join()
            time.sleep(0.3 * number)  # some reports find nobody
            server.start()
        ended = {task_id: shown_at_its_end(server, task_id) for task_id in ids}
        jobs.join()

    assert len(jobs.heard) > ROUNDS * JOBS // 10, "hardly any job has reported"
    lost = {task_id: ended.get(task_id) for task_id in jobs.heard if task_id in ended}
    lost = {task_id: shown for task_id, shown in lost.items() if shown.get("result") != jobs.heard[task_id]}
    assert lost == {}
    codes = {shown["last_error"]["code"] for shown in ended.values() if shown["state"] == "failed"}
    assert codes <= {"crashed_worker"}, "three kills in a row may have caught the request of a task"
    assert {shown["state"] for shown in ended.values()} <= {"done", "failed"}
    assert {code for _, code in jobs.answers} <= {None, "completed_before", "completion_late"}


def shown_at_its_end(server, task_id):
    """The task, once it has ended: on PostgreSQL, what was running is taken back when a lease has ended."""
    for _ in range(6):
        shown = server.call("GET", f"/tasks/{task_id}?wait=20")["webhook"]
        if shown["ended_at"] is not None:
            break
    return shown
