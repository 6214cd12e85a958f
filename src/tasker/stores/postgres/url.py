"""The URL of a PostgreSQL database, as libpq, and so every other program, reads it.

Source: https://www.postgresql.org/docs/current/libpq-connect.html, "Connection URIs" and "Parameter
Key Words". asyncpg reads some of the parameters and sends all others to the server, which knows
none of libpq's: so each is looked at here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote, urlencode

from tasker.errors import DatabaseUrlError

_READ_BY_ASYNCPG: Final = (
    *(
        "host",
        "port",
        "dbname",
        "user",
        "password",
        "passfile",
        "service",
        "target_session_attrs",
        "krbsrvname",
        "gsslib",
    ),
    *("sslmode", "sslnegotiation", "sslcert", "sslkey", "sslpassword", "sslrootcert", "sslcrl"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version"),
)

_READ_HERE: Final = ("application_name", "connect_timeout", "fallback_application_name", "options")

_DROPPED: Final = (
    # tasker's own deadlines notice a connection that has gone silent.
    *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"),
    # There is one primary, and so nothing to balance; texts are UTF-8 in any case. The others
    # change nothing here.
    *("load_balance_hosts", "client_encoding", "sslcompression", "sslsni", "sslkeylogfile", "gssdelegation"),
    *("min_protocol_version", "max_protocol_version"),
)

_UNSUPPORTED: Final[Mapping[str, tuple[str, ...]]] = {
    "channel_binding": ("disable", "prefer"),
    "gssencmode": ("disable", "prefer"),
    "hostaddr": (),
    "oauth_client_id": (),
    "oauth_client_secret": (),
    "oauth_issuer": (),
    "oauth_scope": (),
    "replication": ("false", "off", "no", "0"),
    "require_auth": (),
    "requirepeer": (),
    "scram_client_key": (),
    "scram_server_key": (),
    "servicefile": (),
    "sslcertmode": ("allow", "disable"),
    "sslcrldir": (),
}
"""What asyncpg cannot do, and the values that ask for nothing. The rest is refused: it may be what
somebody relies on."""

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    "target_session_attrs": ("any", "primary", "read-write"),  # the others lead to a server that cannot be written
}

_HOST: Final = re.compile(r"(?:\[[0-9A-Fa-f:.%\w]+\]|[^:\[\]]*)(?::(\d{0,5}))?", re.ASCII)
_SETTING: Final = re.compile(r"[A-Za-z_]\w{0,62}(?:\.[A-Za-z_]\w{0,62})?", re.ASCII)
_OPTION: Final = re.compile(r"(?:-c\s*|--)([\w.-]+)=((?:\\.|[^\s\\])*)(?:\s+|$)", re.ASCII | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class PostgresUrl:
    """A URL that can be used."""

    place: str
    """What may be shown of it: its hosts, and the name of the database."""

    hosts: Sequence[str]
    """For each host, in their order, a URL that asyncpg reads as libpq would read the whole one."""

    arguments: Mapping[str, Any]
    """Further arguments of ``asyncpg.connect``."""

    application_name: str
    """What PostgreSQL calls its sessions."""

    connect_timeout: float | None
    """Seconds that connecting to one host may take; None: it does not say."""

    settings: Mapping[str, str]
    """Settings of PostgreSQL that its sessions are to have."""

    files: Mapping[str, str]
    """The paths of files that connecting reads, by the names of their parameters."""

    user: str
    password: str
    """Both empty if it does not name them. Neither may be shown."""


def read(url: str) -> PostgresUrl:
    """Return what a ``postgresql://`` URL says. Connects to nothing, and opens no file.

    Raises:
        DatabaseUrlError: it cannot be used. The message says why; of the URL it shows at most its
            scheme, and the name of a parameter.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or "\0" in url:
        raise DatabaseUrlError("***", "expected postgresql://HOST:PORT/DATABASE")
    try:
        return _read(scheme, rest)
    except ValueError as error:
        raise DatabaseUrlError(f"{scheme}://***", str(error)) from None


