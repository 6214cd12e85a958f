"""How users give the settings.

One table is behind options, variables, ``tasker.toml``, ``--help`` and the documentation.
"""

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Final

from tasker import urls
from tasker.config import EGRESS_LEVELS, LOG_FORMATS, LOG_LEVELS, Settings
from tasker.egress.address_policy import HOST_NAME, read_entry
from tasker.egress.egress_proxy import read_proxy
from tasker.errors import DatabaseUrlError, SettingError, cut
from tasker.model import lengths
from tasker.stores import kind
from tasker.wire import signatures
from tasker.worker import loading

API_KEYS_VARIABLE: Final = "TASKER_API_KEYS"
"""The only setting that is only a variable: an option would show the keys to anybody who lists
processes."""


_AGE: Final = f"{lengths.EXPECTED}, at most {lengths.LONGEST.days}d; or {lengths.FOREVER}"
_TARGET: Final = (
    "an address, a network or a host name, with or without :PORT, such as 10.1.0.0/16, [fd12::7]:8080 or hooks.internal"
)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How users give one field of ``Settings``."""

    name: str
    """The field, and the key in ``tasker.toml``."""

    help: str
    """What it does, for ``--help`` and the documentation: one or two sentences."""

    metavar: str
    """The placeholder for the value in ``--help``; empty for a switch."""

    expected: str
    """What would be right, with the unit and the bounds; it follows the word *expected* in
    messages."""

    parse: Callable[[str], Any]
    """Reads the value, or raises ``ValueError``. With ``many``, it is called once for each
    value."""

    variables: tuple[str, ...] = ()
    """Environment variables; the first one that is set counts. If not given: one named after the
    field."""

    toml: tuple[type, ...] = (str,)
    """The types that the value may have in ``tasker.toml``."""

    many: bool = False
    """Whether it takes several values: the option is repeated, the variable uses commas, the key is
    a list."""

    flag: str = ""
    """The option. If not given: one named after the field."""

    shown: Callable[[str], str] = lambda text: repr(cut(text))
    """How a wrong value is shown in the error."""

    tell: Callable[[Any], str] | None = None
    """How the value in force is shown, if it is not as it was written: one that may hold a secret."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "variables", self.variables or (f"TASKER_{self.name.upper()}",))
        object.__setattr__(self, "flag", self.flag or "--" + self.name.replace("_", "-"))

    @property
    def default(self) -> str:
        """The default as a user would write it; empty if there is none."""
        return self._written(next(field.default for field in dataclasses.fields(Settings) if field.name == self.name))

    def told(self, value: Any) -> str:  # noqa: ANN401 - the field's own type
        """Return a value in force as people may read it; of what may hold a secret, only that it is there."""
        if self.tell is not None:
            return self.tell(value) if value else ""
        return ", ".join(map(self._written, value)) if self.many else self._written(value)

    def _written(self, value: Any) -> str:  # noqa: ANN401 - as above
        match value:
            case None | False | ():
                return ""
            case timedelta() as length if self.metavar == "AGE":
                return lengths.shown(length)
            case timedelta() as length:
                return f"{length.total_seconds():g}"
            case (ip, port):
                return f"{ip}:{port}"
            case True:
                return "yes"
            case _:
                return str(value)

    def read(self, text: str, origin: str) -> Any:  # noqa: ANN401 - the field's own type
        """Return the value that *text* stands for; *origin* is the flag, variable or key it came from."""
        try:
            return self.parse(text)
        except DatabaseUrlError as error:
            raise SettingError(origin, f"the URL cannot be used: {error.problem}") from None
        except ValueError:
            raise SettingError(origin, f"expected {self.expected}, got: {self.shown(text)}") from None


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text, re.ASCII) or not low <= int(text) <= high:
            raise ValueError
        return int(text)

    return parse


def _seconds(low: float, high: float) -> Callable[[str], timedelta]:
    def parse(text: str) -> timedelta:
        if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,12})?", text, re.ASCII) or not low <= float(text) <= high:
            raise ValueError
        return timedelta(seconds=float(text))

    return parse


def _address(text: str) -> str:
    return str(ip_address(text))


