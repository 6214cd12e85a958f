"""The black-box check of the REST contract, where it stands beside the checkout."""

import subprocess
import sys
from pathlib import Path

import pytest

from databases import new_database

ROOT = Path(__file__).parents[2]
CHECK = ROOT.parent / "shared" / "contract" / "check.py"
TASKER = Path(sys.executable).with_name("tasker")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.skipif(not CHECK.exists(), reason="the contract's check is not beside this checkout")
def test_the_server_keeps_the_contract(database):
    # The check makes a new file for each server in place of {db}. They can as well share a
    # database.
    url = "{db}" if database == "sqlite" else new_database()
    start = f"{TASKER} --database-url {url} --listen-port {{port}}"
    check = subprocess.run(
        [sys.executable, str(CHECK), "--start", start], capture_output=True, text=True, timeout=300, check=False
    )
    assert check.returncode == 0, check.stdout + check.stderr
