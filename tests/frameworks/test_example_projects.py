"""The projects in ``examples/`` do what they say, in processes of their own, with a real server."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
from urllib.request import Request, urlopen

import pytest

import pythons
from polling import until
from ports import free_port
from tasker.testing.server import TaskerServer

EXAMPLES = pythons.ROOT / "examples"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def start(tmp_path):
    """Starts programs, and stops them in the end."""
    running = []

    def start(folder, command, **variables):
        log = (tmp_path / f"printed-{len(running)}.txt").open("w")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TASKER_")},
            "PYTHONPATH": str(pythons.ROOT / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            **variables,
        }
        program = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
        running.append((program, log))
        return program

    yield start
    for program, log in reversed(running):
        program.kill()
        program.wait()
        log.close()


def call(method, url, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data, {"content-type": "application/json"}, method=method), timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def answers(url):
    try:
        call("GET", url)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def test_the_django_shop_sends_its_invoice_and_its_reminder(newer, start, tmp_path):
    folder, port = EXAMPLES / "django", free_port()
    with TaskerServer(tmp_path) as server:
        said = {"TASKER_URL": server.url, "SHOP_DATABASE": str(tmp_path / "shop.db")}
        assert start(folder, [newer, "manage.py", "migrate", "-v0"], **said).wait(120) == 0
        checks = [newer, "manage.py", "makemigrations", "--check", "--dry-run"]
        assert start(folder, checks, **said).wait(120) == 0, "the migrations are those of the models"
        start(folder, [newer, "manage.py", "runserver", "--noreload", str(port)], **said)
        worker = start(folder, [newer, "manage.py", "tasker_worker"], **said)
        shop = f"http://127.0.0.1:{port}"
        until(lambda: answers(f"{shop}/orders/1"), "the shop answers")
        order = call("POST", f"{shop}/orders", {"customer": "ada@example.org", "remind_after_seconds": 0.5})["order"]
        done = {"customer": "ada@example.org", "invoice": "SUCCESSFUL", "mails": ["invoice", "reminder"]}
        until(lambda: call("GET", f"{shop}/orders/{order}") == done, "both mails are sent")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0


def test_the_fastapi_shop_is_called_back_and_asks_nobody_who_has_cancelled(start, tmp_path):
    port = free_port()
    shop = f"http://127.0.0.1:{port}"
    secrets = tmp_path / "secrets"
    secrets.write_text(SECRET)
    secrets.chmod(0o600)
    with TaskerServer(tmp_path, "--webhook-secrets-file", str(secrets)) as server:
        command = [sys.executable, "-m", "uvicorn", "shop:app", "--port", str(port)]
        start(EXAMPLES / "fastapi", command, TASKER_URL=server.url, WEBHOOK_SECRETS=SECRET, SHOP_URL=shop)
        until(lambda: answers(f"{shop}/mails"), "the shop answers")
        cancelled = call("POST", f"{shop}/orders", {"number": 17, "ask_after": "1h"})["task"]
        task = call("POST", f"{shop}/orders", {"number": 18, "ask_after": "1s"})["task"]
        assert call("POST", f"{shop}/orders", {"number": 18})["task"] == task, "it asks once for each order"
        call("DELETE", f"{shop}/orders/17")
        call("DELETE", f"{shop}/orders/19")
        assert server.call("GET", f"/tasks/{cancelled}")["webhook"]["state"] == "cancelled"
        until(lambda: call("GET", f"{shop}/mails"), "it asks")
        assert call("GET", f"{shop}/mails") == [18]
        with pytest.raises(urllib.error.HTTPError, match="401"):
            call("POST", f"{shop}/ask-for-review", {"order": 1})
        until(lambda: server.call("GET", f"/tasks/{task}")["webhook"]["state"] == "done", "tasker knows that it did")
