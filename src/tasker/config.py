"""The settings of a server: each with its meaning, unit and default.

``cli/server/settings.py`` says how users give them.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Final

LOG_LEVELS: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR")
LOG_FORMATS: Final = ("auto", "console", "json")
EGRESS_LEVELS: Final = ("auto", "lan", "public", "any")


@dataclass(frozen=True)
class Said:
    """A setting as people read it."""

    name: str
    """The field of ``Settings``."""
    value: str
    """In force. A secret, or what may hold one, is only said to be there; empty: there is none."""
    origin: str
    """The flag, variable or key that said it; empty: nobody did, and it is the default."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one server.

    ``cli/server/sources.py`` checks what it reads; settings made in code are taken as they are.
    """

    database_url: str = "sqlite:tasks.db"
    """Where tasks are kept, as the ``kind.py`` of a store reads it. Default:
    ``sqlite:tasks.db``."""

    database_schema: str | None = None
    """The schema of a PostgreSQL database that the tables are in, made when it is missing; None: the
    first of the ``search_path``, which is ``public`` as a rule. Default: none."""

    no_migrate: bool = False
    """Whether to leave the tables of a PostgreSQL database as they are at the start. Default:
    no."""

    no_listen: bool = False
    """Whether to avoid LISTEN and prepared statements, which do not work through a pooler in
    transaction mode. Default: no."""

    paused: bool = False
    """Whether to pause everything at the start, on all nodes, until somebody resumes it. Default:
    no."""

    listen_ip: str = "127.0.0.1"
    """The IP address to listen on, in its canonical spelling. Default: 127.0.0.1, this machine
    only."""

    listen_port: int = 8080
    """The TCP port to listen on, 0 to 65535; 0 picks a free one. Default: 8080."""

    metrics_listen: tuple[str, int] | None = None
    """The IP address, in its canonical spelling, and the TCP port (0 picks a free one) to serve
    ``GET /metrics`` on, alone and without a key. None: only the API serves it. Default: none."""

    log_level: str = "INFO"
    """The lowest level to log, one of ``LOG_LEVELS``. Default: INFO."""

    log_format: str = "auto"
    """``console``, ``json``, or ``auto``: console if standard error is a terminal, otherwise JSON.
    Default: auto."""

    max_body_bytes: int = 1_048_576
    """The largest request body to accept, in bytes, 1 KiB to 100 MiB. Default: 1 MiB."""

    header_timeout: timedelta = timedelta(seconds=10)
    """How long a client may take to send a request's headers, 0.1 s to 1 h. Default: 10 s."""

    body_timeout: timedelta = timedelta(seconds=30)
    """How long a client may take to send a request's body, 0.1 s to 1 h. Default: 30 s."""

    keep_alive_timeout: timedelta = timedelta(seconds=75)
    """How long a connection without a request is kept open for the next one, 0.1 s to a day.
    Default: 75 s."""

    max_deliveries: int = 200
    """Maximum number of webhooks to send at once, 1 to 10,000. Default: 200."""

    per_destination: int | None = None
    """Maximum number of webhooks to send at once to one scheme, host and port, across all nodes, 1
    to 10,000. None: a destination gets another slot only while more slots are free than it already
    has. Default: none."""

    attempts_kept: int = 20
    """Number of attempts to keep for each task, the newest ones, 1 to 1,000. Default: 20."""

    egress: str = "auto"
    """Which addresses webhooks may call, one of ``EGRESS_LEVELS``; ``egress_level`` resolves
    ``auto``. Default: auto."""

    allow_targets: tuple[str, ...] = ()
    """Targets that webhooks may call although ``egress`` refuses them, as
    ``egress.address_policy.read_entry`` reads them.
    Default: none."""

    deny_targets: tuple[str, ...] = ()
    """Targets that webhooks may not call, whatever the other settings allow. Default: none."""

    egress_proxy: str | None = field(default=None, repr=False)
    """The URL of the proxy to send webhooks through, in the form that
    ``egress.egress_proxy.read_proxy`` reads; may hold a password. None: webhooks go out directly.
    Default: none."""

    pbkdf2_iterations: int = 600_000
    """Rounds of PBKDF2-HMAC-SHA256 for each hash, 1,000 to 10,000,000. Default: 600,000."""

    keep_done: timedelta | None = timedelta(days=7)
    """How long to keep a done task after it ended; None: forever. Default: 7 days."""

    keep_failed: timedelta | None = timedelta(days=30)
    """How long to keep a failed task after it ended; None: forever. Default: 30 days."""

    keep_audit: timedelta | None = timedelta(days=90)
    """How long to keep a row of the audit log; None: forever. Default: 90 days."""

    circuit_patience: timedelta = timedelta(hours=1)
    """How long a circuit that is not closed may keep any task before that ends as failed, 0 s to
    36,500 days; longer if the waits of its retry policy are. Default: 1 h."""

    idempotency_retention: timedelta = timedelta(hours=24)
    """How long to keep the answer to a request with an Idempotency-Key, after the request and after
    the latest execution time of what it made. Default: 24 hours."""

    grace_period: timedelta = timedelta(seconds=30)
    """How long running attempts have to finish once the server is told to stop, 0 s to 1 h.
    Default: 30 s."""

    api_keys_file: Path | None = None
    """The file that ``api_keys`` were read from, if any. Default: none."""

    api_keys: tuple[str, ...] = field(default=(), repr=False)
    """Keys that callers may show, from both the variable and the file, each in the form that
    ``callers.read_key_line`` reads. Default: none."""

    webhook_secrets_file: Path | None = None
    """The file that some of ``webhook_secrets`` were read from, if any. Default: none."""

    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    """Secrets to sign webhooks with, each ``whsec_`` and base64. If empty, webhooks are not signed.
    Default: none."""

    alert_url: str | None = field(default=None, repr=False)
    """Where alerts are sent; a secret. None: there are none. Default: none."""

    alert_after: timedelta = timedelta(minutes=1)
    """For how long a task has to be overdue, and kept by no gate, until an alert says so; 1 s to 1
    day. Default: 1 minute."""

    otel: bool = False
    """Whether to record each attempt as a span of OpenTelemetry, as the ``OTEL_*`` variables say.
    Default: no."""

    key_rate: int | None = None
    """How many calls a second each API key may make on this node, 1 to 1,000,000. None: as many as
    it likes. Default: none."""

    no_auth: bool = False
    """Whether to serve addresses other than loopback without asking for an API key. Default: no."""

    public_url: str | None = None
    """The URL at which receivers of webhooks reach this server, or any of those that share its store,
    without a slash at its end. None: there is none, and no task can ask for a completion. Default:
    none."""

    allowed_hosts: tuple[str, ...] = ()
    """Host names, in lower case, that callers may use in addition to ``localhost`` and IP addresses
    while no key is required. That of ``public_url`` is one of them anyway.
    Default: none."""

    dev_clock: bool = False
    """Whether the clock by which everything happens stands still, and is moved by ``/dev/clock``: for
    tests. On SQLite and loopback only. Default: no."""

    app: str | None = None
    """Where the app is whose functions can be scheduled: ``MODULE:NAME``. None: there is none. Default:
    none."""

    app_workers: int = 1
    """How many workers to run for ``app``, as processes of their own, 0 to 64. Without an app there
    are none. Default: 1."""

    no_dashboard: bool = False
    """Whether to leave out the dashboard: ``/ui`` is not there then. Default: no."""

    root_path: str = ""
    """What a proxy in front takes away from the beginning of the path, such as ``/tasker``: links of
    the dashboard begin with it. No slash at its end. Default: nothing."""

    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks of the proxies that are believed which clients they speak for, and how
    (``X-Forwarded-For``, ``X-Forwarded-Proto``). Default: none."""

    said: tuple[Said, ...] = field(default=(), compare=False)
    """What is shown of them to whoever may see that: all, in order. Empty: nobody has said anything of
    where they come from."""

    @property
    def egress_level(self) -> str:
        """The level in force: ``lan``, ``public`` or ``any``.

        ``auto`` is ``lan`` if only this machine can call the server.
        """
        if self.egress != "auto":
            return self.egress
        return "lan" if is_loopback(self.listen_ip) else "public"


def is_loopback(ip: str) -> bool:
    """Return whether only this machine can reach *ip*.

    >>> is_loopback("127.0.0.2"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    address = ip_address(ip)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback
