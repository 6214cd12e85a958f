"""What takes long to make and is only looked at: made by the first worker that needs it, for all of a run."""

import fcntl
import os


def made_once(tmp_path_factory, name, make):
    """Return the folder *name* that ``make(folder)`` has filled, in this process or in that of another worker."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, part = base / name, base / f"{name}.part"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            part.mkdir()
            make(part)
            part.rename(folder)
    return folder
