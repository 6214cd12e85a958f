"""Runs the tests of ``on_django`` on a Python that Django can run on, against real servers."""

import os
import subprocess
from pathlib import Path

import databases
import pythons
from tasker.testing.server import TaskerServer

SUITE = Path(__file__).parent / "on_django"
OPTIONS = ("-q", "-rs", "-p", "no:cacheprovider", "-c", os.devnull, "--confcutdir", SUITE, f"--rootdir={SUITE}")
"""Nothing of this project's own settings: they need what the server needs."""


def passes(python, server, *files, **variables):
    """Run *files* of the suite; fail if one of its tests does, or if one is skipped."""
    ended = subprocess.run(
        [python, "-m", "pytest", *OPTIONS, *files],
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(("TASKER_", "PYTEST_"))},
            "TASKER_TEST_SERVER": server.url,
            "PYTHONPATH": str(pythons.ROOT / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-2000:]
    assert " passed" in ended.stdout
    assert "skipped" not in ended.stdout


def test_the_suite_for_django_passes_on_a_newer_python(newer, tmp_path):
    with TaskerServer(tmp_path) as server:
        passes(newer, server, SUITE)


def test_on_postgresql_with_a_key_of_the_role_that_the_page_names(newer, tmp_path):
    with TaskerServer(tmp_path, "--database-url", databases.new_database()) as server:
        owner = server.call("POST", "/keys", {"name": "owner", "role": "admin"})["key"]
        shown = {"authorization": f"Bearer {owner}"}
        key = server.call("POST", "/keys", {"name": "shop", "role": "write"}, headers=shown)["key"]
        passes(newer, server, SUITE / "test_results.py", SUITE / "test_enqueue.py", TASKER_KEY=key)
