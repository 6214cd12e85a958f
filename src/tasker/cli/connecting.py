"""What every command of the client has: the server that it asks, its errors, and how it prints.

``calls_server`` gives it all to a command. The client itself is imported when the command runs.
"""

import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import wraps
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, TypeVar
from urllib.parse import quote, urlencode

import click

from tasker.cli import contexts
from tasker.cli.output import (
    FAILED,
    INTERRUPTED,
    MISUSED,
    TIMED_OUT,
    UNAUTHORIZED,
    UNREACHABLE,
    CommandError,
    exit_code_of,
    joined_help,
)
from tasker.cli.printing import Printer, output_options
from tasker.errors import SettingError, TaskerError

if TYPE_CHECKING:
    from tasker.client.synchronous.client import Client

C = TypeVar("C", bound=Callable[..., object])

EXIT_CODES: Final = """
    \b
    Exit codes:
      0  it is done
      1  it could not be done
      2  an option, argument or variable cannot be used
      3  what it is about is not there
      4  as things are, it cannot be done
      5  the API key is missing, or may not do this
      6  the server does not answer
"""
"""What the help of such a command ends with; those of its own follow."""

_PAGE: Final = 500

_TIMEOUT_SECONDS: Final = 60
"""Longer than any call waits for the end of a task."""

_RETRIES: Final = 2
"""People would rather know soon that there is no server."""

_PIPE_BROKEN: Final = 128 + signal.SIGPIPE
_THIS_MACHINE: Final = ("127.0.0.1", "localhost", "[::1]")


class Where(NamedTuple):
    """A server to ask, and how it came to that."""

    url: str | None
    """None: that of the variable ``TASKER_URL``, or this machine."""
    key: str | None
    """That of a context. None: that of the variables ``TASKER_KEY`` or ``TASKER_KEY_FILE``, or none."""
    origin: str
    """The option, the variable or the context that names it."""


