"""Other Pythons than the one that runs the tests, as far as this machine has them, and environments for them."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
ASKED = "import sys; print('%d.%d' % sys.version_info[:2])"


@cache
def python(version):
    """Return the path of a Python of a version such as ``3.13``; None: there is none, and none can be had."""
    places = [shutil.which(f"python{version}"), *_of_pyenv(version)]
    for place in filter(None, places):
        asked = subprocess.run([place, "-c", ASKED], capture_output=True, text=True, check=False)
        if asked.stdout.strip() == version:  # what stands on the path may be a shim that leads nowhere
            return place
    had = subprocess.run(
        [uv(), "python", "install", version], capture_output=True, env=_plain(), timeout=300, check=False
    )
    if had.returncode == 0:
        found = subprocess.run([uv(), "python", "find", version], capture_output=True, text=True, check=False)
        return found.stdout.strip() or None
    return None


def newest_of(*versions):
    """Return the path of the first of some *versions* that can be had, and None if none can."""
    return next(filter(None, map(python, versions)), None)


def environment(folder, interpreter, group):
    """Make a virtual environment with the locked packages of a dependency group, and return its Python.

    Without tasker: that is found by its path, in ``PYTHONPATH``. Raises ``CalledProcessError`` if a
    package cannot be had.
    """
    subprocess.run(
        [uv(), "sync", "--quiet", "--locked", "--only-group", group, "--python", interpreter],
        cwd=ROOT,
        env={**_plain(), "UV_PROJECT_ENVIRONMENT": str(folder)},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    return folder / "bin" / "python"


def uv():
    """Return the program that makes environments: that of this one, or of the path."""
    own = Path(sys.executable).parent / "uv"
    found = str(own) if own.exists() else shutil.which("uv")
    assert found is not None, "uv comes with make setup"
    return found


def _of_pyenv(version):
    versions = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    return sorted(versions.glob(f"{version}.*/bin/python"), reverse=True)


def _plain():
    return {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
