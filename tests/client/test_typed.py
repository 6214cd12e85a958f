"""Both checkers accept what is right, and refuse what is not: in strict mode, as users may run them."""

import subprocess
import sys
from pathlib import Path

import pytest

USE = Path(__file__).parent / "typed" / "use.py"
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "command",
    [
        ["mypy", "--strict", "--config-file=", "--follow-imports=silent", str(USE)],
        ["pyright", "--pythonpath", sys.executable, "--project", str(USE.parent)],
    ],
    ids=["mypy", "pyright"],
)
def test_the_types_say_what_is_right(command):
    checked = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
