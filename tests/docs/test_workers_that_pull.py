"""The worker of the how-to, in real processes: they share a queue, one is killed, and every job is done."""

import signal
import subprocess
import sys

import pytest
from pages import DOCS, blocks

from polling import until
from ports import free_port
from tasker.testing.server import TaskerServer

JOBS = 40


def program(tmp_path):
    """The worker of the page, which takes its time for jobs that say so, with a shorter lease."""
    (text,) = (text for language, text in blocks(DOCS / "workers-that-pull.md") if language == "python")
    quick = text.replace("sys.argv[2], 60", "sys.argv[2], 3").replace(
        "def make_report(job):\n", "def make_report(job):\n    time.sleep(job['json'].get('seconds', 0))\n"
    )
    assert quick.count("time.sleep") == 2
    assert ", 3\n" in quick
    path = tmp_path / "worker.py"
    path.write_text(quick)
    return path


@pytest.fixture
def workers(tmp_path):
    """Starts workers, and ends them in the end."""
    running = []
    path = program(tmp_path)

    def start(server):
        worker = subprocess.Popen([sys.executable, path, server.url, "reports"], stderr=subprocess.PIPE, text=True)
        running.append(worker)
        return worker

    yield start
    for worker in running:
        worker.kill()
        worker.communicate()


def job(**members):
    return {"job": {"queue": "reports", "delay": 0, "json": {"month": 7}} | members}


def state(server, task_id):
    return server.call("GET", f"/tasks/{task_id}")["job"]["state"]


def becomes(server, task_id, state_):
    until(lambda: state(server, task_id) == state_, f"{task_id} is {state_}", seconds=60)
    return server.call("GET", f"/tasks/{task_id}")["job"]


def test_two_workers_do_every_job_on_time_and_that_of_one_that_is_killed_again(tmp_path, workers):
    with TaskerServer(tmp_path) as server:
        first, _ = workers(server), workers(server)
        later = server.call("POST", "/tasks/new", job(delay=2))["id"]
        made = [each["id"] for each in server.call("POST", "/tasks/batch", [job() for _ in range(JOBS)])["tasks"]]
        found = [becomes(server, task_id, "done") for task_id in (*made, later)]
        assert {each["attempts"] for each in found} == {1}
        assert [each["result"] for each in found] == [{"month": 7, "pages": 3}] * (JOBS + 1)
        assert 0 <= found[-1]["lateness_seconds"] < 1

        bad = server.call("POST", "/tasks/new", job(json={}, retry={"max_attempts": 1}))["id"]
        assert becomes(server, bad, "failed")["last_error"]["code"] == "report_failed"

        slow = server.call("POST", "/tasks/new", job(json={"month": 1, "seconds": 5}))["id"]
        assert becomes(server, slow, "done")["attempts"] == 1, "heartbeats have kept its lease"

        first.send_signal(signal.SIGSTOP)  # it may be given what comes next, and is not heard of any more
        lost = [server.call("POST", "/tasks/new", job())["id"] for _ in range(2)]
        first.kill()
        for task_id in lost:
            becomes(server, task_id, "done")


def test_a_worker_works_on_over_a_kill_of_the_server(tmp_path, workers):
    with TaskerServer(tmp_path, "--listen-port", str(free_port())) as server:
        workers(server)
        task_id = server.call("POST", "/tasks/new", job(json={"month": 3, "seconds": 1.5}))["id"]
        becomes(server, task_id, "in_progress")
        server.kill()
        server.start()
        assert becomes(server, task_id, "done")["attempts"] == 1
        again = server.call("POST", "/tasks/new", job())["id"]
        becomes(server, again, "done")
