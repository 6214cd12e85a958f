"""``tasker demo``: a month of history, and nothing that leaves the process."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from polling import until
from tasker.testing.webhook_receiver import WebhookReceiver

COMMAND = [sys.executable, "-m", "tasker", "demo", "--listen-port", "0"]


@pytest.fixture
def demo(tmp_path):
    """A demo that runs, and what it has printed so far."""
    with subprocess.Popen(COMMAND, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        printed = []
        while not printed or not printed[-1].startswith("Look at"):
            line = process.stdout.readline()
            assert line, "it ended"
            printed.append(line)
        yield process, "".join(printed)
        process.kill()


def get(url):
    with urlopen(url, timeout=30) as answer:
        return json.loads(answer.read())


def create(url, task):
    request = Request(f"{url}/tasks/new", json.dumps(task).encode(), {"content-type": "application/json"})
    with urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())["id"]


def test_it_has_a_history_says_what_it_is_sends_nothing_and_leaves_nothing(demo):
    process, printed = demo
    url = re.search(r"Look at (http://127\.0\.0\.1:\d+)/ui/", printed)[1]
    folder = Path(re.search(r"The database is (\S+),", printed)[1]).parent
    assert "made up" in printed
    assert "nothing is sent" in printed
    with urlopen(f"{url}/ui/", timeout=30) as answer:
        assert b"A demo: nothing is sent." in answer.read()

    counts = get(f"{url}/stats")["tasks"]
    assert min(counts.values()) > 0, "there is something in every state"
    assert counts["done"] > 500
    assert {each["code"] for each in get(f"{url}/failures")["failures"]} >= {"connect_refused"}
    assert len(get(f"{url}/schedules")["schedules"]) == 6
    assert {each["by"]["name"] for each in get(f"{url}/audit?limit=1000")["audit"]} >= {"tasker", "Ben", "checkout"}
    assert get(f"{url}/tasks?schedule=sync-stock&state=done&count=capped&limit=1")["count"] >= 235
    assert get(f"{url}/tasks?schedule=sync-stock&state=cancelled&count=capped&limit=1")["count"] == 0, "it stood still"
    gates = {each["name"]: each for each in get(f"{url}/destinations")}
    assert gates["https://partner.example:443"]["circuit"]["state"] != "closed"
    assert gates["https://sms.example:443"]["paused"]

    with WebhookReceiver() as receiver:
        task = create(url, {"webhook": {"delay": 0, "url": receiver.url(), "body": "x"}})
        until(lambda: get(f"{url}/tasks/{task}")["webhook"]["state"] == "done", "it is done")
        assert receiver.deliveries() == []

    assert folder.is_dir()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert not folder.exists()


def test_a_file_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "mine.db").write_text("mine")
    ended = subprocess.run(
        [*COMMAND, "--database", "mine.db"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "name a file that is not there" in ended.stderr
    assert (tmp_path / "mine.db").read_text() == "mine"
