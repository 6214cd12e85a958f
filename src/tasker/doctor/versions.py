"""Which versions are at work, and whether one of them loses tasks."""

import platform
from collections.abc import Iterator, Sequence
from importlib import metadata
from typing import Final

import apsw

from tasker import __version__
from tasker.doctor.case import Case
from tasker.model.diagnosis import Finding, Level, Problem, fine

CHECK: Final = "versions"

LOSES_COMMITS: Final = Problem(
    CHECK, "sqlite_loses_commits", Level.FAULT, "a commit can be lost, or the database damaged, under load"
)
OTHER_VERSION: Final = Problem(CHECK, "other_version", Level.WARNING, "what is said here may not be so for that server")
MIXED_VERSIONS: Final = Problem(
    CHECK, "mixed_versions", Level.WARNING, "what the older ones cannot read is refused until they have ended"
)

PROBLEMS: Final = (LOSES_COMMITS, OTHER_VERSION, MIXED_VERSIONS)

_DRIVERS: Final = ("apsw", "asyncpg")


def look(case: Case) -> Sequence[Finding]:
    """Return what is wrong with the versions, or which they are."""
    found = [*judge(apsw.sqlite_lib_version(), case)]
    return found or [
        fine(CHECK, ", ".join([f"tasker {__version__}", f"Python {platform.python_version()}", *_others(case)]))
    ]


def _others(case: Case) -> Iterator[str]:
    sqlite = f"SQLite {apsw.sqlite_lib_version()}"
    yield sqlite
    if case.database.engine != sqlite:
        yield case.database.engine
    for name in _DRIVERS:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:  # an extra
            continue


def judge(sqlite: str, case: Case) -> Iterator[Finding]:
    """Return what is wrong, given the version of the SQLite library."""
    if loses_commits(sqlite):
        yield LOSES_COMMITS.found(
            f"SQLite {sqlite} has the WAL-reset bug, which 3.51.3 and 3.53.0 mended", mend="pip install --upgrade apsw"
        )
    stats = case.answers.stats
    if stats is not None and stats.version != __version__:
        yield OTHER_VERSION.found(
            f"the server at {case.answers.url} is tasker {stats.version}, and this command {__version__}",
            mend="run the command of the server's version",
        )
    versions = sorted({node.version for node in case.answers.nodes or ()})
    if len(versions) > 1:
        yield MIXED_VERSIONS.found(
            f"servers of several versions share the database: {', '.join(versions)}", mend="upgrade the others"
        )


def loses_commits(version: str) -> bool:
    """Return whether a version of SQLite has the bug by which a write-ahead log that begins anew loses commits.

    Source: https://sqlite.org/wal.html#walresetbug. The mend went into older lines, too; 3.52.0 was withdrawn.

    >>> [loses_commits(each) for each in ("3.51.2", "3.51.3", "3.50.7", "3.52.0", "3.53.0", "3.54.1")]
    [True, False, False, True, False, False]
    """
    numbers = tuple(int(part) for part in version.split(".")[:3])
    mended = ((3, 44, 6), (3, 50, 7), (3, 51, 3))
    return not (numbers >= (3, 53) or any(numbers[:2] == least[:2] and numbers >= least for least in mended))
