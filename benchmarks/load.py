"""Load over HTTP, by wrk."""

import json
import subprocess
from pathlib import Path
from typing import NamedTuple

from benchmarks.machine import LOAD_CORE, running_on


class Load(NamedTuple):
    """What came of a round of load."""

    per_second: float
    p50_ms: float
    p99_ms: float


def create_tasks(url: str, *, connections: int, seconds: int, extra: str = "plain") -> Load:
    """Create tasks on *connections* connections for so many seconds, each as fast as it is answered.

    Args:
        extra: what each is given besides: ``key``, ``idempotency``, ``tags`` or ``watched``: one of 1,000 tags.
    """
    script = Path(__file__).with_name("create.lua")
    options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script)]
    with running_on(LOAD_CORE):
        printed = subprocess.run(["wrk", *options, url, "--", extra], check=True, capture_output=True, text=True).stdout
    result = json.loads(printed.strip().splitlines()[-1])
    assert result["errors"] == 0, printed
    return Load(result["requests"] / result["microseconds"] * 1e6, result["p50"] / 1e3, result["p99"] / 1e3)
