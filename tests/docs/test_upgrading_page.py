"""The page about upgrading: its commands do what it says, and it quotes what tasker says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import apsw
import pytest
from pages import DOCS, ROOT, blocks, code, table

from databases import new_database, query
from tasker.stores.postgres import schema
from tasker.testing.server import TaskerServer

PAGE = DOCS / "upgrading.md"
BACKUP, MIGRATE_FILE, RESTORE, MIGRATE, NODES = (text for language, text in blocks(PAGE) if language == "sh")
UP_TO_DATE, TOO_NEW = (text for language, text in blocks(PAGE) if language == "text")


def run(command, folder, **variables):
    """Run a command of the page, in a folder."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TASKER_")}
    return subprocess.run(
        ["sh", "-ec", command],
        cwd=folder, env={**clean, "PATH": path, **variables}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_file_is_brought_up_to_date_once_no_server_uses_it_and_not_before(tmp_path):
    with TaskerServer(tmp_path) as server:
        refused = run(MIGRATE_FILE, tmp_path)
        assert refused.returncode == 1
        assert "Traceback" not in refused.stderr
        shown = run(f"KEY=x; {NODES.replace('http://10.0.0.1:8080', server.url)}", tmp_path)
        assert '"version"' in shown.stdout
        server.stop()
        assert run(MIGRATE_FILE, tmp_path).stdout == UP_TO_DATE


def test_what_a_newer_tasker_wrote_is_refused_in_the_words_of_the_page_and_the_backup_is_the_way_back(tmp_path):
    with TaskerServer(tmp_path) as server:
        waiting = server.call("POST", "/tasks/new", {"hash": {"delay": "1d", "secret": "x"}})["id"]
        assert run(BACKUP, tmp_path).returncode == 0
        server.stop()
    connection = apsw.Connection(str(tmp_path / "tasks.db"))
    connection.pragma("user_version", connection.pragma("user_version") + 1)
    connection.close()
    refused = run(MIGRATE_FILE, tmp_path)
    assert refused.returncode == 1
    shown, said = (re.sub(r"\d+", "N", text.strip()) for text in (TOO_NEW, refused.stderr))
    assert shown in said

    restored = run(RESTORE, tmp_path)
    assert restored.returncode == 0, restored.stderr
    with TaskerServer(tmp_path) as server:
        assert server.call("GET", f"/tasks/{waiting}")["hash"]["state"] == "todo"
        assert "paused" in server.call("GET", "/readyz")["note"]


def test_the_tables_of_postgresql_are_brought_up_to_date(tmp_path):
    url = new_database()
    assert run(MIGRATE, tmp_path, DATABASE_URL=url).returncode == 0
    assert query(url, "SELECT version FROM tasker_schema") == [(schema.known(),)]


@pytest.mark.parametrize("row", table(PAGE, "## When something goes wrong"), ids=lambda row: row[0])
def test_what_the_page_quotes_is_what_tasker_says(row):
    source = "".join(path.read_text() for path in (ROOT / "src" / "tasker").rglob("*.py"))
    for part in code(row[0])[0].split("..."):
        assert part.strip(", ") in source
