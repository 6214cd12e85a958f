"""What the first ten minutes show is typed here as it stands, in an empty folder."""

import json
import os
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from pages import DOCS, blocks

from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver

PAGE = DOCS / "first-ten-minutes.md"
FILES = dict(re.findall(r"^Write `(\w+\.py)`:\n\n```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL))
RUNS_ON = ("tasker serve", "python3 -m http.server")
"""What a terminal of its own is for: the fixtures of these tests do that."""


@pytest.fixture(scope="module")
def typed(tmp_path_factory):
    """What each command of the page has printed, by the command; and the calls that were received."""
    folder = tmp_path_factory.mktemp("first")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    said = {}
    with WebhookReceiver() as receiver, ExitStack() as running:
        here = {"http://localhost:9000": receiver.url("")}
        for name, text in FILES.items():
            (folder / name).write_text(_with(here, text))
        server = running.enter_context(TaskerServer(folder, "--app", "shop:app"))
        here["http://localhost:8080"] = server.url
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("TASKER_", "PYTEST"))}
        environment |= {"PATH": path, "TASKER_URL": server.url, "XDG_CONFIG_HOME": str(folder / "config")}
        for language, text in blocks(PAGE):
            if language != "sh" or text.startswith(RUNS_ON):
                continue
            ended = subprocess.run(
                ["sh", "-ec", _with(here, text)],
                cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip
            assert ended.returncode == 0, (text, ended.stdout, ended.stderr)
            said[text] = ended.stdout
        yield said, receiver.deliveries("/")


def _with(here, text):
    for shown, real in here.items():
        text = text.replace(shown, real)
    return text


def _said(typed, beginning):
    (answer,) = (answer for command, answer in typed[0].items() if command.startswith(beginning))
    return answer


def test_the_page_has_all_that_a_stranger_needs():
    assert set(FILES) == {"first.py", "shop.py", "test_shop.py"}
    assert len([text for language, text in blocks(PAGE) if language == "sh" and text.startswith(RUNS_ON)]) == 3


def test_the_first_tasks_are_called(typed):
    assert json.loads(_said(typed, "curl"))["id"]
    assert json.loads(_said(typed, "tasker wait"))["state"] == "done"
    assert _said(typed, "python first.py").startswith("done 2")
    assert {each.method for each in typed[1]} == {"GET"}
    assert len(typed[1]) >= 2


def test_the_function_is_run_by_the_worker_of_the_server(typed):
    assert json.loads(_said(typed, "tasker add reminder.send"))["result"] == "reminded the customer of order 16"


def test_the_reminder_of_the_shop_waits_for_three_days(typed):
    reminder = json.loads(_said(typed, "python -c"))
    assert (reminder["key"], reminder["state"], reminder["args"]) == ("order-17", "todo", {"order": 17})


def test_the_test_with_a_frozen_clock_passes(typed):
    assert "1 passed" in _said(typed, "pytest")
