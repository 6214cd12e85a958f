"""promtool, if this machine has it: Debian's package prometheus, installed or unpacked by ``.ci/fetch-promtool``."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
_UNPACKED = _CACHE / "tasker" / "prometheus" / "usr" / "bin" / "promtool"
PROMTOOL = shutil.which("promtool") or (str(_UNPACKED) if _UNPACKED.is_file() else None)

needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not here; .ci/fetch-promtool unpacks it from Debian's package prometheus"
)


def run(*arguments, folder=None, sent=None):
    """Run promtool and return what it says; fail if it finds fault."""
    done = subprocess.run(
        [PROMTOOL, *map(str, arguments)],
        cwd=folder,
        input=sent,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
