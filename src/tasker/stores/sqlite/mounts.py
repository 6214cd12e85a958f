"""Where file systems are mounted. Source: proc_pid_mountinfo(5)."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

_MOUNTS: Final = Path("/proc/self/mountinfo")


class Mount(NamedTuple):
    """A file system, where it is mounted."""

    point: str
    kind: str
    """Such as ``ext4``."""
    is_read_only: bool


def read_mounts() -> Sequence[Mount]:
    """Return all mounts, the latest last; none on a system that does not say."""
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
    return [_mount(line) for line in lines]


def _mount(line: str) -> Mount:
    before, _, after = line.partition(" - ")
    point, options = before.split(" ")[4:6]
    kind, _, own = after.split(" ", 2)
    read_only = "ro" in options.split(",") or "ro" in own.split(",")
    return Mount(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), point), kind, read_only)


def mount_of(path: Path, mounts: Sequence[Mount]) -> Mount | None:
    """Return which of *mounts* has *path*, which is resolved; None: none has.

    >>> mounts = [Mount("/", "ext4", False), Mount("/var", "nfs4", False)]
    >>> mount_of(Path("/var/lib/tasks.db"), mounts).kind, mount_of(Path("/various"), mounts).kind
    ('nfs4', 'ext4')
    """
    above = {str(path), *map(str, path.parents)}
    found = [mount for mount in mounts if mount.point in above]
    return max(reversed(found), key=lambda mount: len(mount.point), default=None)
