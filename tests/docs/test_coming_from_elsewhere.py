"""The pages for those who come from Celery, cron and Cloud Tasks: their code does what it says."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from pages import DOCS, blocks

from polling import until
from tasker import Client
from tasker.testing.server import TaskerServer


@pytest.fixture
def server(tmp_path, monkeypatch):
    with TaskerServer(tmp_path) as server:
        monkeypatch.setenv("TASKER_URL", server.url)
        yield server


@pytest.fixture
def client(server):
    with Client(server.url) as client:
        yield client


def code_of(name):
    return [text for language, text in blocks(DOCS / f"{name}.md") if language == "python"]


def run(texts):
    """Run pieces of a page, one after the other, and return the names that they define."""
    names = {}
    for text in texts:
        exec(compile(text, "page", "exec"), names)
    names["client"].close()
    return names


def test_what_celery_did_later_and_again_is_done(tmp_path, monkeypatch):
    later, tasks, enqueue, beat = code_of("from-celery")
    (tmp_path / "tasks.py").write_text(tasks)
    monkeypatch.syspath_prepend(tmp_path)
    with TaskerServer(tmp_path, "--app", "tasks:app") as server, Client(server.url) as client:
        monkeypatch.setenv("TASKER_URL", server.url)
        names = run([later, enqueue, beat])
        names["send_report"].app.close()
        del sys.modules["tasks"]
        assert client.by_key("remind-17").get().state == "cancelled"
        report = client.by_key("report-7")
        assert (report.get().state, report.get().fields["args"]) == ("todo", {"month": 7})
        report.run()
        done = report.wait(timeout=60)
        assert (done.state, done.result) == ("done", {"month": 7, "pages": 3})
        schedule = client.schedules.get("weekly-report")
        assert (schedule.cron, schedule.time_zone) == ("30 7 * * MON", "Europe/Berlin")
        (waiting,) = client.find(schedule="weekly-report", state="todo")
        assert (waiting.type, waiting.fields["args"]) == ("report.send", {"month": 7})
        server.stop()


def test_what_stood_in_a_crontab_is_run_by_the_worker_of_the_page(client, server, tmp_path):
    schedules, worker = code_of("from-cron")
    run([schedules, schedules])
    assert {schedule.name: schedule.cron or schedule.every for schedule in client.schedules.find()} == {
        "report": "30 7 * * 1",
        "poll": "15m",
    }
    succeeds, fails = [[sys.executable, "-c", f"print('out'); exit({status})"] for status in (0, 3)]
    commands = f'COMMANDS = {{"report": {succeeds}, "poll": {fails}}}'
    replaced = "\n".join(commands if line.startswith("COMMANDS = ") else line for line in worker.splitlines())
    program = tmp_path / "worker.py"
    program.write_text(f"{replaced}\n\n\nmain()\n")
    done = client.create("job", {"queue": "commands", "json": {"command": "report"}}, delay=0)
    one_attempt = {"queue": "commands", "json": {"command": "poll"}, "retry": {"max_attempts": 1}}
    failed = client.create("job", one_attempt, delay=0)
    running = subprocess.Popen([sys.executable, program], cwd=tmp_path)
    try:
        until(lambda: client.get(failed.id).has_ended and client.get(done.id).has_ended, "both have run")
    finally:
        running.kill()
        running.wait()
    assert (client.get(done.id).state, client.get(done.id).result) == ("done", {"printed": "out\n"})
    stored = client.get(failed.id)
    assert (stored.state, stored.last_error.code, stored.last_error.msg) == ("failed", "exit_status", "exit status 3")


def test_what_cloud_tasks_did_is_done(client):
    names = run(code_of("from-cloud-tasks"))
    task = client.get(names["created"].id)
    assert (task.state, task.key, task.fields["timeout"]) == ("cancelled", "remind-17", 600)
    in_days = datetime.fromisoformat(task.execution_time) - datetime.now(UTC)
    assert timedelta(days=3, hours=23) < in_days <= timedelta(days=4)
    (destination,) = client.destinations.find()
    assert (destination.name, destination.max_per_second, destination.max_running) == (
        "http://localhost:9000",
        5,
        10,
    )


@pytest.mark.parametrize("name", ["from-celery", "from-cron", "from-cloud-tasks"])
def test_the_page_says_what_one_will_miss(name):
    assert "\n## What you will miss\n" in (DOCS / f"{name}.md").read_text()


def test_what_the_comparison_says_without_a_source_is_marked():
    text = (DOCS / "comparison.md").read_text()
    assert text.count("(m)") > 10
    assert text.count("](https://") > 20
    for name in (
        *("Celery", "APScheduler", "RQ", "Dramatiq", "Procrastinate", "Oban", "River", "Sidekiq", "Temporal"),
        *("Cloud Tasks", "EventBridge Scheduler", "Quartz", "cron", "systemd", "QStash", "Hookdeck", "Svix"),
    ):
        assert f"**{name}" in text, name
