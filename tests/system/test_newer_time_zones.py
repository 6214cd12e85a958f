"""A country has changed its rules: a server with the newer package moves what waits before it starts anything."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import tzdata

from databases import new_database
from tasker.model import instants, zones
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver

BERLIN = "Europe/Berlin"


@pytest.fixture
def older_zones(tmp_path):
    """A folder with a package of an earlier year, in which the clocks in Berlin are those of New York."""
    package = tmp_path / "older" / "tzdata"
    shutil.copytree(Path(tzdata.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "__init__.py").write_text('IANA_VERSION = "2020a"\n')
    shutil.copyfile(package / "zoneinfo" / "America" / "New_York", package / "zoneinfo" / BERLIN)
    return str(package.parent)


def logged(server, event):
    return [line for line in map(json.loads, server.log.read_text().splitlines()) if line["event"].startswith(event)]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_what_waits_is_due_by_the_newer_zones_and_older_ones_move_nothing(tmp_path, monkeypatch, older_zones, database):
    options = ["--database-url", new_database()] if database == "postgresql" else []
    in_new_york = (datetime.now(UTC) + timedelta(hours=3)).astimezone(ZoneInfo("America/New_York"))
    said = {"local_time": in_new_york.replace(tzinfo=None).isoformat(timespec="seconds"), "time_zone": BERLIN}
    later = {"local_time": "2126-02-10T09:00:00", "time_zone": BERLIN}
    daily = {"cron": "0 9 * * *", "time_zone": BERLIN, "starts_at": "2126-02-10T00:00:00Z"}
    server = TaskerServer(tmp_path, *options)
    with WebhookReceiver() as receiver:

        def start(path):
            if path is None:
                monkeypatch.delenv("PYTHONPATH", raising=False)
            else:
                monkeypatch.setenv("PYTHONPATH", path)
            server.kill()
            server.log.write_text("")
            server.start()

        def create(when):
            return server.call("POST", "/tasks/new", {"webhook": {"url": receiver.url("/"), **when}})["id"]

        def moment(task_id):
            text = server.call("GET", f"/tasks/{task_id}")["webhook"]["execution_time"]
            return instants.text(instants.parse(text))[:19]

        try:
            start(older_zones)
            overdue, waits = create(said), create(later)
            task = {"webhook": {"url": receiver.url("/")}}
            server.call("PUT", "/schedules/morning", {**daily, "task": task})
            assert moment(waits) == "2126-02-10T14:00:00"

            start(None)
            receiver.wait_for(1)
            assert moment(waits) == "2126-02-10T08:00:00"
            assert server.call("GET", f"/tasks/{overdue}?wait=10")["webhook"]["state"] == "done"
            next_run = server.call("GET", "/schedules/morning")["next_runs"][0]
            assert (next_run["scheduled_for"][:19], next_run["local_time"]) == (
                "2126-02-10T08:00:00",
                "2126-02-10T09:00:00",
            )
            assert "task_id" in next_run, "it stands in the queue"
            (line,) = logged(server, "newer time zones")
            assert [line[name] for name in ("zones", "before", "tasks", "schedules")] == [zones.VERSION, "2020a", 2, 1]

            start(older_zones)
            assert moment(waits) == "2126-02-10T08:00:00"
            (line,) = logged(server, "the time zones of this node are older")
            assert (line["level"], line["newest"]) == ("warning", zones.VERSION)
        finally:
            server.kill()
