"""The examples of "Testing your code" are run as they are shown."""

import json
import shutil
import subprocess
import sys

import pytest
from pages import DOCS, blocks

from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver

PAGE = DOCS / "testing-your-code.md"


def shown(language):
    return [text for each, text in blocks(PAGE) if each == language]


@pytest.fixture
def receiver():
    with WebhookReceiver() as started:
        yield started


@pytest.fixture
def server(tmp_path):
    with TaskerServer(tmp_path, "--dev-clock") as started:
        yield started


def test_the_calls_of_the_page_let_three_days_pass(server, receiver):
    calls = [line for text in shown("sh") for line in text.splitlines() if line.startswith("curl")]
    assert len(calls) == 4
    answers = []
    for call in calls:
        command = call.replace("http://localhost:8080", server.url).replace("http://127.0.0.1:9000", receiver.url(""))
        ended = subprocess.run(["sh", "-c", f"{command} -sSf"], capture_output=True, text=True, timeout=30, check=True)
        answers.append(json.loads(ended.stdout))
    assert answers[2] == json.loads(shown("json")[0])
    assert answers[3]["webhook"]["state"] == "done"
    assert [each.path for each in receiver.deliveries()] == ["/hook"]


@pytest.mark.skipif(shutil.which("node") is None, reason="no Node on this machine")
def test_the_test_in_javascript_passes(server, receiver, tmp_path):
    (test,) = shown("js")
    (tmp_path / "order.test.mjs").write_text(test)
    ended = subprocess.run(
        ["node", "--test", "order.test.mjs"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "TASKER_URL": server.url, "RECEIVER_URL": receiver.url("/hook")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(receiver.deliveries("/hook")) == 1


def test_the_tests_in_python_pass(tmp_path):
    shop, *tests = shown("python")
    (tmp_path / "shop.py").write_text(shop)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    for place, test in enumerate(tests):
        (tmp_path / f"test_{place}.py").write_text(test)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "6 passed" in ended.stdout
