"""A file system below SQLite that fails when told to, and remembers every write and sync."""

import itertools
from typing import NamedTuple

import apsw

_names = itertools.count()


class Event(NamedTuple):
    """Something done to a file."""

    file: str
    what: str
    """``write``, ``truncate`` or ``sync``."""
    offset: int = 0
    data: bytes = b""


class RecordingVFS(apsw.VFS):
    """Passes everything on to the system's VFS and keeps ``events``; ``fail`` is called before each and may raise."""

    def __init__(self):
        self.name = f"recording-{next(_names)}"
        self.events = []
        self.fail = lambda event: None
        super().__init__(self.name, "")

    def xOpen(self, name, flags):  # noqa: N802 - SQLite's name
        return RecordingFile(self, name, flags)

    def note(self, event):
        self.fail(event)
        self.events.append(event)


class RecordingFile(apsw.VFSFile):
    """A file of it."""

    def __init__(self, vfs, name, flags):
        self._vfs = vfs
        self._file = name.filename() if hasattr(name, "filename") else str(name)
        super().__init__("", name, flags)

    def xWrite(self, data, offset):  # noqa: N802
        self._vfs.note(Event(self._file, "write", offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size):  # noqa: N802
        self._vfs.note(Event(self._file, "truncate", size))
        super().xTruncate(size)

    def xSync(self, flags):  # noqa: N802
        self._vfs.note(Event(self._file, "sync"))
        super().xSync(flags)
