"""Which machine this is, and who runs on which of its cores."""

import contextlib
import os
import platform
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

import apsw

_CORES: Final = sorted(os.sched_getaffinity(0))
SERVER_CORE: Final = {_CORES[0]}
LOAD_CORE: Final = {_CORES[-1]}
ALL_CORES: Final = set(_CORES)


@contextlib.contextmanager
def running_on(cores: set[int]) -> Iterator[None]:
    """Let what is started in this block, and the block itself, run on *cores* only."""
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, ALL_CORES)


def description() -> dict[str, str]:
    """What the figures depend on."""
    return {
        "processor": f"{_processor()}, {len(_CORES)} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
        "libraries": ", ".join(
            f"{name} {version(name)}" for name in ("uvicorn", "httptools", "uvloop", "aiohttp", "msgspec", "apsw")
        ),
        "tasker": version("tasker-server"),
    }


def memory_mib(process_id: int) -> float:
    """The most memory that a process has used so far, in MiB."""
    status = Path(f"/proc/{process_id}/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


def _processor() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return " ".join(found[1].split()) if found else platform.processor()
