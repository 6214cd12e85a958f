"""Runs the tests of ``on_django`` on a Python that Django can run on, against a real server."""

import os
import subprocess
from pathlib import Path

import pythons
from tasker.testing.server import TaskerServer

SUITE = Path(__file__).parent / "on_django"
OPTIONS = ("-q", "-rs", "-p", "no:cacheprovider", "-c", os.devnull, "--confcutdir", SUITE, f"--rootdir={SUITE}")
"""Nothing of this project's own settings: they need what the server needs."""


def test_the_suite_for_django_passes_on_a_newer_python(newer, tmp_path):
    with TaskerServer(tmp_path) as server:
        ended = subprocess.run(
            [newer, "-m", "pytest", *OPTIONS, SUITE],
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith(("TASKER_", "PYTEST_"))},
                "TASKER_TEST_SERVER": server.url,
                "PYTHONPATH": str(pythons.ROOT / "src"),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
    print(ended.stdout)  # noqa: T201 - shown if this fails
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-2000:]
    assert " passed" in ended.stdout
    assert "skipped" not in ended.stdout
