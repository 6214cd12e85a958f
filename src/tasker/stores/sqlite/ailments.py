"""What may be wrong with a database file, and around it: pure rules over what was seen."""

import shlex
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from tasker.model.alerts import nearly_full
from tasker.model.diagnosis import Finding, Level, Problem, fine
from tasker.model.number_words import bytes_of
from tasker.model.store_meter import Space
from tasker.stores import examining
from tasker.stores.sqlite.connection import LOG_BYTES
from tasker.stores.sqlite.mounts import Mount

LARGEST_LOG: Final = 2 * LOG_BYTES
"""Bytes beyond which the write-ahead log is too large: somebody keeps it from beginning anew."""

_NETWORK: Final = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "fuse.glusterfs", "fuse.sshfs")
_IN_MEMORY: Final = ("tmpfs", "ramfs")
_OF_A_CONTAINER: Final = ("overlay", "aufs", "fuse-overlayfs", "fuse.fuse-overlayfs")

DAMAGED: Final = Problem(
    "database", "damaged", Level.FAULT, "what is in the damaged pages is lost, and more may be damaged with each write"
)
NO_FOLDER: Final = Problem("files", "no_folder", Level.FAULT, "the server cannot start")
NOT_A_FILE: Final = Problem("files", "not_a_file", Level.FAULT, "the server cannot start")
MISPLACED: Final = Problem(
    "files", "misplaced", Level.FAULT, "the server does not start on it, so that nothing is lost"
)
NOT_WRITABLE: Final = Problem("files", "not_writable", Level.FAULT, "a server that this user starts cannot open it")
READABLE_BY_OTHERS: Final = Problem(
    "files", "readable_by_others", Level.WARNING, "other users of this machine can read the tasks, with their secrets"
)
FOLDER_OPEN: Final = Problem(
    "files", "folder_open", Level.WARNING, "whoever can write there can put another database in its place"
)
NETWORK_DISK: Final = Problem(
    "files",
    "network_disk",
    Level.WARNING,
    "locks and the write-ahead log do not work reliably there: the database can be damaged",
)
MEMORY_DISK: Final = Problem("files", "memory_disk", Level.WARNING, "all tasks are lost when the machine restarts")
CONTAINER_DISK: Final = Problem("files", "container_disk", Level.WARNING, "all tasks are lost with the container")
READ_ONLY_DISK: Final = Problem("files", "read_only_disk", Level.FAULT, "nothing can be written there")
DISK_FULL: Final = Problem("disk", "disk_full", Level.FAULT, "new tasks are refused with 507, and none starts")
DISK_NEARLY_FULL: Final = Problem(
    "disk", "disk_nearly_full", Level.WARNING, "once it is full, new tasks are refused with 507, and none starts"
)
LOG_TOO_LARGE: Final = Problem(
    "disk", "log_too_large", Level.WARNING, "it takes room on the disk, and makes reading slower"
)

PROBLEMS: Final = (
    *examining.PROBLEMS,
    DAMAGED,
    NO_FOLDER,
    NOT_A_FILE,
    MISPLACED,
    NOT_WRITABLE,
    READABLE_BY_OTHERS,
    FOLDER_OPEN,
    NETWORK_DISK,
    MEMORY_DISK,
    CONTAINER_DISK,
    READ_ONLY_DISK,
    DISK_FULL,
    DISK_NEARLY_FULL,
    LOG_TOO_LARGE,
)
"""All that may be wrong, those that are found elsewhere included."""


class File(Struct, frozen=True, kw_only=True):
    """A file or folder, as the system shows it."""

    path: Path
    mode: int
    """As ``st_mode``."""
    owner: str
    is_writable: bool = True
    """For the user who looks."""


class Surroundings(Struct, frozen=True, kw_only=True):
    """What was seen of a database without opening it."""

    named: Path
    """As the URL names it."""
    path: Path
    """Where that leads: it has no links any more."""
    user: str
    """Who looks."""
    folder: File | None
    """None: there is none."""
    file: File | None
    """None: there is none yet."""
    companions: Sequence[File]
    """The log and what else SQLite keeps beside it, as far as it is there."""
    misplaced: str | None
    """Why the log would not be found again, and what to do, if that is so."""
    mount: Mount | None
    """None: the system does not say."""
    space: Space
    holder: str | None
    """Who has it open; None: nobody, or it cannot be seen."""
    sees_holder: bool = True
    """Whether that can be seen."""

    @property
    def is_idle(self) -> bool:
        """Whether it is certain that nobody has the database open, and all of it is in its file."""
        return self.sees_holder and self.holder is None and not self.space.wal


def judge(seen: Surroundings) -> Sequence[Finding]:
    """Return what is wrong around a file, or that all is well."""
    files = [*_files(seen)]
    disk = [*_disk(seen)]
    return [*(files or [fine("files", _where(seen))]), *(disk or [fine("disk", _room(seen))])]