def _read(scheme: str, rest: str) -> PostgresUrl:
    """Read what follows the scheme. A ``ValueError`` says what is wrong with it."""
    if "#" in rest:
        raise ValueError("there is a # in it; in a password, write %23 for #")
    base, _, query = rest.partition("?")
    authority, slash, database = base.partition("/")
    userinfo, at, hosts = authority.rpartition("@")
    if "@" in userinfo + database:
        raise ValueError("there is a second @ in it, or one after a /; in a password, write %40 for @ and %2F for /")
    parameters = _parameters(query)
    for named in (hosts, parameters.get("host", "")):
        _check_hosts(named)
    _check_hosts(",".join(f":{port}" for port in parameters.get("port", "").split(",")))
    passed = {name: value for name, value in parameters.items() if name in _READ_BY_ASYNCPG}
    arguments: dict[str, Any] = {} if "target_session_attrs" in passed else {"target_session_attrs": "primary"}
    if passed.get("sslrootcert") == "system":  # the authorities that this machine trusts
        if passed.get("sslmode", "verify-full") != "verify-full":
            raise ValueError("sslrootcert=system needs sslmode=verify-full")
        arguments["ssl"] = True
        passed = {name: value for name, value in passed.items() if name not in ("sslrootcert", "sslmode")}
    user, _, password = userinfo.partition(":")
    end = f"{slash}{database}" + (f"?{urlencode(passed, quote_via=quote)}" if passed else "")
    shown = hosts or parameters.get("host", "") or parameters.get("service", "")
    return PostgresUrl(
        place=f"{scheme}://{shown}/{database or parameters.get('dbname', '')}",
        hosts=[
            f"postgresql://{userinfo}{at}{host}{end}"
            for host in (hosts.split(",") if "port" not in passed else [hosts])
        ],
        arguments=arguments,
        application_name=parameters.get("application_name") or parameters.get("fallback_application_name") or "tasker",
        connect_timeout=_seconds(parameters.get("connect_timeout", "")),
        settings=_settings(parameters),
        files={name: passed[name] for name in ("sslrootcert", "sslcert", "sslkey", "sslcrl") if name in passed},
        user=unquote(user) or parameters.get("user", ""),
        password=unquote(password) or parameters.get("password", ""),
    )


def _check_hosts(hosts: str) -> None:
    for host in hosts.split(","):
        match = _HOST.fullmatch(host)
        if match is None or (match[1] and not 1 <= int(match[1]) <= 65_535):
            raise ValueError(
                "expected HOST:PORT with a port from 1 to 65535; in a password, write %2F for / and %3F for ?"
            )


def _parameters(query: str) -> dict[str, str]:
    """Return the parameters, the last of each name, without those that ask for nothing."""
    parameters: dict[str, str] = {}
    for part in query.split("&") if query else ():
        name, equals, value = (unquote(text) for text in part.partition("="))
        odd = "@" in value and name not in _READ_BY_ASYNCPG  # it may be the end of a password with a ? in it
        if not equals or not _SETTING.fullmatch(name) or odd or "\0" in value:
            raise ValueError("expected NAME=VALUE after the ?; in a password, write %3F for ?")
        if value not in _CHOICES.get(name, (value,)):
            raise ValueError(f"expected {name} to be one of {', '.join(_CHOICES[name])}")
        if name in _UNSUPPORTED:
            if value and value not in _UNSUPPORTED[name]:
                raise ValueError(f"its parameter {name} is not supported; leave it out, or write {_instead(name)}")
        elif name not in _DROPPED:
            parameters[name] = value
    return parameters


def _instead(name: str) -> str:
    match name:
        case "hostaddr":
            return "the address as the host"
        case "servicefile":
            return "the path in the variable PGSERVICEFILE"
        case "sslcrldir":
            return "the path of one file as sslcrl"
        case _:
            return "sslmode=verify-full, which tells that the server is the right one"


def _seconds(text: str) -> float | None:
    """Return a ``connect_timeout``: as for libpq, 0 and less mean that there is none."""
    if not re.fullmatch(r"\s*[+-]?\d{0,9}\s*", text, re.ASCII):
        raise ValueError("expected connect_timeout to be a whole number of seconds")
    seconds = int(text) if text.strip() else 0
    return float(seconds) if seconds > 0 else None


def _settings(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of PostgreSQL that the URL asks for.

    It gives them in ``options`` or, as many drivers allow, by their names.
    """
    settings = {name: value for name, value in parameters.items() if name not in (*_READ_BY_ASYNCPG, *_READ_HERE)}
    options = parameters.get("options", "").strip()
    while options:
        match = _OPTION.match(options)
        name = match[1].replace("-", "_") if match else ""
        if match is None or not _SETTING.fullmatch(name):
            raise ValueError("expected options to be one or more of -c NAME=VALUE, with %20 for each space")
        settings[name] = re.sub(r"\\(.)", r"\1", match[2], flags=re.DOTALL)
        options = options[match.end() :]
    return settings
