"""The settings of a server: each with its meaning, unit and default, and how users give it.

``SETTINGS`` is the one table that the command's options, the environment variables, the keys of ``tasker.toml``,
``--help`` and ``docs/configuration.md`` are made from.
"""

import dataclasses
import difflib
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Any, Final

from tasker.errors import SettingError

LOG_LEVELS: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR")
LOG_FORMATS: Final = ("auto", "console", "json")
CONFIG_FILE: Final = "tasker.toml"
"""The file of settings, looked for in the working folder unless another is named."""

CONFIG_VARIABLE: Final = "TASKER_CONFIG"
API_KEYS_VARIABLE: Final = "TASKER_API_KEYS"
API_KEY_LENGTH: Final = 16
"""Characters that an API key has at least."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one server is told. ``load`` makes one that is checked; one made by hand is taken as it is."""

    database_url: str = "sqlite:tasks.db"
    """Where tasks are kept: ``sqlite:PATH``, ``sqlite://PATH`` or ``sqlite::memory:``. Default: ``sqlite:tasks.db``."""

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

    max_deliveries: int = 200
    """Webhooks that may be under way at once, 1 to 10,000. Default: 200."""

    pbkdf2_iterations: int = 600_000
    """Rounds of PBKDF2-HMAC-SHA256 that a hash task takes, 1,000 to 10,000,000. Default: 600,000."""

    grace_period: timedelta = timedelta(seconds=30)
    """How long running attempts may take to end once the server is told to stop, 0 s to 1 h. Default: 30 s."""

    api_keys_file: Path | None = None
    """The file that ``api_keys`` were read from, if any. Default: none."""

    api_keys: tuple[str, ...] = dataclasses.field(default=(), repr=False)
    """Keys that callers may show, from the variable and the file together; without any, none is asked for. Default: none."""

    no_auth: bool = False
    """Whether to serve other addresses than loopback without asking for an API key. Default: no."""

    allowed_hosts: tuple[str, ...] = ()
    """Host names, in lower case, that callers may use beside ``localhost`` and IP addresses, if no key is asked for. Default: none."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How users give one field of ``Settings``."""

    name: str
    """The field, and the key in ``tasker.toml``."""

    help: str
    """What it does, for ``--help`` and the documentation: one or two sentences."""

    metavar: str
    """What stands for the value in ``--help``; empty for a switch."""

    expected: str
    """What would be right, to follow the word *expected*; the unit and the bounds included."""

    parse: Callable[[str], Any]
    """Reads the value, or raises ``ValueError``. Gets one value at a time if ``many``."""

    variables: tuple[str, ...] = ()
    """Environment variables, the first that is set counts. Not given: one named after the field."""

    toml: tuple[type, ...] = (str,)
    """Types that the value may have in ``tasker.toml``."""

    many: bool = False
    """Whether it may be given several times: the option repeated, the variable separated by commas, the key as a list."""

    flag: str = ""
    """The option. Not given: one named after the field."""

    shown: Callable[[str], str] = lambda text: repr(text if len(text) <= 60 else text[:60] + "...")
    """How a wrong value appears in the error."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "variables", self.variables or (f"TASKER_{self.name.upper()}",))
        object.__setattr__(self, "flag", self.flag or "--" + self.name.replace("_", "-"))

    @property
    def default(self) -> str:
        """The default, as a user would write it; empty if there is none."""
        match next(field.default for field in dataclasses.fields(Settings) if field.name == self.name):
            case None | False | ():
                return ""
            case timedelta() as length:
                return f"{length.total_seconds():g}"
            case value:
                return str(value)

    def read(self, text: str, origin: str) -> Any:  # noqa: ANN401 - the field's own type
        """Return the value that *text* stands for; *origin* is the flag, variable or key that said it."""
        try:
            return self.parse(text)
        except ValueError:
            raise SettingError(origin, f"expected {self.expected}, got: {self.shown(text)}") from None


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


def load(flags: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """Return the settings that the command line, the environment and ``tasker.toml`` make, in this order.

    Args:
        flags: the options that were given, by field (and ``config``): text; True for a switch; a sequence of texts where
            several may be given. None, False and an empty sequence: not given.
        environ: the environment. An empty variable counts as not set, unless it is about API keys.

    Raises:
        SettingError: one has a value that cannot be used, or they contradict each other. The message shows neither a key nor
            a URL.
    """
    keys, where = _read_file(flags.get("config"), environ)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for setting in SETTINGS:
        found = _from_flag(setting, flags) or _from_environment(setting, environ) or _from_file(setting, keys, where)
        if found is not None:
            values[setting.name], origins[setting.name] = found
    values["api_keys"] = _api_keys(values.get("api_keys_file"), origins.get("api_keys_file", ""), environ)
    settings = Settings(**values)
    _check_access(settings, origins)
    return settings


Found = tuple[Any, str]
"""A value, and the flag, variable or key that said it."""


def _from_flag(setting: Setting, flags: Mapping[str, Any]) -> Found | None:
    given = flags.get(setting.name)
    if given is None or given is False or given == ():
        return None
    if given is True:
        return True, setting.flag
    if setting.many:
        return tuple(setting.read(text, setting.flag) for text in given), setting.flag
    return setting.read(given, setting.flag), setting.flag


def _from_environment(setting: Setting, environ: Mapping[str, str]) -> Found | None:
    for variable in setting.variables:
        text = environ.get(variable)
        if text is None or (not text.strip() and setting.name != "api_keys_file"):
            continue
        if variable == "RUST_LOG":
            text = _bare_directive(text)
            if text is None:
                continue
        if setting.many:
            return tuple(setting.read(part.strip(), variable) for part in text.split(",") if part.strip()), variable
        return setting.read(text.strip(), variable), variable
    return None


def _from_file(setting: Setting, keys: Mapping[str, Any], where: str) -> Found | None:
    if setting.name not in keys:
        return None
    value, origin = keys[setting.name], f"{setting.name} in {where}"
    parts = value if setting.many and isinstance(value, list) else [value]
    if (setting.many and not isinstance(value, list)) or any(type(part) not in setting.toml for part in parts):
        kind = "a list of texts" if setting.many else " or ".join(_TOML_WORDS[kind] for kind in setting.toml)
        raise SettingError(origin, f"expected {setting.expected}, written as {kind}")
    if type(value) is bool:
        return value, origin
    read = tuple(setting.read(str(part), origin) for part in parts)
    return (read if setting.many else read[0]), origin


def _read_file(named: str | None, environ: Mapping[str, str]) -> tuple[Mapping[str, Any], str]:
    """Return the keys of the file of settings, and what it is called."""
    origin, path = "--config", named
    if path is None:
        origin, path = CONFIG_VARIABLE, environ.get(CONFIG_VARIABLE) or None
    if path is None:
        origin, path = CONFIG_FILE, CONFIG_FILE
        if not Path(path).exists():
            return {}, path
    try:
        keys = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(origin, f"cannot read {path} ({error.strerror}); expected a file of settings in TOML") from None
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError
        problem = str(error).splitlines()[0] if isinstance(error, tomllib.TOMLDecodeError) else "it is not UTF-8"
        raise SettingError(origin, f"{path} is not TOML: {problem}") from None
    known = [setting.name for setting in SETTINGS]
    for key in keys:
        if key == "api_keys":
            raise SettingError(
                f"api_keys in {path}", f"keys are not read from here; expected api_keys_file or {API_KEYS_VARIABLE}"
            )
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            raise SettingError(
                f"{key!r} in {path}", f"there is no such key; expected {near[0] if near else 'one of ' + ', '.join(known)}"
            )
    return keys, path


def _api_keys(path: Path | None, origin: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    keys: list[str] = []
    if API_KEYS_VARIABLE in environ:
        keys += _checked_keys([key.strip() for key in environ[API_KEYS_VARIABLE].split(",")], API_KEYS_VARIABLE, "key")
    if path is not None:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise SettingError(
                origin, f"cannot read {str(path)!r} ({reason}); expected a file with one API key per line"
            ) from None
        keys += _checked_keys([line.partition("#")[0].strip() for line in lines], f"{origin}: {path}", "line")
    return tuple(dict.fromkeys(keys))


def _checked_keys(candidates: Sequence[str], origin: str, word: str) -> list[str]:
    """Return the keys among *candidates*, without the empty ones. No message may show one."""
    for number, key in enumerate(candidates, 1):
        if key and not re.fullmatch(rf"[!-~]{{{API_KEY_LENGTH},}}", key):
            raise SettingError(
                origin, f"{word} {number}: expected at least {API_KEY_LENGTH} printable ASCII characters without spaces"
            )
    keys = [key for key in candidates if key]
    if not keys:
        raise SettingError(origin, "expected at least one API key, got none")
    return keys


def _check_access(settings: Settings, origins: Mapping[str, str]) -> None:
    """Refuse to be open to others by accident."""
    if settings.no_auth and settings.api_keys:
        raise SettingError(
            origins["no_auth"], "contradicts the API keys that are given; expected either --no-auth or API keys, not both"
        )
    if not (settings.api_keys or settings.no_auth or is_loopback(settings.listen_ip)):
        raise SettingError(
            origins["listen_ip"],
            f"others can reach {settings.listen_ip}, and no API key is asked for; "
            "give keys with --api-keys-file, or --no-auth if everybody may call",
        )


def is_loopback(ip: str) -> bool:
    """Return whether only this machine can reach *ip*.

    >>> is_loopback("127.0.0.2"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    address = ip_address(ip)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback


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


def _level(text: str) -> str:
    level = text.upper().replace("WARNING", "WARN")
    if level not in LOG_LEVELS:
        raise ValueError
    return level


def _bare_directive(directives: str) -> str | None:
    """Return the level in ``RUST_LOG`` that is for everything, such as ``info`` in ``info,hyper=warn``; the last one counts."""
    bare = [part.strip() for part in directives.split(",") if part.strip() and "=" not in part]
    return bare[-1] if bare else None


def _format(text: str) -> str:
    if text.lower() not in LOG_FORMATS:
        raise ValueError
    return text.lower()


def _database_url(text: str) -> str:
    sqlite_location(text)
    return text


def _without_secrets(database_url: str) -> str:
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]{0,20}):", database_url)
    return f"a {scheme[1]}: URL that is not one of them" if scheme else "something that begins with no scheme"


