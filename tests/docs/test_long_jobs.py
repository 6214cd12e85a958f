"""The receivers of the page report the ends of long jobs, and stop when a job was cancelled."""

import shutil
import socket
import subprocess
import sys
import time

import pytest
from pages import DOCS, blocks

from polling import until
from ports import free_port
from tasker.testing.server import TaskerServer

PAGE = DOCS / "long-jobs.md"
COMMANDS = {"python": (sys.executable, "receiver.py"), "js": ("node", "receiver.js")}


@pytest.fixture
def server(tmp_path):
    port = free_port()
    with TaskerServer(tmp_path, "--listen-port", str(port), "--public-url", f"http://127.0.0.1:{port}") as server:
        yield server


@pytest.fixture
def receiver(request, tmp_path):
    """Runs the receiver in a language; ``receiver.url``, and ``receiver.said()`` once it has ended."""
    program, script = COMMANDS[request.param]
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}")
    (text,) = [text for language, text in blocks(PAGE) if language == request.param]
    port = free_port()
    assert "PORT = 9000" in text
    assert "STEP_SECONDS = 30" in text
    text = text.replace("PORT = 9000", f"PORT = {port}").replace("STEP_SECONDS = 30", "STEP_SECONDS = 0.3")
    (tmp_path / script).write_text(text)
    process = subprocess.Popen([program, script], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    process.url = f"http://127.0.0.1:{port}/report"
    until(lambda: is_listening(port), "the receiver listens", seconds=20)
    yield process
    process.kill()
    process.wait()


def is_listening(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def task(server, task_id):
    return server.call("GET", f"/tasks/{task_id}")["webhook"]


def new_job(server, receiver):
    webhook = {"delay": 0, "url": receiver.url, "json": {"order": 17}, "completion": {"deadline": "10m"}}
    return server.call("POST", "/tasks/new", {"webhook": webhook})["id"]


@pytest.mark.parametrize("receiver", COMMANDS, indirect=True)
def test_a_receiver_reports_how_far_it_has_come_and_the_result(server, receiver):
    task_id = new_job(server, receiver)
    until(lambda: "progress" in task(server, task_id), "progress is told")
    shown = task(server, task_id)
    assert shown["state"] == "in_progress"
    assert shown["progress"]["msg"].startswith("page ")
    until(lambda: task(server, task_id)["state"] == "done", "the job is done")
    ended = task(server, task_id)
    assert (ended["result"], ended["attempts"]) == ({"order": 17, "pages": 4}, 1)


@pytest.mark.parametrize("receiver", COMMANDS, indirect=True)
def test_a_receiver_stops_when_the_job_was_cancelled(server, receiver):
    task_id = new_job(server, receiver)
    until(lambda: "deadline" in task(server, task_id), "the job is accepted")
    cancelled = server.call("POST", f"/tasks/{task_id}/cancel")["webhook"]
    assert cancelled["state"] == "cancelled"
    assert receiver.stdout.readline() == "stopped: cancelled\n"


@pytest.mark.parametrize("receiver", COMMANDS, indirect=True)
def test_a_receiver_reports_again_until_it_is_heard(server, receiver):
    task_id = new_job(server, receiver)
    until(lambda: "deadline" in task(server, task_id), "the job is accepted")
    server.kill()
    time.sleep(1.5)  # the receiver is done meanwhile, and finds nobody
    server.start()
    until(lambda: task(server, task_id)["state"] == "done", "the job is done")
    assert task(server, task_id)["attempts"] == 1
