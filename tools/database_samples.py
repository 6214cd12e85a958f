"""Writes tests/samples/VERSION/: a database of each kind as this version leaves it, and what it showed of it.

A release is made with it: ``tests/system/test_database_samples.py`` starts servers on the samples of
all versions. Each database has one of everything, was written by a real server, and was left behind
by a ``kill -9``.

- ``sqlite.db.gz``: the file itself.
- ``postgresql.sql``: a dump in plain SQL, without anything that only ``psql`` understands.
- ``shown.json``: what the server answered, by the kind of database.
- ``promised.json``: what this version promises to stay.
"""

import gzip
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import apsw
from promises import promises

from tasker import __version__
from tasker.ids import new_id
from tasker.testing.postgres_server import PostgresServer, binaries
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "tests" / "samples" / __version__
FAR: Final = "2126-02-10T16:30:00+01:00"
"""Due at no time at which anybody looks at the sample."""

SECRET: Final = "correct-horse-battery-staple"  # noqa: S105 - of an example

FAR_AWAY: Final = "http://hooks.example.org"
"""Where tasks go that never start."""

NEEDED_SETTINGS: Final = ("check_function_bodies", "client_encoding", "standard_conforming_strings")
"""The settings of a dump that are needed to read it. Others are not known to each version of PostgreSQL."""

REFUSED_ROW: Final = (
    "INSERT INTO tasker_inbox (id, request) "
    """VALUES (gen_random_uuid(), '{"webhook": {"delay": "1h", "url": "http://hooks.example.org", "bodi": "x"}}')"""
)
"""A request in the inbox that is refused, and stays there."""

DOWN_SECONDS: Final = 6.0
"""How long nobody looks for due tasks, so that this is noted."""