def _path(text: str) -> Path:
    if not text:
        raise ValueError
    return Path(text)


def _switch(text: str) -> bool:
    if text.lower() not in ("true", "1", "yes", "on", "false", "0", "no", "off"):
        raise ValueError
    return text.lower() in ("true", "1", "yes", "on")


def _host(text: str) -> str:
    if not re.fullmatch(
        r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*", text.lower(), re.ASCII
    ):
        raise ValueError
    return text.lower()


_TOML_WORDS: Final = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}

SETTINGS: Final = (
    Setting(
        name="database_url",
        variables=("DATABASE_URL",),
        metavar="URL",
        help="Where tasks are kept. A missing file is made.",
        expected="sqlite:PATH, sqlite://PATH or sqlite::memory: (this version stores in SQLite only)",
        parse=_database_url,
        shown=_without_secrets,
    ),
    Setting(
        name="listen_ip",
        variables=("LISTEN_IP",),
        metavar="IP",
        help="Address to listen on. One that others can reach needs API keys or --no-auth.",
        expected="an IP address, such as 127.0.0.1 or ::1",
        parse=_address,
    ),
    Setting(
        name="listen_port",
        variables=("LISTEN_PORT",),
        metavar="PORT",
        help="Port to listen on. 0 takes a free one.",
        expected="a port from 0 to 65535",
        parse=_whole(0, 65_535),
        toml=(int,),
    ),
    Setting(
        name="log_level",
        variables=("LOG_LEVEL", "RUST_LOG"),
        metavar="LEVEL",
        help="Least important level that is logged.",
        expected="one of TRACE, DEBUG, INFO, WARN, ERROR",
        parse=_level,
    ),
    Setting(
        name="log_format",
        metavar="FORMAT",
        help="How the log is written; auto is console on a terminal and json otherwise.",
        expected="one of auto, console, json",
        parse=_format,
    ),
    Setting(
        name="max_body_bytes",
        metavar="BYTES",
        help="Longest body of a request that is taken.",
        expected="a number of bytes from 1024 to 104857600",
        parse=_whole(1_024, 104_857_600),
        toml=(int,),
    ),
    Setting(
        name="header_timeout",
        metavar="SECONDS",
        help="How long a client may take to send the headers of a request.",
        expected="a number of seconds from 0.1 to 3600",
        parse=_seconds(0.1, 3_600),
        toml=(int, float),
    ),
    Setting(
        name="body_timeout",
        metavar="SECONDS",
        help="How long a client may take to send the body of a request.",
        expected="a number of seconds from 0.1 to 3600",
        parse=_seconds(0.1, 3_600),
        toml=(int, float),
    ),
    Setting(
        name="max_deliveries",
        metavar="NUMBER",
        help="Webhooks that may be under way at once.",
        expected="a number from 1 to 10000",
        parse=_whole(1, 10_000),
        toml=(int,),
    ),
    Setting(
        name="pbkdf2_iterations",
        metavar="NUMBER",
        help="Rounds of PBKDF2 that a hash task takes.",
        expected="a number from 1000 to 10000000",
        parse=_whole(1_000, 10_000_000),
        toml=(int,),
    ),
    Setting(
        name="grace_period",
        metavar="SECONDS",
        help="How long running attempts may take to end once the server is stopped; then their tasks are given back.",
        expected="a number of seconds from 0 to 3600",
        parse=_seconds(0, 3_600),
        toml=(int, float),
    ),
    Setting(
        name="api_keys_file",
        metavar="FILE",
        help="File with the API keys that callers must show: one per line, # begins a comment. "
        f"{API_KEYS_VARIABLE} gives keys too, separated by commas.",
        expected="a path",
        parse=_path,
    ),
    Setting(
        name="no_auth",
        metavar="",
        help="Listen on an address that others can reach without asking for an API key.",
        expected="true or false",
        parse=_switch,
        toml=(bool,),
    ),
    Setting(
        name="allowed_hosts",
        flag="--allowed-host",
        metavar="NAME",
        help="Host name that callers may use beside localhost and IP addresses while no API key is asked for; may be repeated.",
        expected="a host name without scheme and port, such as tasks.example.org",
        parse=_host,
        many=True,
    ),
)
