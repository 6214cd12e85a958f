"""Calls of the API of a server, for commands."""

import http.client
import json
import os
from typing import Any, Final
from urllib.parse import urlsplit

from tasker.cli.output import FAILED, MISUSED, UNREACHABLE, CommandError, exit_code_of
from tasker.errors import SettingError

URL_VARIABLE: Final = "TASKER_URL"
KEY_VARIABLE: Final = "TASKER_KEY"
DEFAULT_URL: Final = "http://127.0.0.1:8080"

_TIMEOUT_SECONDS: Final = 30.0


def call(url: str | None, method: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
    """Make a call and return what the answer says; None if it says nothing.

    The API key is that of the variable ``TASKER_KEY``. Redirects are not followed: the key is for
    one server.

    Args:
        url: of the server; None: that of the variable ``TASKER_URL``, or else of this machine.

    Raises:
        SettingError: the URL or the key cannot be used.
        CommandError: there is no answer, or it is a refusal.
    """
    origin, server = ("--url", url) if url else (URL_VARIABLE, os.environ.get(URL_VARIABLE) or DEFAULT_URL)
    connection, prefix = _connection(origin, server)
    headers = {"content-type": "application/json", **_authorization()}
    try:
        connection.request(method, prefix + path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise CommandError(
            UNREACHABLE, "server_unreachable", f"no answer from {_shown(server)} ({reason}); is a server running there?"
        ) from None
    finally:
        connection.close()
    try:
        said = json.loads(text) if text else None
    except ValueError:
        said = text
    if answer.status < http.HTTPStatus.MULTIPLE_CHOICES and (said is None or isinstance(said, dict)):
        return said
    if not isinstance(said, dict) or not {"code", "msg"} <= said.keys():
        problem = f"{_shown(server)} answers with the status {answer.status}, and not as tasker does"
        raise CommandError(FAILED, "no_tasker", problem)
    hint = f"; the variable {KEY_VARIABLE} takes the key" if answer.status == http.HTTPStatus.UNAUTHORIZED else ""
    exit_code = exit_code_of(answer.status)
    raise CommandError(exit_code, said["code"], said["msg"] + hint)


def _connection(origin: str, server: str) -> tuple[http.client.HTTPConnection, str]:
    try:
        parts = urlsplit(server)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or "@" in parts.netloc:
        raise SettingError(origin, f"expected the URL of a server, such as {DEFAULT_URL}")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(host, port, timeout=_TIMEOUT_SECONDS), parts.path.rstrip("/")


def _authorization() -> dict[str, str]:
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key:
        return {}
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise SettingError(KEY_VARIABLE, "expected an API key: printable ASCII characters without spaces")
    return {"authorization": f"Bearer {key}"}


def _shown(server: str) -> str:
    return server.partition("?")[0]


def misused(problem: str) -> CommandError:
    """Return the error of a command whose options contradict each other."""
    return CommandError(MISUSED, "usage", problem)