class Author:
    """Has a server write one of everything."""

    def __init__(self, folder: Path, url: str, receiver: WebhookReceiver) -> None:
        self.receiver = receiver
        options = ("--database-url", url, "--egress", "lan", "--public-url", "http://127.0.0.1:8080")
        late = ("--max-deliveries", "1", "--alert-url", receiver.url("/alerts"), "--alert-after", "1s")
        self.server, self.late_server = TaskerServer(folder, *options), TaskerServer(folder, *options, *late)
        self.key = ""

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Any:  # noqa: ANN401 - JSON
        """Make a call with the key, once there is one."""
        shown = {"authorization": f"Bearer {self.key}"} if self.key else {}
        return self.server.call(method, path, body, headers={**headers, **shown})

    def new(self, type_: str, /, **fields: object) -> str:
        """Create a task and return its id."""
        when = {} if {"delay", "local_time"} & set(fields) else {"execution_time": FAR}
        made: str = self.call("POST", "/tasks/new", {type_: {**when, **fields}})["id"]
        return made

    def webhook(self, path: str = "", **fields: object) -> str:
        """Create a webhook that is due now and goes to *path* of the receiver, or to nobody for a long time."""
        when = {"url": self.receiver.url(path), "delay": 0} if path else {"url": f"{FAR_AWAY}/hook"}
        return self.new("webhook", **{**when, "body": "x", **fields})

    def until(self, holds: Callable[[], bool]) -> None:
        """Return once *holds* says so."""
        deadline = time.monotonic() + 60
        while not holds():
            if time.monotonic() > deadline:
                raise SystemExit(f"what the sample needs did not happen: see {self.server.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def until_state(self, task_id: str, *states: str) -> None:
        """Return once a task is in one of *states*."""
        self.until(lambda: next(iter(self.call("GET", f"/tasks/{task_id}").values()))["state"] in states)

    def write(self, more: Callable[[], object] = lambda: None) -> dict[str, Any]:
        """Write the database, and return what the server showed before it was killed.

        Args:
            more: what is written in another way, while a server runs.
        """
        with self.server:
            self._keys()
            self._waiting()
            self._ended()
            self._gates()
            self._schedules()
            self._operations()
            self._jobs_and_completions()
            self.call("POST", "/pause")
            self.call("POST", "/resume")
            self._sign_in()
            more()
            self.server.stop()
        time.sleep(DOWN_SECONDS)
        self.server = self.late_server
        with self.server:
            self.webhook("/slow/600", timeout=900, key="running")
            self.receiver.wait_for(path="/slow/600")
            self.webhook("/later", key="has-no-slot")
            self.receiver.wait_for(path="/alerts", timeout_seconds=30)
            return {"key": self.key, **self._shown()}

    def _keys(self) -> None:
        self.key = self.call("POST", "/keys", {"name": "admin", "role": "admin"})["key"]
        self.call("POST", "/keys", {"name": "grafana", "role": "read", "expires_at": FAR})
        worker = {"name": "worker", "scopes": ["queues:work:reports", "tasks:read"]}
        self.call("POST", "/keys", worker)
        revoked = self.call("POST", "/keys", {"name": "revoked", "role": "write"})["id"]
        self.call("DELETE", f"/keys/{revoked}")

    def _waiting(self) -> None:
        everything = {
            "body": "J\u00fcrgen \U0001f600", "headers": {"authorization": "Bearer secret", "x-order": "17"},
            "method": "PUT", "timeout": 5, "success": ["2xx", 404],
            "keep": "forever", "expires_at": "2126-03-01T00:00:00Z",
            "retry": {"max_attempts": 3, "initial_delay": 2, "factor": 2}, "tags": ["customer:42", "paid"],
            "group": "customer-42", "key": "order-17",
            "on_success": "http://hooks.example.org/done", "on_failure": "http://hooks.example.org/failed",
            "on_cancel": "http://hooks.example.org/cancelled",
        }  # fmt: skip
        self.webhook(**everything)
        self.new("webhook", url=f"{FAR_AWAY}/json", json={"order": 17, "lines": [1, 2.5, None]})
        self.new("webhook", url=f"{FAR_AWAY}/bytes", body_base64="AAEC/w==")
        self.new("webhook", url=f"{FAR_AWAY}/large", body="y" * 5_000)
        self.new("hash", secret=SECRET)
        self.webhook(local_time="2126-07-01T09:00:00", time_zone="Asia/Tokyo", keep="30d")
        changed = self.webhook(key="changed")
        self.call("PATCH", f"/tasks/{changed}", {"webhook": {"body": "changed", "tags": ["changed"]}})
        self.call("DELETE", f"/tasks/{self.webhook()}")
        once = {"idempotency-key": "once"}
        self.call("POST", "/tasks/batch", [{"hash": {"execution_time": FAR, "secret": "x"}}] * 3, **once)
        self.call(
            "POST",
            "/tasks/new",
            {"webhook": {"execution_time": FAR, "url": FAR_AWAY, "id": new_id(time.time_ns() // 1_000)}},
        )

    def _ended(self) -> None:
        done = self.webhook("/done", tags=["ended"], on_success=self.receiver.url("/told"))
        hashed = self.new("hash", secret=SECRET, delay=0)
        failed = self.webhook("/status/404", retry={"max_attempts": 1}, on_failure=self.receiver.url("/told"))
        cancelled = self.webhook(keep="forever")
        self.call("POST", f"/tasks/{cancelled}/cancel")
        retried = self.webhook("/status/410", retry={"max_attempts": 1})
        for task_id in (done, hashed, failed, retried):
            self.until_state(task_id, "done", "failed")
        self.call("POST", f"/tasks/{retried}/retry")
        self.until(lambda: len(self.call("GET", f"/tasks/{retried}/attempts")) == 2)
        self.receiver.wait_for(2, path="/told")
        again = self.webhook(
            "/status/503", key="waits-for-its-retry", retry={"max_attempts": 9, "initial_delay": 86_400}
        )
        self.until(lambda: len(self.call("GET", f"/tasks/{again}/attempts")) == 1)

    def _gates(self) -> None:
        for asked in ({"queue": "reports", "max_running": 2}, {"group": "slow", "max_per_second": 0.001, "burst": 1}):
            self.call("POST", "/destinations", asked)
        for number in range(2):  # the second one waits for its turn
            self.webhook("/slowly", group="slow", key=f"slowly-{number}")
        paused = self.call("POST", "/destinations", {"url": "http://127.0.0.1:9"})["id"]
        self.call("POST", f"/destinations/{paused}/pause")
        self.new("webhook", url="http://127.0.0.1:9/held", delay=0, key="held")
        for _ in range(10):  # so many failures in a row open a circuit
            self.new("webhook", url="http://127.0.0.1:1/dead", delay=0, retry={"max_attempts": 1})
        self.until(lambda: "open" in [each["circuit"]["state"] for each in self._destinations()])
        self.new("webhook", url="http://127.0.0.1:1/behind", delay=0, key="behind-a-circuit")

    def _schedules(self) -> None:
        task = {"webhook": {"url": self.receiver.url("/report"), "body": "x", "expires_at": "30m"}}
        weekdays = {"cron": "0 9 * * MON-FRI", "time_zone": "Asia/Tokyo", "starts_at": FAR, "task": task}
        more = {
            "jitter": "5m",
            "overlap": "queue",
            "missed": "all",
            "tags": ["report"],
            "ends_at": "2127-01-01T00:00:00Z",
        }
        self.call("PUT", "/schedules/weekdays", {**weekdays, **more})
        self.call("PUT", "/schedules/paused", {**weekdays, "paused": True})
        self.call("POST", "/schedules/weekdays/run")
        often = {"every": "1s", "max_runs": 2, "task": {"hash": {"secret": "x"}}}
        self.call("PUT", "/schedules/ended", often)
        self.until(lambda: self.call("GET", "/schedules/ended")["started"] == 2)

    def _operations(self) -> None:
        for tag in ("operated", "dry"):
            self.webhook(tags=[tag])
        for asked in ({"filter": {"tag": "operated"}}, {"filter": {"tag": "dry"}, "dry_run": True}):
            begun = self.call("POST", "/operations", {"action": "cancel", **asked})["id"]
            self.until(lambda: self.call("GET", f"/operations/{begun}")["state"] == "done")  # noqa: B023 - called at once

    def _jobs_and_completions(self) -> None:
        self.new("job", queue="reports", json={"month": 7})
        claimed = self.new("job", queue="reports", json={"month": 6}, delay=0, key="claimed")
        self.call("POST", "/queues/reports/claim", {"lease": "1d", "wait": 10})
        self.until_state(claimed, "in_progress")
        accepted = self.webhook("/status/202", key="accepted", completion={"deadline": "30d"})
        self.receiver.wait_for(path="/status/202")
        token = self.receiver.deliveries("/status/202")[0].headers["tasker-completion-token"]
        self.until_state(accepted, "in_progress")
        self.until(lambda: self._beats(token))

    def _beats(self, token: str) -> bool:
        """Report progress of what was accepted."""
        answer = self.server.call(
            "POST",
            "/completions/heartbeat",
            {"progress": 0.3, "msg": "page 3 of 10"},
            headers={"authorization": f"Bearer {token}"},
        )
        return answer["deadline"] is not None

    def _sign_in(self) -> None:
        connection = HTTPConnection(urlsplit(self.server.url).netloc)
        form = {"content-type": "application/x-www-form-urlencoded", "origin": self.server.url}
        connection.request("POST", "/ui/sign-in", urlencode({"key": self.key}), form)
        status = connection.getresponse().status
        connection.close()
        if status != HTTPStatus.SEE_OTHER:
            raise SystemExit(f"the sign-in was answered with {status}")

    def _destinations(self) -> list[Any]:
        return list(self.call("GET", "/destinations?limit=1000"))

    def _pages(self, path: str, noun: str) -> Iterator[Any]:
        while path:
            page = self.call("GET", path)
            yield from page[noun]
            path = page["next"]

    def _shown(self) -> dict[str, Any]:
        tasks = list(self._pages("/tasks?limit=1000", "tasks"))
        ids = [next(iter(task.values()))["id"] for task in tasks]
        schedules = [each["name"] for each in self._pages("/schedules", "schedules")]
        return {
            "tasks": tasks,
            "attempts": {task_id: self.call("GET", f"/tasks/{task_id}/attempts") for task_id in ids},
            "schedules": [self.call("GET", f"/schedules/{name}") for name in schedules],
            "destinations": self._destinations(),
            "operations": list(self._pages("/operations", "operations")),
            "keys": list(self._pages("/keys", "keys")),
            "audit": list(self._pages("/audit", "audit")),
        }


def write_sqlite(target: Path, receiver: WebhookReceiver) -> dict[str, Any]:
    """Write the file of a SQLite database into the folder *target*, and return what a server showed of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tasks.db"
        shown = Author(Path(folder), f"sqlite:{path}", receiver).write()
        connection = apsw.Connection(str(path))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.close()
        (target / "sqlite.db.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    return shown


def write_postgresql(target: Path, receiver: WebhookReceiver) -> dict[str, Any]:
    """Write the dump of a PostgreSQL database into the folder *target*, and return what a server showed of it."""
    with tempfile.TemporaryDirectory() as folder, PostgresServer() as postgres:
        postgres.execute("CREATE DATABASE tasker")
        author = Author(Path(folder), postgres.url("tasker"), receiver)
        shown = author.write(lambda: postgres.execute(REFUSED_ROW, database="tasker"))
        command = [binaries() / "pg_dump", "--no-owner", "--no-privileges", "--inserts", "--rows-per-insert=50"]
        dump = subprocess.run(  # noqa: S603 - PostgreSQL itself
            [*command, postgres.url("tasker")], capture_output=True, text=True, check=True
        ).stdout
        (target / "postgresql.sql").write_text(_plain(dump), encoding="utf-8")
    return shown


def _plain(dump: str) -> str:
    """Return a dump without commands of psql, settings that not each version knows, and comments."""

    def stays(line: str) -> bool:
        setting = re.match(r"SET (\w+) =", line)
        return not line.startswith(("\\", "--")) and (setting is None or setting[1] in NEEDED_SETTINGS)

    return re.sub(r"\n{3,}", "\n\n", "\n".join(filter(stays, dump.split("\n")))).lstrip()


def main() -> None:
    """Write both, in place of what is there of this version."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    shown = {}
    for name, write in (("sqlite", write_sqlite), ("postgresql", write_postgresql)):
        with WebhookReceiver() as receiver:
            shown[name] = write(FOLDER, receiver)
    for name, told in (("shown", shown), ("promised", promises())):
        text = json.dumps(told, indent=1, ensure_ascii=False)
        (FOLDER / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
    print(f"wrote {FOLDER.relative_to(ROOT)}")  # noqa: T201 - its output


if __name__ == "__main__":
    main()
