"""Where settings come from: the command line, then the environment, then ``tasker.toml``."""

import dataclasses
import difflib
import importlib.util
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tasker.callers import KEY_NAME_LENGTH, read_key_line
from tasker.cli.contexts import VARIABLE as CONTEXT_VARIABLE
from tasker.cli.server.settings import API_KEYS_VARIABLE, SETTINGS, Setting
from tasker.client.settings import VARIABLES, WORKER_KEY
from tasker.config import Said, Settings, is_loopback
from tasker.doctor import secret_files
from tasker.errors import SettingError, open_to_others
from tasker.stores import kind

CONFIG_FILE: Final = "tasker.toml"
"""The file of settings, looked for in the working folder unless another is named."""

CONFIG_VARIABLE: Final = "TASKER_CONFIG"
API_KEY_LENGTH: Final = 16
"""Characters that an API key has at least."""

_OF_TESTS: Final = "TASKER_TEST_"
"""How variables begin that are the tests'."""

_NEVER_EMPTY: Final = ("api_keys_file", "webhook_secrets_file", "webhook_secrets")
"""Settings whose empty variable is a mistake: who wanted keys must not go without."""

_TOML_WORDS: Final = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def load(flags: Mapping[str, Any], environ: Mapping[str, str], *, only: Sequence[Setting] = SETTINGS) -> Settings:
    """Return the settings that the command line, the environment and ``tasker.toml`` make, in this order.

    Args:
        flags: the options that were given, by field (and ``config``): text; True for a switch; a
            sequence of texts where several may be given. None, False and an empty sequence: not
            given.
        environ: the environment. An empty variable counts as not set, unless it is about API keys
            or signing secrets.
        only: the settings that the command needs. The others keep their defaults, whatever is said
            about them.

    Raises:
        SettingError: one has a value that cannot be used, or they contradict each other. The
            message shows neither a key or secret nor a URL.
    """
    values, origins = _read(flags, environ, only)
    if only is not SETTINGS:
        return Settings(**values)
    settings = Settings(**values)
    settings = dataclasses.replace(
        settings,
        said=tuple(
            Said(setting.name, setting.told(getattr(settings, setting.name)), origins.get(setting.name, ""))
            for setting in SETTINGS
        ),
    )
    _check_access(settings, origins)
    if settings.dev_clock:
        _check_dev_clock(settings, origins["dev_clock"])
    if settings.otel and not _is_installed("opentelemetry.sdk.trace"):
        raise SettingError(
            origins["otel"], "needs packages that are not installed; run: pip install 'tasker-server[otel]'"
        )
    return settings


def load_unchecked(flags: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """Return the same settings as ``load``, though they may contradict each other, so that no server starts with them.

    Raises:
        SettingError: one has a value that cannot be used.
    """
    values, _ = _read(flags, environ, SETTINGS)
    return Settings(**values)


def _read(
    flags: Mapping[str, Any], environ: Mapping[str, str], only: Sequence[Setting]
) -> tuple[dict[str, Any], Mapping[str, str]]:
    """Return the settings that are said, by field, and where: the flag, variable or key."""
    keys, where = _read_file(flags.get("config"), environ)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for setting in only:
        found = _from_flag(setting, flags) or _from_environment(setting, environ) or _from_file(setting, keys, where)
        if found is not None:
            values[setting.name], origins[setting.name] = found
    values["webhook_secrets"] = _webhook_secrets(
        values.get("webhook_secrets", ()), values.get("webhook_secrets_file"), origins.get("webhook_secrets_file", "")
    )
    if only is SETTINGS:
        values["api_keys"] = _api_keys(values.get("api_keys_file"), origins.get("api_keys_file", ""), environ)
    return values, origins


def doubts(settings: Settings, environ: Mapping[str, str]) -> Sequence[str]:
    """Return what looks like a mistake in the settings or the environment, a line each. No line shows a secret."""
    open_files = ("; run: ".join(secret_files.words(path)) for path in secret_files.open_to_all(settings))
    return [*mistakes(settings, environ), *open_files]


def mistakes(settings: Settings, environ: Mapping[str, str]) -> Sequence[str]:
    """Return those of the doubts that are about the settings alone, not about files."""
    idle = []
    if settings.alert_url is None and settings.alert_after != Settings().alert_after:
        idle.append("--alert-after has no effect without --alert-url: no alerts are sent")
    if settings.app is None and settings.app_workers != Settings().app_workers:
        idle.append("--app-workers has no effect without --app: there are no functions to run")
    return [*_unknown_variables(environ), *idle]


def _unknown_variables(environ: Mapping[str, str]) -> Sequence[str]:
    """Doubt variables that look like tasker's, and are neither the server's nor a client's. No line shows a value."""
    servers = (name for setting in SETTINGS for name in setting.variables)
    names = [*servers, API_KEYS_VARIABLE, CONFIG_VARIABLE, CONTEXT_VARIABLE, *VARIABLES, WORKER_KEY]
    known = {name.removeprefix("TASKER_"): name for name in names}
    lines = []
    for name in sorted(environ):
        if name.startswith("TASKER_") and name not in names and not name.startswith(_OF_TESTS):
            near = difflib.get_close_matches(name.removeprefix("TASKER_"), known, n=1)
            lines.append(f"there is no variable {name}" + (f"; did you mean {known[near[0]]}?" if near else ""))
    return lines


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
        if text is None or (not text.strip() and setting.name not in _NEVER_EMPTY):
            continue
        if variable == "RUST_LOG":
            text = _bare_directive(text)
            if text is None:
                continue
        if setting.many:
            read = tuple(setting.read(part.strip(), variable) for part in text.split(",") if part.strip())
            if not read and setting.name in _NEVER_EMPTY:
                raise SettingError(variable, f"expected {setting.expected}, got none")
            return read, variable
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
        raise SettingError(
            origin, f"cannot read {path} ({error.strerror}); expected a file of settings in TOML"
        ) from None
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
                f"{key!r} in {path}",
                f"there is no such key; expected {near[0] if near else 'one of ' + ', '.join(known)}",
            )
    return keys, path


