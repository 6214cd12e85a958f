"""The request of a webhook as commands that can be pasted. What is masked is a variable of the environment. Pure."""

import re
import shlex
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tasker.model.task import Task
from tasker.wire.masking import MASK

_NO_NAME: Final = re.compile(r"[^A-Z0-9]+")


class Snippets(msgspec.Struct, frozen=True):
    """The same request, said twice."""

    curl: str
    python: str


def snippets_of(task: Task) -> Snippets | None:
    """Return the request of *task*, which is masked; None: it sends none."""
    members: dict[str, Any] = msgspec.json.decode(task.payload)
    url = members.get("url")
    if task.type != "webhook" or not isinstance(url, str):
        return None
    headers = dict(members.get("headers") or {})
    body: str | None = None
    if "json" in members:
        headers.setdefault("content-type", "application/json")
        body = msgspec.json.encode(members["json"]).decode()
    elif isinstance(members.get("body"), str):
        body = members["body"]
    method = str(members.get("method") or "POST")
    return Snippets(_curl(method, url, headers, body), _python(method, url, headers, body))


def variable(name: str) -> str:
    """Return the variable that stands for a masked value.

    >>> variable("x-api-key")
    'X_API_KEY'
    """
    return _NO_NAME.sub("_", name.upper()).strip("_") or "SECRET"


def _curl(method: str, url: str, headers: Mapping[str, str], body: str | None) -> str:
    parts = [f"curl -X {shlex.quote(method)} {_quoted(url, 'PASSWORD')}"]
    parts += [f"-H {_quoted(f'{name}: {value}', variable(name))}" for name, value in headers.items()]
    if body is not None:
        parts.append(f"--data-raw {shlex.quote(body)}")
    return " \\\n  ".join(parts)


def _quoted(text: str, name: str) -> str:
    """Return *text* for a shell; what is masked is a variable."""
    return f'"${name}"'.join(shlex.quote(part) if part else "" for part in text.split(MASK))


def _python(method: str, url: str, headers: Mapping[str, str], body: str | None) -> str:
    said = {name: _text(value, variable(name)) for name, value in headers.items()}
    lines = ["import os", "from urllib.request import Request, urlopen", ""]
    if MASK not in url and not any(MASK in value for value in headers.values()):
        del lines[0]
    lines += ["request = Request(", f"    {_text(url, 'PASSWORD')},"]
    if body is not None:
        lines.append(f"    data={body!r}.encode(),")
    if said:
        lines += ["    headers={", *(f"        {name!r}: {value}," for name, value in said.items()), "    },"]
    lines += [
        f"    method={method!r},",
        ")",
        "with urlopen(request) as answer:",
        "    print(answer.status, answer.read())",
    ]
    return "\n".join(lines)


def _text(value: str, name: str) -> str:
    """Return *value* as Python says it; what is masked comes from the environment."""
    if MASK not in value:
        return repr(value)
    parts = [repr(part) if part else "" for part in value.split(MASK)]
    return f" + os.environ[{name!r}] + ".join(parts).strip(" +")
