"""How large the files are, and how much room is left for them. Opens nothing: closing one would end SQLite's locks."""

import os
from pathlib import Path

from tasker.model.store_meter import Space


def space_of(database: Path) -> Space:
    """Return what the file *database* takes, with its log. A file that is not there takes nothing that is known."""
    size, log = _size(database), _size(Path(f"{database}-wal"))
    try:
        medium = os.statvfs(database.parent)
    except OSError:
        return Space(database=size, wal=log)
    return Space(database=size, wal=log, free=medium.f_bavail * medium.f_frsize, size=medium.f_blocks * medium.f_frsize)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