def _address_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    is_bracketed = host.startswith("[") and host.endswith("]")
    address = ip_address(host[1:-1] if is_bracketed else host)
    if (address.version == 6) is not is_bracketed:
        raise ValueError
    return str(address), _whole(0, 65_535)(port)


def _level(text: str) -> str:
    level = text.upper().replace("WARNING", "WARN")
    if level not in LOG_LEVELS:
        raise ValueError
    return level


def _one_of(words: Sequence[str]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in words:
            raise ValueError
        return text.lower()

    return parse


def _age(text: str) -> timedelta | None:
    if text.lower() == lengths.FOREVER:
        return None
    return lengths.parse(text)


def _between(low: timedelta, high: timedelta) -> Callable[[str], timedelta]:
    def parse(text: str) -> timedelta:
        length = lengths.parse(text)
        if not low <= length <= high:
            raise ValueError
        return length

    return parse


def _app(text: str) -> str:
    if not loading.is_place(text):
        raise ValueError
    return text


def _http_url(text: str) -> str:
    if "://" not in text:
        raise ValueError
    return urls.checked(text)


def _public_url(text: str) -> str:
    url = _http_url(text)
    if urls.parts(url).credentials is not None or not set("?#").isdisjoint(url) or not url.isascii():
        raise ValueError
    return url.rstrip("/")


def _database_url(text: str) -> str:
    kind.check_url(text)
    return text


def _schema_name(text: str) -> str:
    # So it needs no quotes anywhere, and there is room for it in the names of channels: see bell.py.
    if not re.fullmatch(r"(?!pg_)[a-z_][a-z0-9_]{0,39}", text, re.ASCII):
        raise ValueError
    return text


def _scheme_only(*known: str) -> Callable[[str], str]:
    """Return how a wrong URL is shown: by its scheme. What stands before a colon without ``//`` may be a user name."""
    pattern = "|".join([*(f"{re.escape(scheme)}(?=:)" for scheme in known), "[a-z][a-z0-9+.-]{0,20}(?=://)"])

    def shown(url: str) -> str:
        scheme = re.match(pattern, url, re.ASCII | re.IGNORECASE)
        return f"a {scheme[0]}: URL that is none of these" if scheme else "something with no scheme"

    return shown


def _target(text: str) -> str:
    return str(read_entry(text))


def _proxy(text: str) -> str:
    read_proxy(text)
    return text


def _path(text: str) -> Path:
    if not text:
        raise ValueError
    return Path(text)


def _signing_secret(text: str) -> str:
    signatures.key_of(text)
    return text


def _switch(text: str) -> bool:
    if text.lower() not in ("true", "1", "yes", "on", "false", "0", "no", "off"):
        raise ValueError
    return text.lower() in ("true", "1", "yes", "on")


def _root_path(text: str) -> str:
    path = text.rstrip("/")
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", path, re.ASCII) or {".", ".."} & set(path.split("/")):
        raise ValueError
    return path


def _network(text: str) -> str:
    return str(ip_network(text) if "/" in text else ip_address(text))


def _host(text: str) -> str:
    if not HOST_NAME.fullmatch(text.lower()):
        raise ValueError
    return text.lower()


SETTINGS: Final = (
    Setting(
        name="database_url",
        variables=("DATABASE_URL",),
        metavar="URL",
        help="Where tasks are kept. A missing SQLite file is created; a missing PostgreSQL database is not.",
        expected=kind.expected(),
        parse=_database_url,
        shown=_scheme_only(*(scheme for each in kind.kinds() for scheme in each.schemes)),
        tell=kind.shown,
    ),
    Setting(
        name="database_schema",
        metavar="NAME",
        help="Schema of a PostgreSQL database to keep all tables in, apart from those of others. "
        "A missing one is created.",
        expected="1 to 40 lower-case letters, digits and _, no digit first, and not pg_ at the beginning",
        parse=_schema_name,
    ),
    Setting(
        name="no_migrate",
        metavar="",
        help="Do not update the tables of a PostgreSQL database at the start; tasker db migrate does that.",
        expected="true or false",
        parse=_switch,
        toml=(bool,),
    ),
    Setting(
        name="no_listen",
        metavar="",
        help="Do not use LISTEN or prepared statements: for PostgreSQL behind PgBouncer in transaction mode.",
        expected="true or false",
        parse=_switch,
        toml=(bool,),
    ),
    Setting(
        name="paused",
        metavar="",
        help="Pause everything at the start, on all nodes: no task starts until POST /resume.",
        expected="true or false",
        parse=_switch,
        toml=(bool,),
    ),
    Setting(
        name="listen_ip",
        variables=("LISTEN_IP",),
        metavar="IP",
        help="Address to listen on. An address that others can reach needs API keys or --no-auth.",
        expected="an IP address, such as 127.0.0.1 or ::1",
        parse=_address,
    ),
    Setting(
        name="listen_port",
        variables=("LISTEN_PORT",),
        metavar="PORT",
        help="Port to listen on; 0 picks a free one.",
        expected="a port from 0 to 65535",
        parse=_whole(0, 65_535),
        toml=(int,),
    ),
    Setting(
        name="metrics_listen",
        metavar="ADDR",
        help="Another address that serves GET /metrics: nothing else, and without a key. Port 0 picks a free one.",
        expected="an IP address and a port, such as 127.0.0.1:9464, 0.0.0.0:9464 or [::1]:9464",
        parse=_address_and_port,
    ),
    Setting(
        name="log_level",
        variables=("LOG_LEVEL", "RUST_LOG"),
        metavar="LEVEL",
        help="Lowest level to log.",
        expected="one of TRACE, DEBUG, INFO, WARN, ERROR",
        parse=_level,
    ),
    Setting(
        name="log_format",
        metavar="FORMAT",
        help="Format of the log; auto means console on a terminal and json otherwise.",
        expected="one of auto, console, json",
        parse=_one_of(LOG_FORMATS),
    ),
    Setting(
        name="max_body_bytes",
        metavar="BYTES",
        help="Largest request body to accept.",
        expected="a number of bytes from 1024 to 104857600",
        parse=_whole(1_024, 104_857_600),
        toml=(int,),
    ),
    Setting(
        name="header_timeout",
        metavar="SECONDS",
        help="Time that a client has to send the headers of a request.",
        expected="a number of seconds from 0.1 to 3600",
        parse=_seconds(0.1, 3_600),
        toml=(int, float),
    ),
    Setting(
        name="body_timeout",
        metavar="SECONDS",
        help="Time that a client has to send the body of a request.",
        expected="a number of seconds from 0.1 to 3600",
        parse=_seconds(0.1, 3_600),
        toml=(int, float),
    ),
    Setting(
        name="keep_alive_timeout",
        metavar="SECONDS",
        help="How long a connection without a request is kept open for the next one. "
        "A load balancer in front must close its idle connections earlier: give it less, or this more.",
        expected="a number of seconds from 0.1 to 86400",
        parse=_seconds(0.1, 86_400),
        toml=(int, float),
    ),
    Setting(
        name="max_deliveries",
        metavar="NUMBER",
        help="Maximum number of webhooks to send at once.",
        expected="a number from 1 to 10000",
        parse=_whole(1, 10_000),
        toml=(int,),
    ),
    Setting(
        name="per_destination",
        metavar="NUMBER",
        help="Maximum number of webhooks to send at once to one scheme, host and port, across all nodes; "
        "choose less than --max-deliveries. "
        "Without it, a destination gets another slot only while more slots are free than it already has.",
        expected="a number from 1 to 10000",
        parse=_whole(1, 10_000),
        toml=(int,),
    ),
    Setting(
        name="attempts_kept",
        metavar="NUMBER",
        help="Number of attempts to keep for each task, the newest ones.",
        expected="a number from 1 to 1000",
        parse=_whole(1, 1_000),
        toml=(int,),
    ),
    Setting(
        name="egress",
        metavar="LEVEL",
        help="Addresses that webhooks may call: public ones only (public), "
        "also this machine and the local network (lan), or almost any (any). "
        "auto means lan if the server listens on loopback, and public otherwise.",
        expected="one of auto, lan, public, any",
        parse=_one_of(EGRESS_LEVELS),
    ),
    Setting(
        name="allow_targets",
        flag="--allow-target",
        metavar="TARGET",
        help="Target that webhooks may call although --egress refuses it. May be repeated.",
        expected=_TARGET,
        parse=_target,
        many=True,
    ),
    Setting(
        name="deny_targets",
        flag="--deny-target",
        metavar="TARGET",
        help="Target that webhooks may not call, even if it is allowed elsewhere. May be repeated.",
        expected=_TARGET,
        parse=_target,
        many=True,
    ),
    Setting(
        name="egress_proxy",
        metavar="URL",
        help="Proxy to send webhooks through, with CONNECT. The proxy resolves and checks host names.",
        expected="http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT with both percent-encoded",
        parse=_proxy,
        shown=_scheme_only(),
        tell=lambda url: str(read_proxy(url)),
    ),
    Setting(
        name="pbkdf2_iterations",
        metavar="NUMBER",
        help="Rounds of PBKDF2 for each hash.",
        expected="a number from 1000 to 10000000",
        parse=_whole(1_000, 10_000_000),
        toml=(int,),
    ),
    Setting(
        name="keep_done",
        metavar="AGE",
        help="How long to keep a done or cancelled task after it ended.",
        expected=_AGE,
        parse=_age,
    ),
    Setting(
        name="keep_failed",
        metavar="AGE",
        help="How long to keep a failed task after it ended.",
        expected=_AGE,
        parse=_age,
    ),
    Setting(
        name="keep_audit",
        metavar="AGE",
        help="How long to keep what the audit log says of a change.",
        expected=_AGE,
        parse=_age,
    ),
    Setting(
        name="circuit_patience",
        metavar="AGE",
        help="How long an open circuit may keep any task before that ends as failed; "
        "longer if the waits of the task's retry policy are.",
        expected="a whole number with a unit, such as 90s, 30m, 12h or 7d, at most 36500d",
        parse=lengths.parse,
    ),
    Setting(
        name="idempotency_retention",
        metavar="AGE",
        help="How long to keep the answer to a request with an Idempotency-Key, "
        "after the request and after the latest execution time of what it made.",
        expected="a whole number with a unit, such as 90s, 30m, 12h or 7d, at most 36500d",
        parse=lengths.parse,
    ),
    Setting(
        name="grace_period",
        metavar="SECONDS",
        help="Time that running attempts have to finish once the server is told to stop; "
        "after it, their tasks are given back.",
        expected="a number of seconds from 0 to 3600",
        parse=_seconds(0, 3_600),
        toml=(int, float),
    ),
    Setting(
        name="api_keys_file",
        metavar="FILE",
        help="File with the API keys that callers must show: one per line, # starts a comment. "
        "A role (metrics, read, write or admin) and a name may follow a key. "
        f"The variable {API_KEYS_VARIABLE} also takes keys, separated by commas.",
        expected="a path",
        parse=_path,
    ),
    Setting(
        name="key_rate",
        metavar="NUMBER",
        help="Maximum number of calls a second of each API key, on this node; more are answered with 429.",
        expected="a number from 1 to 1000000",
        parse=_whole(1, 1_000_000),
        toml=(int,),
    ),
    Setting(
        name="webhook_secrets_file",
        metavar="FILE",
        help="File with secrets to sign webhooks with, in addition to those from --webhook-secret: "
        "one per line, # starts a comment.",
        expected="a path",
        parse=_path,
    ),
    Setting(
        name="webhook_secrets",
        flag="--webhook-secret",
        variables=("TASKER_WEBHOOK_SECRET",),
        metavar="SECRET",
        help="Secret to sign webhooks with. May be repeated: every secret then signs. "
        "Other users of the machine can see this option: "
        "prefer the file, or the variable, where commas separate secrets.",
        expected="whsec_ followed by the base64 of 24 to 64 bytes",
        parse=_signing_secret,
        many=True,
        shown=lambda _: "something else, which is not shown",
        tell=lambda given: f"{len(given)}, not shown",
    ),
    Setting(
        name="alert_url",
        metavar="URL",
        help="Where to send alerts, such as the URL of an incoming webhook of Slack or Mattermost. "
        "Other users of the machine can see this option: prefer the variable or the settings file.",
        expected="an http:// or https:// URL with a host",
        parse=_http_url,
        shown=_scheme_only(),
        tell=lambda _: "given, not shown",
    ),
    Setting(
        name="alert_after",
        metavar="AGE",
        help="How long a task has to be overdue until an alert says so, if no destination or group keeps it.",
        expected="a whole number with a unit, such as 90s, 30m or 12h, from 1s to 1d",
        parse=_between(timedelta(seconds=1), timedelta(days=1)),
    ),
    Setting(
        name="otel",
        metavar="",
        help="Record each attempt as a span and send it with OpenTelemetry, as the OTEL_* variables say. "
        "Needs the extra tasker-server[otel].",
        expected="true or false",
        parse=_switch,
        toml=(bool,),
    ),
    Setting(
        name="no_auth",
        metavar="",
        help="Do not ask for API keys, even on an address that others can reach.",
        expected="true or false",
        parse=_switch,
        toml=(bool,),
    ),
    Setting(
        name="public_url",
        metavar="URL",
        help="URL at which receivers of webhooks reach this server, or any other that shares its database: "
        "where they report the end of long jobs.",
        expected="an http:// or https:// URL in ASCII with a host, without a user, a query or a fragment, "
        "such as https://tasks.example.org",
        parse=_public_url,
        shown=_scheme_only(),
    ),
    Setting(
        name="allowed_hosts",
        flag="--allowed-host",
        metavar="NAME",
        help="Host name that callers may use for this server, in addition to localhost and IP addresses. "
        "Only matters while no API key is required. May be repeated.",
        expected="a host name without a scheme or a port, such as tasks.example.org",
        parse=_host,
        many=True,
    ),
    Setting(
        name="dev_clock",
        metavar="",
        help="For tests: the clock stands still, and POST /dev/clock moves it. On SQLite and a loopback address only.",
        expected="true or false",
        parse=_switch,
        toml=(bool,),
    ),
    Setting(
        name="app",
        metavar="MODULE:NAME",
        help="App whose functions can be scheduled, such as shop.tasks:app: the server imports it for their "
        "arguments, and has workers run them. The working folder is on the path.",
        expected=loading.EXPECTED,
        parse=_app,
    ),
    Setting(
        name="app_workers",
        metavar="N",
        help="Workers to run for the app, each a process of its own that ends with the server; 0 for none.",
        expected="0 to 64",
        parse=_whole(0, 64),
        toml=(int,),
    ),
    Setting(
        name="no_dashboard",
        metavar="",
        help="Leave out the dashboard at /ui.",
        expected="true or false",
        parse=_switch,
        toml=(bool,),
    ),
    Setting(
        name="root_path",
        metavar="PATH",
        help="Path under which a reverse proxy serves this server, which it takes away before it passes a request on: "
        "links of the dashboard begin with it.",
        expected="a path of letters, digits and . _ ~ -, such as /tasker",
        parse=_root_path,
    ),
    Setting(
        name="trusted_proxies",
        flag="--trusted-proxy",
        metavar="ADDR",
        help="Address or network of a reverse proxy, which is believed when it says with X-Forwarded-Proto and "
        "X-Forwarded-For how and from where a browser came. May be repeated.",
        expected="an IP address or a network, such as 10.0.0.5 or 10.0.0.0/24",
        parse=_network,
        many=True,
    ),
)

OF_THE_DATABASE: Final = tuple(
    setting
    for setting in SETTINGS
    if setting.name in ("database_url", "database_schema", "no_listen", "log_level", "log_format")
)
"""What a command needs to know that works on the database without serving anybody."""

DATABASE_URL: Final = next(setting for setting in SETTINGS if setting.name == "database_url")
OF_A_COPY: Final = tuple(setting for setting in OF_THE_DATABASE if setting is not DATABASE_URL)
"""What a command needs to know that is told the URLs of two databases."""

OF_ALERTS: Final = tuple(
    setting
    for setting in SETTINGS
    if setting.name
    in (
        *("alert_url", "webhook_secrets_file", "webhook_secrets", "allow_targets", "egress_proxy"),
        *("log_level", "log_format"),
    )
)
"""What a command needs to know that sends an alert."""
