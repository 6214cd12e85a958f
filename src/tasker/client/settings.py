"""Which server to call, and with which key: what the caller says, or else the environment."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from tasker.errors import SettingError

URL: Final = "TASKER_URL"
KEY: Final = "TASKER_KEY"
KEY_FILE: Final = "TASKER_KEY_FILE"

VARIABLES: Final = (URL, KEY, KEY_FILE)
"""The variables that a client takes from the environment."""

WORKER_KEY: Final = "TASKER_WORKER_KEY"
"""The variable of a worker's own key, where that is not the one that its functions call with."""

DEFAULT_URL: Final = "http://127.0.0.1:8080"

_SCHEMES: Final = ("http", "https")
_KEY: Final = re.compile("[!-~]+", re.ASCII)


class Server(NamedTuple):
    """Where to call, and as who."""

    url: str
    """Without a slash at the end."""
    key: str | None
    """None: without one."""

    def __repr__(self) -> str:
        """It does not show the key."""
        return f"Server(url={self.url!r}, key={'None' if self.key is None else '***'})"


def server_of(url: str | None, key: str | None, environ: Mapping[str, str] | None = None) -> Server:
    """Return the server that is meant.

    Args:
        url: None: that of ``TASKER_URL``, or else ``http://127.0.0.1:8080``.
        key: None: that of ``TASKER_KEY``, or the first line of the file ``TASKER_KEY_FILE``, or else none.
        environ: None: the environment of this process.

    Raises:
        SettingError: one cannot be used. The message does not show a key.
    """
    environ = os.environ if environ is None else environ
    named = ("url", url) if url is not None else (URL, environ.get(URL) or DEFAULT_URL)
    return Server(_checked_url(*named), _key(key, environ))


def _checked_url(name: str, url: str) -> str:
    expected = "expected the URL of a tasker server, such as http://127.0.0.1:8080"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise SettingError(name, expected) from None
    if parts.scheme not in _SCHEMES or not host or not url.isprintable() or " " in url:
        shown = "" if "@" in url else f", got: {url!r}"
        raise SettingError(name, f"{expected}{shown}")
    if parts.username is not None:
        raise SettingError(name, f"{expected}, without a user and a password; a key is given as key, or in {KEY}")
    if parts.query or parts.fragment:
        raise SettingError(name, f"{expected}, without a query and a fragment")
    return url.rstrip("/")


def _key(key: str | None, environ: Mapping[str, str]) -> str | None:
    if key is not None:
        return _checked_key("key", key)
    said, path = environ.get(KEY), environ.get(KEY_FILE)
    if said and path:
        raise SettingError(KEY_FILE, f"expected {KEY} or {KEY_FILE}, got both")
    if said:
        return _checked_key(KEY, said)
    return _key_in(path) if path else None


def _key_in(path: str) -> str:
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "it is no text"
        raise SettingError(KEY_FILE, f"expected a file with an API key in its first line; {path}: {why}") from None
    return _checked_key(KEY_FILE, text.partition("\n")[0].strip())


def _checked_key(name: str, key: str) -> str:
    if _KEY.fullmatch(key) is None:
        raise SettingError(name, "expected an API key: visible ASCII characters, without spaces")
    return key
