"""What the tests of several frameworks share."""

import subprocess

import pytest

import pythons


@pytest.fixture(scope="session")
def newer(tmp_path_factory):
    """The Python of an environment with Django, and nothing that only the server needs."""
    interpreter = pythons.newest_of("3.13", "3.12", "3.14")
    if interpreter is None:
        pytest.skip("Django 6 needs Python 3.12 or newer: this machine has none, and none can be fetched")
    try:
        return pythons.environment(tmp_path_factory.mktemp("django") / "env", interpreter, "django")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"Django cannot be installed: {error.stderr[-300:]}")
