"""The black-box check of the REST contract, where it stands beside the checkout."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECK = ROOT.parent / "shared" / "contract" / "check.py"
TASKER = Path(sys.executable).with_name("tasker")


@pytest.mark.skipif(not CHECK.exists(), reason="the contract's check is not beside this checkout")
def test_the_server_keeps_the_contract():
    start = f"{TASKER} --database-url {{db}} --listen-port {{port}}"
    check = subprocess.run(
        [sys.executable, str(CHECK), "--start", start], capture_output=True, text=True, timeout=300, check=False
    )
    assert check.returncode == 0, check.stdout + check.stderr