def _where(seen: Surroundings) -> str:
    way = "" if seen.named.absolute() == seen.path else f", which {seen.named} leads to"
    on = "" if seen.mount is None else f", on {seen.mount.kind}"
    if seen.file is None:
        return f"{seen.path}{way}{on}: the server will make it"
    return f"{seen.path}{way}: mode {stat.S_IMODE(seen.file.mode):04o}, of {seen.file.owner}{on}"


def _files(seen: Surroundings) -> Iterator[Finding]:
    folder = seen.path.parent
    if seen.folder is None:
        yield NO_FOLDER.found(f"the folder {folder} does not exist", mend=f"mkdir -m 700 {_quoted(folder)}")
        return
    if seen.file is not None and not stat.S_ISREG(seen.file.mode):
        yield NOT_A_FILE.found(f"{seen.path} is no ordinary file", mend="choose another with --database-url")
        return
    if seen.misplaced is not None:
        what, _, mend = seen.misplaced.partition("; ")
        yield MISPLACED.found(f"{seen.path}: {what}", mend=mend)
    yield from _medium(seen)
    yield from _rights(seen, seen.folder)


def _rights(seen: Surroundings, folder: File) -> Iterator[Finding]:
    for each in (folder, *([] if seen.file is None else [seen.file])):
        if not each.is_writable and not (seen.mount and seen.mount.is_read_only):
            yield NOT_WRITABLE.found(
                f"{each.path} belongs to {each.owner}, and {seen.user} may not write there",
                mend=f"run it as {each.owner}, or: chown {_quoted(seen.user)} {_quoted(each.path)}",
            )
            break
    if folder.mode & (stat.S_IWGRP | stat.S_IWOTH) and not folder.mode & stat.S_ISVTX:
        yield FOLDER_OPEN.found(
            f"others than {folder.owner} may write to the folder {folder.path} ({_mode(folder)})",
            mend=f"chmod go-w {_quoted(folder.path)}",
        )
    open_files = [each for each in (*([] if seen.file is None else [seen.file]), *seen.companions) if each.mode & 0o077]
    if open_files:
        yield READABLE_BY_OTHERS.found(
            f"others than {open_files[0].owner} may open {open_files[0].path} ({_mode(open_files[0])})",
            mend=f"chmod 600 {' '.join(_quoted(each.path) for each in open_files)}",
        )


def _medium(seen: Surroundings) -> Iterator[Finding]:
    if seen.mount is None:
        return
    kind, at = seen.mount.kind, f"{seen.path.parent} is on {seen.mount.kind}, mounted at {seen.mount.point}"
    if seen.mount.is_read_only:
        yield READ_ONLY_DISK.found(f"{at}, read-only", mend=f"mount -o remount,rw {_quoted(Path(seen.mount.point))}")
    move = "move the database to a local disk, while no server runs, and name it with --database-url"
    if kind in _NETWORK:
        yield NETWORK_DISK.found(f"{at}: a disk of another machine", mend=move)
    if kind in _IN_MEMORY:
        yield MEMORY_DISK.found(f"{at}: in memory", mend=move)
    if kind in _OF_A_CONTAINER:
        yield CONTAINER_DISK.found(
            f"{at}: a layer of a container", mend=f"mount a volume at {_quoted(seen.path.parent)}"
        )


def _disk(seen: Surroundings) -> Iterator[Finding]:
    space = seen.space
    if space.free is not None and space.size is not None:
        what = f"{bytes_of(space.free)} of {bytes_of(space.size)} are free on the disk of {seen.path}"
        mend = "make room there, or move the database to a larger disk"
        if space.free < LOG_BYTES:
            yield DISK_FULL.found(what, mend=mend)
        elif nearly_full(space, 0, told=()):
            yield DISK_NEARLY_FULL.found(what, mend=mend)
    if space.wal is not None and space.wal > LARGEST_LOG:
        yield LOG_TOO_LARGE.found(
            f"the write-ahead log has {bytes_of(space.wal)}; {bytes_of(LOG_BYTES)} are usual",
            mend=f"end the program that reads the database for so long: lsof {_quoted(seen.path)}",
        )


def _room(seen: Surroundings) -> str:
    space = seen.space
    parts = (
        [] if space.free is None or space.size is None else [f"{bytes_of(space.free)} of {bytes_of(space.size)} free"]
    )
    if space.database is not None:
        parts.append(f"the database has {bytes_of(space.database)}, its log {bytes_of(space.wal or 0)}")
    return "; ".join(parts) or "the system does not say how much is free"


def _mode(file: File) -> str:
    return f"mode {stat.S_IMODE(file.mode):04o}"


def _quoted(text: Path | str) -> str:
    return shlex.quote(str(text))
