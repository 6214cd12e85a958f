"""The page about tasker doctor: its commands are typed, and it lists all that may be found."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pages import DOCS, blocks, code, table

from tasker.doctor import checks, clock, keys, lookups, resolver
from tasker.stores.postgres import ailments
from tasker.stores.sqlite.ailments import LARGEST_LOG
from tasker.stores.sqlite.connection import LOG_BYTES
from tasker.stores.sqlite.examining import _SAMPLE, LONGEST_LOOK
from tasker.testing.server import TaskerServer

PAGE = DOCS / "doctor.md"
TEXT = PAGE.read_text()
HERE = "/srv/tasker"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with TaskerServer(tmp_path_factory.mktemp("doctor")) as server:
        yield server


def typed(server, text):
    """Type what the page says where the server runs; return the exit code and what is printed, as if on the page."""
    folder = server.database.parent
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TASKER_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), clean["PATH"]])
    done = subprocess.run(
        ["sh", "-c", text],
        cwd=folder,
        env={**clean, "PATH": path, "LISTEN_PORT": server.url.rpartition(":")[2]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    shown = done.stdout.replace(str(folder), HERE).replace(server.url, "http://127.0.0.1:8080")
    return done.returncode, shown


def heads(text):
    """Return the levels and the checks of a list, and the words of those that are not fine."""
    return re.findall(r"^(\w+) +(\w+)", text, re.MULTILINE)


def test_the_lists_of_the_page_are_those_that_are_printed(server):
    look, spoil, mend, allowed, refused, *_ = [text for language, text in blocks(PAGE) if language == "sh"]
    well, warned, called, denied = [text for language, text in blocks(PAGE) if language == "text"]

    status, shown = typed(server, look)
    assert (status, heads(shown)) == (0, heads(well))
    for check in ("settings", "server", "egress", "overdue", "destinations", "secrets", "keys"):
        (line,) = re.findall(rf"^fine     {check} .*$", well, re.MULTILINE)
        assert line in shown

    owner = server.database.owner()
    status, shown = typed(server, spoil)
    assert status == 1
    assert warned.replace("than tasker", f"than {owner}") in shown
    assert typed(server, mend) == (0, "")

    status, shown = typed(server, allowed)
    assert (status, called in shown) == (0, True)
    status, shown = typed(server, refused)
    assert (status, denied in shown) == (2, True)


def test_for_programs_it_is_json_and_cron_can_tell(server):
    *_, as_json, for_cron = [text for language, text in blocks(PAGE) if language == "sh"]
    example = json.loads(next(text for language, text in blocks(PAGE) if language == "json"))
    status, shown = typed(server, as_json)
    told = json.loads(shown)
    assert (status, told.keys()) == (0, example.keys())
    assert {name for each in told["findings"] for name in each} == set(example["findings"][0])
    assert typed(server, for_cron) == (0, "")
    server.database.chmod(0o644)
    status, shown = typed(server, for_cron)
    assert shown.startswith('tasker doctor: {"level": "warning"')
    server.database.chmod(0o600)


def test_all_that_may_be_found_is_listed_with_its_check_and_its_level():
    rows = table(PAGE, "## What it may find")
    listed = [(code(check)[0], code(word)[0], level) for check, word, level, _ in rows]
    assert sorted(listed) == sorted((each.check, each.code, each.level.value) for each in checks.problems())
    assert len(set(listed)) == len(listed)


def test_the_numbers_are_those_of_the_rules():
    assert (LONGEST_LOOK, _SAMPLE) == (2.0, 500)
    assert "runs for 2 seconds at most;\nin addition, 500 tasks" in TEXT
    found = {code(row[1])[0]: row[3] for row in table(PAGE, "## What it may find")}
    for word, number, said in (
        ("disk_full", LOG_BYTES >> 20, "32 MiB"),
        ("log_too_large", LARGEST_LOG >> 20, "64 MiB"),
        ("blocked", ailments.LONG_WAIT, "5 seconds"),
        ("old_transaction", ailments.LONG_TRANSACTION / 60, "10 minutes"),
        ("many_dead_rows", ailments.MANY_DEAD_ROWS, "100,000"),
        ("no_name_server_answers", lookups.LONGEST_SECONDS, "5 seconds"),
    ):
        assert float(said.split()[0].replace(",", "")) == number
        assert said in found[word]
    assert (clock.LARGEST_OFFSET, resolver.SLOW_SECONDS, keys.SOON.days) == (1.0, 1.0, 7)
