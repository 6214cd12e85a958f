"""Load over HTTP, by wrk."""

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.machine import LOAD_CORE, running_on


class Load(NamedTuple):
    """What came of a round of load."""

    count: int
    """Requests that were answered."""
    per_second: float
    p50_ms: float
    p99_ms: float


def create_tasks(url: str, *, connections: int, seconds: int, extra: str = "plain") -> Load:
    """Create tasks on *connections* connections for so many seconds, each as fast as it is answered.

    Args:
        extra: what each is given besides: ``key``, ``idempotency``, ``tags`` or ``watched``: one of 1,000 tags;
            ``job``: it is a job of a queue.
    """
    result = _run("create.lua", url, extra, connections=connections, seconds=seconds)
    per_second = result["requests"] / result["microseconds"] * 1e6
    return Load(result["requests"], per_second, result["p50"] / 1e3, result["p99"] / 1e3)


def claim_jobs(url: str, *, most: int, connections: int, seconds: int) -> float:
    """Claim jobs of a queue on *connections* connections for so many seconds; return how many a second.

    Args:
        most: how many at a time. There have to be as many, to the end.
    """
    result = _run("claim.lua", url, str(most), connections=connections, seconds=seconds)
    assert result["empty"] == 0, "there were no more jobs"
    jobs, microseconds = float(result["jobs"]), float(result["microseconds"])
    return jobs / microseconds * 1e6


def _run(script: str, url: str, argument: str, *, connections: int, seconds: int) -> dict[str, Any]:
    """Run wrk with a script of this folder, which ends with a line of JSON."""
    path = Path(__file__).with_name(script)
    options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(path)]
    with running_on(LOAD_CORE):
        command = ["wrk", *options, url, "--", argument]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    result: dict[str, Any] = json.loads(printed.strip().splitlines()[-1])
    assert result["errors"] == 0, printed
    return result
