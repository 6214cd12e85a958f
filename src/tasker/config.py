"""The settings of a server: each with its meaning, unit and default. ``cli/settings.py`` says how users give them."""

from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Final

LOG_LEVELS: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR")
LOG_FORMATS: Final = ("auto", "console", "json")
EGRESS_LEVELS: Final = ("auto", "lan", "public", "any")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one server is told. ``cli/sources.py`` makes one that is checked; one made by hand is taken as it is."""

    database_url: str = "sqlite:tasks.db"
    """Where tasks are kept: ``sqlite:PATH``, ``sqlite://PATH``, ``sqlite::memory:`` or ``postgresql://...``.
    Default: ``sqlite:tasks.db``."""

    no_migrate: bool = False
    """Whether to leave the tables of a PostgreSQL database as they are at the start. Default: no."""

    no_listen: bool = False
    """Whether to do without LISTEN and prepared statements, which a pooler in transaction mode does not let through. Default:
    no."""

    listen_ip: str = "127.0.0.1"
    """The IP address to listen on, in its canonical spelling. Default: 127.0.0.1, this machine only."""

    listen_port: int = 8080
    """The TCP port to listen on, 0 to 65535; 0 takes a free one. Default: 8080."""

    log_level: str = "INFO"
    """The least important level that is logged, one of ``LOG_LEVELS``. Default: INFO."""

    log_format: str = "auto"
    """``console``, ``json``, or ``auto``: console if standard error is a terminal, otherwise JSON. Default: auto."""

    max_body_bytes: int = 1_048_576
    """Bytes that the body of a request may have, 1 KiB to 100 MiB. Default: 1 MiB."""

    header_timeout: timedelta = timedelta(seconds=10)
    """How long a client may take to send a request's headers, 0.1 s to 1 h. Default: 10 s."""

    body_timeout: timedelta = timedelta(seconds=30)
    """How long a client may take to send a request's body, 0.1 s to 1 h. Default: 30 s."""

    keep_alive_timeout: timedelta = timedelta(seconds=75)
    """How long a connection without a request is kept open for the next one, 0.1 s to a day. Default: 75 s."""

    max_deliveries: int = 200
    """Webhooks that may be under way at once, 1 to 10,000. Default: 200."""

    per_destination: int | None = None
    """Webhooks to one scheme, host and port that may be under way at once, on all nodes together, 1 to 10,000; None: as many as
    leave more slots free than they take. Default: none."""

    attempts_kept: int = 20
    """Attempts of a task that are kept, the newest ones, 1 to 1,000. Default: 20."""

    egress: str = "auto"
    """Whom webhooks may call, one of ``EGRESS_LEVELS``; ``egress_level`` is what ``auto`` stands for. Default: auto."""

    allow_targets: tuple[str, ...] = ()
    """What they may call beside, as ``egress.address_policy.read_entry`` reads it. Default: nothing."""

    deny_targets: tuple[str, ...] = ()
    """What they may not call, whatever else is said. Default: nothing."""

    egress_proxy: str | None = field(default=None, repr=False)
    """The URL of the proxy that they go through, as ``egress.egress_proxy.read_proxy`` reads it; may hold a password. None:
    they go straight. Default: none."""

    pbkdf2_iterations: int = 600_000
    """Rounds of PBKDF2-HMAC-SHA256 that a hash task takes, 1,000 to 10,000,000. Default: 600,000."""

    keep_done: timedelta | None = timedelta(days=7)
    """How long tasks that are done are kept after their end; None: for ever. Default: 7 days."""

    keep_failed: timedelta | None = timedelta(days=30)
    """How long tasks that failed are kept after their end; None: for ever. Default: 30 days."""

    grace_period: timedelta = timedelta(seconds=30)
    """How long running attempts may take to end once the server is told to stop, 0 s to 1 h. Default: 30 s."""

    api_keys_file: Path | None = None
    """The file that ``api_keys`` were read from, if any. Default: none."""

    api_keys: tuple[str, ...] = field(default=(), repr=False)
    """Keys that callers may show, from the variable and the file together; without any, none is asked for. Default: none."""

    webhook_secrets_file: Path | None = None
    """The file that some of ``webhook_secrets`` were read from, if any. Default: none."""

    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    """Secrets that webhooks are signed with, each ``whsec_`` and base64; without any, they are not signed. Default: none."""

    no_auth: bool = False
    """Whether to serve other addresses than loopback without asking for an API key. Default: no."""

    allowed_hosts: tuple[str, ...] = ()
    """Host names, in lower case, that callers may use beside ``localhost`` and IP addresses, while no key is asked for.
    Default: none."""

    @property
    def egress_level(self) -> str:
        """The level in force: ``lan``, ``public`` or ``any``. ``auto`` is ``lan`` if only this machine can call the server."""
        if self.egress != "auto":
            return self.egress
        return "lan" if is_loopback(self.listen_ip) else "public"


def is_sqlite(database_url: str) -> bool:
    """Return whether a database URL names a SQLite database.

    >>> is_sqlite("sqlite:tasks.db"), is_sqlite("postgresql://localhost/tasker")
    (True, False)
    """
    return database_url.partition(":")[0].lower() == "sqlite"


def check_postgres_url(database_url: str) -> None:
    """Return if *database_url* may be that of a PostgreSQL database. The rest of it is read when it is connected to.

    Raises:
        ValueError: it is no such URL. The message does not show it, since it may hold a password.
    """
    scheme, separator, _ = database_url.partition("://")
    if scheme.lower() not in ("postgresql", "postgres") or not separator or "\0" in database_url:
        raise ValueError("not a URL of a PostgreSQL database")


def shown_database(database_url: str) -> str:
    """Return a database URL without what may be secret in it: of a server, its hosts and the database alone.

    >>> shown_database("postgresql://me:secret@db1,db2:5433/tasks?password=secret")
    'postgresql://db1,db2:5433/tasks'
    >>> shown_database("postgresql://me:a?secret@db1/tasks")  # is it a part of the password, or of the query?
    'postgresql://***'
    """
    if is_sqlite(database_url):
        return database_url
    scheme, _, rest = database_url.partition("://")
    place = rest.partition("?")[0].partition("#")[0]
    return f"{scheme}://***" if "@" in rest[len(place) :] else f"{scheme}://{place.rpartition('@')[2]}"


def sqlite_location(database_url: str) -> str:
    """Return what a database URL names: a path, relative unless it begins with ``/``, or ``:memory:``.

    The path is taken as it is, without percent-escapes. ``?mode=rwc``, which other programs need to make a missing file, may
    follow it and says what tasker does anyway.

    >>> sqlite_location("sqlite:tasks.db"), sqlite_location("sqlite:///var/lib/tasks.db"), sqlite_location("sqlite::memory:")
    ('tasks.db', '/var/lib/tasks.db', ':memory:')

    Raises:
        ValueError: it is no such URL. The message does not show it, since it may hold a password.
    """
    scheme, colon, rest = database_url.partition(":")
    path = rest.removeprefix("//").removesuffix("?mode=rwc")
    if scheme.lower() != "sqlite" or not colon or not path or "?" in path or "\0" in path:
        raise ValueError("not a URL of a SQLite database")
    return path


def is_loopback(ip: str) -> bool:
    """Return whether only this machine can reach *ip*.

    >>> is_loopback("127.0.0.2"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    address = ip_address(ip)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback
