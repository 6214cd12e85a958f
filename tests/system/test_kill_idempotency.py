"""kill -9 while requests with idempotency keys are under way: each makes one task, however often it is sent."""

import itertools
import threading
import time
import urllib.error

import pytest

from databases import new_database
from tasker.testing.server import TaskerServer

ROUNDS = 5
CLIENTS = 4
ANSWERS_A_ROUND = 25
BODY = {"hash": {"delay": "1d", "secret": "correct-horse"}}


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_what_a_kill_interrupts_is_made_once_when_it_is_sent_again(tmp_path, database):
    options = ["--database-url", new_database()] if database == "postgresql" else []
    keys = itertools.count()
    answers, unanswered = {}, []
    with TaskerServer(tmp_path, *options) as server:
        for number in range(1, ROUNDS + 1):
            enough = threading.Event()
            clients = [
                threading.Thread(target=create_until_it_dies, args=(server, keys, answers, unanswered, enough, number))
                for _ in range(CLIENTS)
            ]
            for client in clients:
                client.start()
            enough.wait()
            server.kill()
            for client in clients:
                client.join()
            server.start()
            while unanswered:
                key = unanswered.pop()
                answers[key] = created(server, key)

        assert {key: created(server, key) for key in answers} == answers, "a replay is the first answer"
        stored = [task["hash"]["id"] for task in server.call("GET", "/tasks/state/todo")]
        assert sorted(stored) == sorted(answer["id"] for answer in answers.values())


def create_until_it_dies(server, keys, answers, unanswered, enough, number):
    """Create tasks, each with a key of its own, and note the answers, and the key without one."""
    while True:
        key = f"key-{next(keys)}"
        try:
            answers[key] = server.call("POST", "/tasks/new", BODY, headers={"Idempotency-Key": key})
        except OSError:
            unanswered.append(key)
            return
        if len(answers) >= number * ANSWERS_A_ROUND:
            enough.set()


def created(server, key):
    """Send a request again until it is answered: another node may still hold a lock of the one that died."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return server.call("POST", "/tasks/new", BODY, headers={"Idempotency-Key": f'"{key}"'})
        except urllib.error.HTTPError as error:
            if error.code != 409 or time.monotonic() > deadline:
                raise
