"""The commands of the page about backups do what it says, in the order in which it says it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pages import DOCS, blocks

from databases import execute, new_database, query
from tasker.testing.postgres_server import binaries
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver

PAGE = DOCS / "backup-and-restore.md"
STEPS = blocks(PAGE)


def shell(text, folder, **variables):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TASKER_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["sh", "-ec", text],
        cwd=folder,
        env={**clean, "PATH": path, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, (text, done.stdout, done.stderr)
    return done.stdout


def labels(table):
    """The words before the values of a table: two blanks or more are between."""
    return [re.split(r"  +", line)[0] for line in table.splitlines()]


def same_members(shown, printed):
    shown, printed = json.loads(shown), json.loads(printed)
    return {name: type(value) for name, value in shown.items()} == {
        name: type(value) for name, value in printed.items()
    }


def due_after(server, receiver, back_up):
    """Make a backup of a task that has run since, however long that takes; return its id, and what was printed."""
    for delay in (2, 4, 8, 16, 32):
        before = len(receiver.deliveries())
        task = server.client.schedule(receiver.url(), delay=delay)
        printed = back_up()
        has_run = len(receiver.deliveries()) > before
        receiver.wait_for(before + 1, timeout_seconds=60)
        if not has_run:
            return task.id, printed
    raise AssertionError("a backup takes more than half a minute")


class Walk:
    """Somebody who does what the page says, one command after the other, in the folder of a server."""

    def __init__(self, folder, server, receiver):
        self.folder, self.server, self.receiver = folder, server, receiver
        self.commands = []
        self.due = ""
        """The id of the task that has run since the first backup."""

    def type(self, command, shown_as):
        """Type a command of the page, and return what it prints; None: it is the server."""
        self.commands.append(command)
        if command.endswith(("restore backup.db", "restored", "vacuum")):
            assert self.server.stop() == 0
        if command == "tasker serve":
            self.server.start()
            return None
        if command == "tasker resume":
            assert self.server.client.get(self.due).state == "cancelled"
        here = command.replace("http://localhost:9000", self.receiver.url(""))
        if shown_as == "text":
            here += " --output table"
        if not self.due:
            self.due, printed = due_after(self.server, self.receiver, lambda: self.shell(here))
            return printed
        return self.shell(here)

    def shell(self, text):
        return shell(text, self.folder, TASKER_URL=self.server.url)


@pytest.fixture
def place(tmp_path):
    with WebhookReceiver() as receiver, TaskerServer(tmp_path) as server:
        yield tmp_path, server, receiver


def test_the_page_can_be_followed_to_its_end(place):
    folder, server, receiver = place
    server.client.schedule(receiver.url(), delay="1h")
    walk = Walk(folder, server, receiver)
    for (language, text), (next_language, shown) in zip(STEPS, [*STEPS[1:], ("", "")], strict=True):
        if language != "sh":
            continue
        command = text.strip()
        shown_as = "" if "tasker db" in shown else next_language  # else a command comes next, not what is printed
        printed = walk.type(command, shown_as)
        if shown_as == "text":
            expected = labels(shown)
            if command.endswith("restored"):  # nothing is due: it is cancelled
                expected = expected[:-1]
            assert labels(printed) == expected, (command, printed)
        if command == "tasker ls --reason paused_all":
            assert walk.due in printed
        if command.startswith("mkdir"):
            (written,) = [text for language, text in STEPS if language == "json"]
            assert same_members(written, printed)
            assert re.fullmatch(r"tasks-\d{8}T\d{6}Z\.db", next((folder / "backups").iterdir()).name)
    assert len(walk.commands) == 10, walk.commands


def test_the_commands_for_cron_and_for_a_decision_made_beforehand_work(tmp_path):
    commands = [text.splitlines()[-1] for language, text in STEPS if language == "text" and "tasker db" in text]
    (cron,) = [command for command in commands if command.startswith("17 3 * * * ")]
    (decided,) = [command for command in commands if "--due-since-copy" in command]
    here = cron.removeprefix("17 3 * * * ")
    shell("tasker db migrate --log-level error && mkdir backups && tasker db backup backup.db", tmp_path)
    shell(here.replace("/srv/tasker", str(tmp_path)), tmp_path)
    assert json.loads((tmp_path / "backups" / "log").read_text())["tasks"] == 0
    assert json.loads(shell(decided, tmp_path))["paused"] is False


def test_a_dump_of_postgresql_is_restored_and_its_nodes_start_paused(tmp_path):
    dump, restore = [text for language, text in STEPS if language == "bash"]
    source = new_database()
    name = f"{source.rpartition('/')[2]}_restored"

    def here(text):
        server = source.rpartition("/")[0]
        text = text.replace("postgresql://db1/tasker_restored", f"{server}/{name}").replace(
            "postgresql://db1/tasker", source
        )
        return text.replace("postgresql://db1/postgres", f"{server}/postgres").replace(" tasker_restored", f" {name}")

    path = os.pathsep.join([str(binaries()), str(Path(sys.executable).parent), os.environ["PATH"]])
    with WebhookReceiver() as receiver:
        with TaskerServer(tmp_path, "--database-url", source) as server:
            task_id, _ = due_after(server, receiver, lambda: shell(here(dump), tmp_path, PATH=path))
            assert server.stop() == 0
        *restoring, noting = here(restore).splitlines()
        assert noting.startswith("tasker db restored")
        shell("\n".join(restoring), tmp_path, PATH=path)
        target = f"{source.rpartition('/')[0]}/{name}"
        query(target, "UPDATE node SET lease_until = now()")  # the dump was made less than half a minute ago
        shell(noting, tmp_path)
        before = receiver.deliveries()
        with TaskerServer(tmp_path, "--database-url", target) as server:
            assert server.client.get(task_id).state == "todo"
            assert "note" in server.call("GET", "/readyz")
            server.client.resume()
            receiver.wait_for(len(before) + 1)
            first, again = before[-1], receiver.deliveries()[-1]
            assert first.headers["webhook-id"] == again.headers["webhook-id"]
    execute(f"DROP DATABASE {name}")
