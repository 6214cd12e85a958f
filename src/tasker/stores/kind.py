"""How a store describes itself: which database URLs are its own, and how to make a store from one.

Each folder in ``stores/`` has a ``kind.py`` with its ``KIND``, and is found because it is there.
Nothing else knows which stores there are. A ``kind.py`` imports its database's driver only when it
makes a store: the command line asks it about URLs.
"""

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

from tasker import stores
from tasker.model.task import Pool

if TYPE_CHECKING:  # they would make --help slow
    from contextlib import AbstractAsyncContextManager

    from tasker.interfaces.keys import KeyBook
    from tasker.interfaces.queue import Follow
    from tasker.interfaces.store import Store
    from tasker.model.diagnosis import Problem
    from tasker.stores.copying import CopyEnd
    from tasker.stores.examining import Examined
    from tasker.stores.maintenance import Maintenance
    from tasker.timing.clock import Clock


@dataclass(frozen=True, kw_only=True)
class StoreContext:
    """What a store needs to know of the server that it is made for. A store ignores what does not concern it."""

    clock: "Clock"
    """This machine's clock."""

    follow: "Follow"
    """Says what follows the end of a task."""

    address: str = ""
    """The URL that this node listens at, for those who look at the nodes."""

    version: str = ""
    """The version of tasker, for the same."""

    attempts_kept: int = 20
    """How many attempts of a task are kept, at least 1."""

    per_destination: int | None = None
    """How many tasks of a destination may run at once; None: see ``Gate.room``."""

    schema: str | None = None
    """The schema that the tables are in; None: the one that the URL, the role or the database says."""

    no_listen: bool = False
    """Whether a pooler may give every transaction another connection, so that nothing outlasts
    one."""

    no_migrate: bool = False
    """Whether to leave the tables as they are."""

    pools: Mapping[str, Pool]
    """The pool of each built-in task type, for tasks that are taken over from the earlier
    server."""


class StoreKind(Protocol):
    """One kind of store. The methods below ``check`` are only called with a URL that ``check`` accepts."""

    @property
    def schemes(self) -> Sequence[str]:
        """The schemes of its URLs, in lower case. No two kinds share one."""

    @property
    def expected(self) -> str:
        """How its URLs are written, to follow the words *expected* and *or* in a message: ``sqlite:PATH``."""

    @property
    def follows_clock(self) -> bool:
        """Whether its stores read ``StoreContext.clock``; else they have one of their own, which nobody here moves."""

    def check(self, url: str) -> None:
        """Return if *url*, which has one of the schemes, can be used. Connects to nothing.

        Raises:
            DatabaseUrlError: it cannot; the message says why.
            ValueError: it cannot, since it is not written as ``expected`` says. The message does
                not show it.
        """

    def shown(self, url: str) -> str:
        """Return what may be shown of *url*, which has one of the schemes: no password, no query. Never fails."""

    def is_missing(self, url: str) -> bool:
        """Return whether it is certain that the database of *url* is not there yet. Connects to nothing."""

    def make(self, url: str, context: StoreContext) -> "Store":
        """Return a store that is not open yet.

        Raises:
            StartError: it needs a package that is not installed.
        """

    def keys(self, url: str, context: StoreContext) -> "AbstractAsyncContextManager[KeyBook]":
        """Open the API keys of a database that no server uses. A missing SQLite file is made, and so are tables.

        Raises:
            DatabaseInUseError: a server uses it; of any change, too. Nothing was changed.
            StartError: it cannot be opened.
        """

    def copying(self, url: str, context: StoreContext) -> "AbstractAsyncContextManager[CopyEnd]":
        """Open one end of a copy: a database that no server uses, and no other copy. A missing SQLite file is made.

        Raises:
            DatabaseInUseError: somebody uses it.
            StartError: it cannot be opened; in the block also: the copy cannot go on.
        """

    def maintenance(self, url: str, context: StoreContext) -> "Maintenance":
        """Return what can be done to a database without serving it. Not to be used in a process that has it open.

        Raises:
            StartError: it needs a package that is not installed, or nobody but its server can reach the database.
        """

    async def migrate(self, url: str, context: StoreContext) -> None:
        """Bring the tables up to date, whatever ``context.no_migrate`` says.

        Raises:
            StartError: it cannot be done. Nothing was changed.
        """

    async def examine(self, url: str, context: StoreContext) -> "Examined":
        """Look at a database, whether servers use it or not, and change nothing. Takes some seconds at most.

        Whatever is wrong, one that cannot be reached included, is a finding. Not to be called in a process
        that has a store open on it.

        Raises:
            StartError: it needs a package that is not installed.
        """

    def problems(self) -> "Sequence[Problem]":
        """Return all that ``examine`` may find wrong. Needs no driver."""


@cache
def kinds() -> Sequence[StoreKind]:
    """Return every kind of store, in the order that messages and pages name them."""
    names = sorted((name for _, name, is_package in pkgutil.iter_modules(stores.__path__) if is_package), reverse=True)
    return [importlib.import_module(f"{stores.__name__}.{name}.kind").KIND for name in names]


def kind_of(url: str) -> StoreKind:
    """Return the kind of store whose scheme *url* has.

    Raises:
        ValueError: it has none of them. The message does not show it, since it may hold a password.
    """
    scheme = url.partition(":")[0].lower()
    for kind in kinds():
        if scheme in kind.schemes:
            return kind
    raise ValueError("not the URL of a database")


def check_url(url: str) -> None:
    """Return if *url* can be used as a database URL. Connects to nothing.

    Raises:
        DatabaseUrlError: it cannot; the message says why.
        ValueError: it cannot, since it is not written as ``expected`` says. The message does not
            show it.
    """
    kind_of(url).check(url)


def shown(url: str) -> str:
    """Return a database URL without anything secret.

    >>> shown("postgresql://me:secret@db1,db2:5433/tasks?password=secret"), shown("sqlite:tasks.db")
    ('postgresql://db1,db2:5433/tasks', 'sqlite:tasks.db')
    """
    return kind_of(url).shown(url)


def is_missing(url: str) -> bool:
    """Return whether it is certain that the database of *url* is not there yet. Connects to nothing."""
    return kind_of(url).is_missing(url)


def expected() -> str:
    """Return how database URLs are written, as a clause for messages."""
    *first, last = ", ".join(kind.expected for kind in kinds()).split(", ")
    return f"{', '.join(first)} or {last}"
