"""``manage.py tasker_worker``, in processes of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("django", minversion="6.0", reason="needs Django 6, and so Python 3.12")

from django.core.management import CommandError, call_command

from tasker.client.errors import Cancelled, InvalidToken, NoAnswer, ScopeMissing, StoreUnavailable, TooManyCalls
from tasker.django.running import NotCountedError
from tasker.django.worker import _Report
from tasker.wire.server import Problem

PROGRAM = """
import sys
from django.conf import settings
settings.configure(
    SECRET_KEY="x", USE_TZ=True, INSTALLED_APPS=["tasker.django"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    TASKS={"any": {"BACKEND": "tasker.django.backend.TaskerBackend", "QUEUES": []},
           "default": {"BACKEND": "tasker.django.backend.TaskerBackend", "QUEUES": ["default", "mail"]},
           "at_once": {"BACKEND": "tasker.django.backend.TaskerBackend"},
           "other": {"BACKEND": "tasker.django.backend.TaskerBackend"},
           "again": {"BACKEND": "tasker.django.backend.TaskerBackend", "QUEUES": ["again"]}},
)
import django
django.setup()
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "tasker_worker", *sys.argv[1:]])
"""


@pytest.fixture
def start(server_url):
    """Starts workers, and returns each once it has said that it works."""
    started = []

    def start(*options):
        path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        worker = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "--backend", "any", "--queue", "slow", *options],
            env={**os.environ, "PYTHONPATH": path, "TASKER_URL": server_url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(worker)
        assert worker.stdout.readline().startswith("Working on slow of http://"), worker.communicate()[1]
        return worker

    yield start
    for worker in started:
        worker.kill()
        worker.communicate()


def until(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)


def has(path, text):
    return lambda: path.exists() and path.read_text() == text


def test_told_to_stop_it_ends_what_runs_and_begins_nothing(jobs, start, client, tmp_path):
    worker = start("--threads", "1")
    running = jobs.slow.enqueue(str(tmp_path / "a"), 2)
    until(has(tmp_path / "a", "begins\n"), "it runs")
    waiting = jobs.slow.enqueue(str(tmp_path / "b"), 0)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
    running.refresh()
    assert (running.status, (tmp_path / "a").read_text()) == ("SUCCESSFUL", "begins\nends\n")
    assert (client.get(waiting.id).state, (tmp_path / "b").exists()) == ("todo", False)


def test_told_twice_it_leaves_at_once(jobs, start, tmp_path):
    worker = start("--lease", "3s")
    jobs.slow.enqueue(str(tmp_path / "a"), 600)
    until(has(tmp_path / "a", "begins\n"), "it runs")
    worker.send_signal(signal.SIGTERM)
    assert worker.stdout.readline().startswith("Stopping: ")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 1


def test_the_task_of_a_worker_that_is_killed_is_run_by_another(jobs, start, client, tmp_path):
    worker = start("--lease", "3s")
    result = jobs.slow.enqueue(str(tmp_path / "a"), 5)
    until(has(tmp_path / "a", "begins\n"), "it runs")
    worker.kill()
    start("--lease", "3s", "--name", "the-other")
    until(lambda: client.get(result.id).state == "done", "the other has done it")
    result.refresh()
    assert (result.worker_ids, (tmp_path / "a").read_text()) == (["the-other"], "begins\nbegins\nends\n")


def test_a_task_that_takes_longer_than_the_lease_runs_once(jobs, start, client, tmp_path):
    start("--lease", "3s")
    result = jobs.slow.enqueue(str(tmp_path / "a"), 7)
    until(lambda: client.get(result.id).state == "done", "it is done")
    assert (tmp_path / "a").read_text() == "begins\nends\n"


def test_it_runs_several_at_a_time(jobs, start, client, tmp_path):
    start("--threads", "3")
    results = [jobs.slow.enqueue(str(tmp_path / name), 600) for name in "abc"]
    until(lambda: all(map(Path.exists, [tmp_path / name for name in "abc"])), "all run")
    for each in results:
        client.cancel(each.id)


def test_one_thread_serves_several_queues(jobs, work):
    results = [task.enqueue(number) for number in range(3) for task in (jobs.add, jobs.mail)]
    work("default", "--threads", "1")
    for each in results:
        each.refresh()
    assert {each.status for each in results} == {"SUCCESSFUL"}


def test_a_task_that_enqueues_another_in_a_batch(jobs, work):
    result = jobs.enqueues_another.enqueue()
    work()
    result.refresh()
    assert jobs.add.get_result(result.return_value).status == "SUCCESSFUL"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--backend", "nobody"], "nobody"),
        (["--backend", "dummy"], "--backend: expected one of tasker, got: dummy, which is DummyBackend"),
        (["--backend", "any"], "expected --queue: QUEUES of the backend is empty"),
        (["--queue", "elsewhere"], r"--queue: expected one of QUEUES \(default, mail\), got: elsewhere"),
        (["--backend", "any", "--queue", "type:report"], "--queue: expected 1 to 100 letters"),
        (["--threads", "0"], "expected a number from 1 to 1000, got: '0'"),
        (["--lease", "1s"], "expected 3s to 1d, got: 1s"),
        (["--lease", "soon"], "expected seconds as a number, or a whole number with a unit"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused(project, options, said):
    with pytest.raises(CommandError, match=said):
        call_command("tasker_worker", "--batch", *options)


def test_a_worker_that_the_server_refuses_ends(project, monkeypatch):
    async def refuses(*_, **__):
        raise refusal(ScopeMissing, 403)

    monkeypatch.setattr("tasker.client.asynchronous.work.AsyncQueues.claim_any", refuses)
    with pytest.raises(CommandError, match="the server refuses this worker: no"):
        call_command("tasker_worker")


def refusal(kind, status):
    return kind(Problem(title="T", status=status, code=kind.code, detail="no", msg="no"))


def test_how_a_task_ended_is_told_until_it_is_heard(project, monkeypatch):
    pauses = []
    monkeypatch.setattr("tasker.django.worker.time.sleep", pauses.append)
    answers = [NoAnswer("away"), refusal(StoreUnavailable, 503), refusal(TooManyCalls, 429), "done"]

    def call():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert (_Report._tell(call), pauses) == ("done", [0.5, 1.0, 2.0])
    for final in (refusal(Cancelled, 409), refusal(InvalidToken, 401)):
        answers.append(final)
        with pytest.raises(NotCountedError, match="no"):
            _Report._tell(call)
    assert len(pauses) == 3
