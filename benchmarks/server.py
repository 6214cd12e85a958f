"""The server that is measured."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.machine import SERVER_CORE, running_on
from tasker.testing.server import TaskerServer


@contextlib.contextmanager
def running_server(folder: Path, *options: str, cores: set[int] = SERVER_CORE) -> Iterator[TaskerServer]:
    """Run a server on the database in *folder* until the block ends, which it has to do well."""
    server = TaskerServer(folder, *options)
    try:
        with running_on(cores):
            server.start()
        yield server
        assert server.stop() == 0, server.log.read_text()[-1000:]
    finally:
        server.kill()


@contextlib.contextmanager
def new_folder() -> Iterator[Path]:
    """Make a folder for one round, on the disk that the benchmark is started on."""
    with TemporaryDirectory(dir=Path.cwd()) as folder:
        yield Path(folder)
