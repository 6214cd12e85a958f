"""The page about alerts: its commands are typed, and what it says of messages is so."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from pages import DOCS, blocks, code, table

from tasker.config import Settings
from tasker.egress.alert_sender import TIMEOUT
from tasker.engine.alerts import LOOK_EVERY
from tasker.model.alerts import (
    APART,
    CIRCUIT_AFTER,
    FIRST_WAIT,
    LONGEST_WAIT,
    TROUBLES_TOLD,
    WRITES_AFTER,
    Cause,
)
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver
from tasker.wire.alerts import AlertBody

PAGE = DOCS / "alerts.md"
TEXT = PAGE.read_text()


@pytest.fixture
def receiver():
    if shutil.which("curl") is None:
        pytest.skip("needs curl, which the page uses")
    with WebhookReceiver() as receiver:
        yield receiver


def type_(folder, text, receiver):
    """Type what the page says, and return what is printed."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    others = {name: value for name, value in os.environ.items() if not name.startswith("TASKER_")}
    return subprocess.run(
        ["sh", "-c", text.replace("localhost:9000", f"127.0.0.1:{receiver.port}")],
        cwd=folder,
        env={**others, "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_test_that_the_page_sends_arrives(tmp_path, receiver):
    export, send, send_for_programs = [text for language, text in blocks(PAGE) if language == "sh"]
    (shown, _) = [text for language, text in blocks(PAGE) if language == "text"]

    sent = type_(tmp_path, export + send, receiver)
    assert (sent.returncode, sent.stderr) == (0, "")
    assert re.sub(r"0\.\d+", "0.042", sent.stdout) == shown
    sent = type_(tmp_path, export + send_for_programs, receiver)
    example = json.loads(next(text for language, text in blocks(PAGE) if language == "json"))
    assert json.loads(sent.stdout).keys() == example.keys()
    assert [each.path for each in receiver.deliveries()] == ["/services/T0000/B0000/XXXX"] * 2


def test_the_dead_mans_switch_calls_the_monitor_while_tasker_works(tmp_path, receiver):
    heartbeat = next(text for language, text in blocks(PAGE) if '"heartbeat"' in text)
    slower = heartbeat.replace('"delay": 1', '"delay": 3')  # so that it still waits when the next one comes
    (tmp_path / "heartbeat.json").write_text(slower.replace("localhost:9000", f"127.0.0.1:{receiver.port}"))
    line = next(text for language, text in blocks(PAGE) if text.startswith("* * * * * "))
    command = line.removeprefix("* * * * * ")

    with TaskerServer(tmp_path) as server:
        beat = command.replace("http://localhost:8080", server.url)
        assert [type_(tmp_path, beat, receiver).returncode for _ in range(2)] == [0, 0]
        (ping,) = receiver.wait_for(1, path="/ping/your-uuid")
        assert ping.method == "GET"
        assert len(server.call("GET", "/tasks?tag=heartbeat")["tasks"]) == 1, "one waits at a time"
        type_(tmp_path, beat, receiver)
        receiver.wait_for(2, path="/ping/your-uuid")

    assert type_(tmp_path, beat, receiver).returncode != 0
    assert len(receiver.deliveries()) == 2


def test_every_cause_is_described_with_its_facts():
    causes = [cause.value for cause in Cause]
    assert [code(row[0])[0] for row in table(PAGE, "## What it tells")] == causes
    _, _, below = TEXT.partition("| `cause` | `facts` |")
    assert re.findall(r"^\| `(\w+)` \|", below, re.MULTILINE)[: len(causes)] == causes


def test_the_message_of_the_page_has_the_members_of_a_message():
    shown = next(text for language, text in blocks(PAGE) if language == "json" and '"text"' in text)
    body = msgspec.json.decode(shown, type=AlertBody)
    assert msgspec.json.decode(msgspec.json.encode(body)) == json.loads(shown)
    described = {name for row in table(PAGE, "## What it sends") for name in code(row[0])}
    assert described == {"text"} | {f"alert.{member}" for member in json.loads(shown)["alert"]}


def test_the_numbers_are_those_of_the_rules():
    seconds = [each.total_seconds() for each in (LOOK_EVERY, WRITES_AFTER, FIRST_WAIT, TIMEOUT)]
    minutes = [each.total_seconds() / 60 for each in (Settings().alert_after, APART, CIRCUIT_AFTER, LONGEST_WAIT)]
    assert (seconds, minutes, TROUBLES_TOLD) == ([5, 10, 10, 10], [1, 1, 10, 5], 100)
    for said in (
        "looks every 5 seconds",
        "for 10 seconds: the disk",
        "after 10 seconds, then 20",
        "2xx within 10 seconds",
        "more than a minute (`--alert-after`)",
        "one message a minute",
        "closed for 10 minutes",
        "every 5 minutes, for as long",
        "At most 100 troubles",
    ):
        assert said in TEXT, said