def _api_keys(path: Path | None, origin: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    keys: list[str] = []
    if API_KEYS_VARIABLE in environ:
        keys += _checked_keys([key.strip() for key in environ[API_KEYS_VARIABLE].split(",")], API_KEYS_VARIABLE, "key")
    if path is not None:
        keys += _checked_keys(_lines(path, origin, "API key"), f"{origin}: {path}", "line")
    firsts: dict[str, str] = {}
    for line in keys:
        firsts.setdefault(line.split()[0], line)  # of several lines with one key, the first counts
    return tuple(firsts.values())


def _checked_keys(candidates: Sequence[str], origin: str, word: str) -> list[str]:
    """Return those of *candidates* that are not empty: each a key, perhaps with a role and a name.

    No message may show a key, nor what may be a part of one.
    """
    for number, line in enumerate(candidates, 1):
        if not line:
            continue
        try:
            said = read_key_line(line)
        except ValueError as error:
            raise SettingError(origin, f"{word} {number}: {error}") from None
        if not re.fullmatch(rf"[!-~]{{{API_KEY_LENGTH},}}", said.key):
            raise SettingError(
                origin, f"{word} {number}: expected at least {API_KEY_LENGTH} printable ASCII characters without spaces"
            )
        if not said.name.isprintable() or len(said.name) > KEY_NAME_LENGTH:
            raise SettingError(
                origin, f"{word} {number}: expected a name of at most {KEY_NAME_LENGTH} printable characters"
            )
    return _some(candidates, origin, "API key")


def _webhook_secrets(given: Sequence[str], path: Path | None, origin: str) -> tuple[str, ...]:
    secrets = list(given)
    if path is not None:
        setting = next(setting for setting in SETTINGS if setting.name == "webhook_secrets")
        lines = _lines(path, origin, "signing secret")
        for number, line in enumerate(lines, 1):
            if line:
                setting.read(line, f"{origin}: {path}: line {number}")
        secrets += _some(lines, f"{origin}: {path}", "signing secret")
    return tuple(dict.fromkeys(secrets))


def _lines(path: Path, origin: str, what: str) -> list[str]:
    """Return the lines of a file that has *what* on each, without their comments."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingError(
            origin, f"cannot read {str(path)!r} ({reason}); expected a file with one {what} per line"
        ) from None
    return [line.partition("#")[0].strip() for line in lines]


def _some(lines: Sequence[str], origin: str, what: str) -> list[str]:
    """Return those of *lines* that are not empty, at least one."""
    if not any(lines):
        raise SettingError(origin, f"expected at least one {what}, got none")
    return [line for line in lines if line]


def _check_access(settings: Settings, origins: Mapping[str, str]) -> None:
    """Refuse to be open to others by accident."""
    if settings.no_auth and settings.api_keys:
        raise SettingError(
            origins["no_auth"],
            "contradicts the API keys that are given; expected either --no-auth or API keys, not both",
        )
    is_open = not (settings.api_keys or settings.no_auth or is_loopback(settings.listen_ip))
    if is_open and kind.is_missing(settings.database_url):  # else the node looks whether it has keys
        raise SettingError(origins["listen_ip"], open_to_others(settings.listen_ip))


def _check_dev_clock(settings: Settings, origin: str) -> None:
    """Refuse to play with the time of others."""
    if not kind.kind_of(settings.database_url).follows_clock:
        raise SettingError(
            origin,
            "needs a database whose clock is this server's; expected --database-url sqlite:PATH or sqlite::memory:, "
            f"got: {kind.shown(settings.database_url)}",
        )
    if not is_loopback(settings.listen_ip):
        raise SettingError(
            origin,
            "whoever reaches this server could move its clock; expected --listen-ip 127.0.0.1, or another loopback "
            f"address, got: {settings.listen_ip}",
        )


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # a package that it is in
        return False


def _bare_directive(directives: str) -> str | None:
    """Return the level in ``RUST_LOG`` for everything: ``info`` in ``info,hyper=warn``.

    If there are several, the last one counts.
    """
    bare = [part.strip() for part in directives.split(",") if part.strip() and "=" not in part]
    return bare[-1] if bare else None