class Session:
    """A command at work: the server that it asks, and how it prints."""

    def __init__(self, client: "Client", printer: Printer) -> None:
        self.client = client
        self.printer = printer

    def call(self, method: str, path: str, body: object = None, query: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Make a call and return the JSON of the answer; None if it has none.

        Args:
            query: the parameters; a list stands for several of one name, None for none.
        """
        text = query_text(query or {})
        given: dict[str, Any] = {} if body is None else {"json": body}
        return self.client.request(method, f"{path}?{text}" if text else path, **given)

    def pages(self, path: str, member: str, query: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Return what a list has, over all its pages, as they are asked for."""
        page = self.call("GET", path, query=query)
        while True:
            yield from page[member]
            if not page["next"]:
                return
            page = self.call("GET", page["next"])

    def first(
        self, limit: int, path: str, member: str, query: Mapping[str, Any] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Return the first *limit* of what a list has, in pages no larger than needed."""
        return islice(self.pages(path, member, {**(query or {}), "limit": min(limit, _PAGE)}), limit)


def limit_option(command: C) -> C:
    """Give a command the option ``--limit``, for ``Session.first``."""
    return click.option(
        "--limit", metavar="NUMBER", type=click.IntRange(1), default=50, help="Print so many at most.  [default: 50]"
    )(command)


def query_text(query: Mapping[str, Any]) -> str:
    """Return the query of an address."""
    given = {name: value for name, value in query.items() if value is not None and value != []}
    return urlencode(given, doseq=True)


def path_of(*parts: str) -> str:
    """Return the path of parts that may have any characters."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def where_of(url: str | None, context: str | None, environ: Mapping[str, str]) -> Where:
    """Return which server is meant, and its key: that of a context goes to no other server.

    Raises:
        CommandError: there is no such context, or both are given.
    """
    if url is not None:
        if context is not None:
            raise CommandError(MISUSED, "usage", "--url, --context: expected one of them, got both")
        return Where(url, None, "--url")
    if context is None and environ.get("TASKER_URL"):
        return Where(None, None, "TASKER_URL")
    name = environ.get(contexts.VARIABLE) if context is None else context
    if name is None:
        known = contexts.load(environ)
        if known.current is None:
            return Where(None, None, "")
        name = known.current
    else:
        known = contexts.load(environ)
    chosen = known.named(name)
    return Where(chosen.url, contexts.key_of(name, chosen), f"the context {name}")


def calls_server(*more_exits: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options that every command of the client has, and a ``Session`` as its first argument.

    Its errors end the process as ``EXIT_CODES`` says; Ctrl-C with 130.

    Args:
        more_exits: lines for exit codes of its own, in its help.
    """

    def give(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def run(*, url: str | None, context: str | None, printer: Printer, **given: Any) -> None:  # noqa: ANN401 - whatever the options are
            with endings():
                where = where_of(url, context, os.environ)
                with _refusals(where), _client(where) as client:
                    command(Session(client, printer), **given)

        more = "".join(f"      {line}\n" for line in more_exits)
        run.__doc__ = joined_help(command.__doc__, EXIT_CODES + more)
        run = output_options(run)
        run = click.option(
            "--url",
            metavar="URL",
            help="The server to ask. The variable TASKER_KEY takes its API key.  "
            "[env: TASKER_URL; default: http://127.0.0.1:8080]",
        )(run)
        return click.option(
            "--context", metavar="NAME", help="A server that has a name: see tasker context.  [env: TASKER_CONTEXT]"
        )(run)

    return give


@contextmanager
def _client(where: Where) -> Iterator["Client"]:
    from tasker.client.synchronous.client import Client  # noqa: PLC0415 - its imports would make --help slow

    try:
        client = Client(where.url, where.key, timeout=_TIMEOUT_SECONDS, retries=_RETRIES)
    except SettingError as error:
        if error.setting in ("url", "key"):
            raise SettingError(where.origin, error.problem) from None
        raise
    with client:
        yield client


@contextmanager
def _refusals(where: Where) -> Iterator[None]:
    """Turn what the client raises into what ends the command."""
    try:
        yield
    except (SettingError, CommandError):
        raise
    except TaskerError as error:
        from tasker.client import errors  # noqa: PLC0415 - it is loaded by now

        match error:
            case errors.ApiError():
                _refused(error.status, error.code, str(error), where)
            case errors.WaitTimedOut():
                raise CommandError(TIMED_OUT, "timed_out", str(error)) from None
            case errors.UnexpectedAnswer():
                raise CommandError(FAILED, "no_tasker", str(error)) from None
            case errors.CallFailed():
                raise CommandError(UNREACHABLE, "server_unreachable", f"{error}{_way_to(where)}") from None
            case _:
                raise CommandError(MISUSED, "usage", str(error)) from None
    except UnicodeEncodeError as error:  # an argument that is not UTF-8, or an escape in JSON
        wrong = error.object[error.start]
        raise CommandError(
            MISUSED, "usage", f"expected text in UTF-8, got {wrong!r}, which is not a character"
        ) from None


def _refused(status: int, code: str, message: str, where: Where) -> NoReturn:
    exit_code = exit_code_of(status)
    if exit_code == UNAUTHORIZED and status == 401:
        is_context = where.origin.startswith("the context")
        way = (
            f"{where.origin} takes a key: tasker context add" if is_context else "the variable TASKER_KEY takes the key"
        )
        message = f"{message}; {way}"
    raise CommandError(exit_code, code, message) from None


def _way_to(where: Where) -> str:
    """Say what to do where no server answers: the end of a message that names the URL."""
    url = where.url or os.environ.get("TASKER_URL") or "http://127.0.0.1:8080"
    named = f" (the URL is from {where.origin})" if where.origin else ""
    start = "tasker serve starts a server; " if any(f"//{host}" in url for host in _THIS_MACHINE) else ""
    return f"{named}; {start}--url or tasker context names another"


@contextmanager
def endings() -> Iterator[None]:
    """Let Ctrl-C end the command after its cleaning up, and a reader that has gone away end it without a word."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if isinstance(sys.stdout, io.TextIOWrapper):  # what a terminal cannot show is no reason to fail
        with suppress(OSError):  # a stream that takes itself for a file
            sys.stdout.reconfigure(errors="backslashreplace")
    try:
        yield
        sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort):
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # of standard output: those of connections are the client's
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it ends
        sys.exit(_PIPE_BROKEN)
