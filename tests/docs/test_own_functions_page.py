"""The how-to of own functions, run as it stands: an app in a folder, a server for it, a worker, calls from outside."""

import asyncio
import re
import subprocess
import sys

import msgspec
import pytest
from pages import DOCS, blocks

import tasker
from polling import until
from tasker.cli.worker import worker_command
from tasker.testing.server import TaskerServer
from tasker.worker.loading import load_app
from tasker.worker.reports import raised

PAGE = DOCS / "own-functions.md"
OWN, CALLS = (text for language, text in blocks(PAGE) if language == "python")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "tasks.py").write_text(OWN)
    (tmp_path / "shop" / "calls.py").write_text(CALLS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


def test_the_functions_of_the_page_are_scheduled_and_called(folder, monkeypatch):
    with TaskerServer(folder, "--app", "shop.tasks:app") as server, tasker.Client(server.url) as client:
        monkeypatch.setenv("TASKER_URL", server.url)
        from shop import calls, tasks  # noqa: PLC0415 - written by this test

        async def order():
            await calls.order(42)
            await tasks.app.aclose()

        asyncio.run(order())
        calls.remind("ada@example.org")
        tasks.send_mail.schedule_sync("nobody", "x")
        tasks.app.close()
        (now,) = client.find(type="report.build", state=["todo", "in_progress", "done"], tag=None, due_before=_soon())
        assert client.wait(now.id, timeout=60).result == {"pages": 4}
        (waiting,) = client.find(tag="report")
        assert (waiting.key, waiting.fields["args"]) == ("report-42", {"customer": 42, "layout": "csv"})
        until(lambda: len(list(client.find(type="mail.send", state="failed"))) == 1, "the mail to nobody has failed")
        (failed,) = client.find(type="mail.send", state="failed")
        assert failed.last_error.code == "no_address"
        (reminder,) = client.find(type="mail.send", state="todo")
        assert reminder.fields["args"] == {"to": "ada@example.org", "text": "Your basket is waiting."}

        (curl,) = (text for language, text in blocks(PAGE) if language == "sh" and text.startswith("curl"))
        command = curl.strip().replace("http://localhost:8080", server.url)
        done = subprocess.run(["sh", "-c", f"{command} --silent --fail"], capture_output=True, text=True, check=True)
        assert client.get(msgspec.json.decode(done.stdout)["id"]).fields["args"] == {"customer": 42}


def _soon():
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415

    return datetime.now(UTC) + timedelta(minutes=1)


def test_the_functions_run_here_and_now_too(folder):
    app = load_app("shop.tasks:app")
    assert asyncio.run(app.functions["report.build"](42)) == {"pages": 4}
    with pytest.raises(tasker.Fail):
        app.functions["mail.send"]("nobody", "x")


def test_every_option_of_a_worker_is_described():
    text = PAGE.read_text() + (DOCS / "configuration.md").read_text()
    flags = [flag for parameter in worker_command.params for flag in parameter.opts]
    assert [flag for flag in flags if f"`{flag}" not in text] == []


def test_every_member_of_the_context_is_described():
    text = PAGE.read_text()
    members = {name for name in dir(tasker.Context) if not name.startswith("_")} - {"end"} | {"logger"}
    assert [name for name in members if not re.search(rf"`{name}[`(]", text)] == []


def test_the_codes_of_calls_are_described():
    text = (DOCS / "rest" / "functions.md").read_text()
    for error in (tasker.BadArgumentsError("f", "x"), tasker.Retry(), tasker.Fail("x"), KeyError("x")):
        assert f"`{raised(error).code}`" in text
