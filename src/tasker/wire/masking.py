"""What of a task is shown to those who may not see its secrets."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from msgspec import Raw

from tasker.model.task import Task

MASK: Final = "***"
"""What is shown in place of a secret."""

_MASK: Final = msgspec.json.encode(MASK)
_PASSWORD: Final = re.compile(r"((?:[^/?#:]*://)?[^/?#:]*:)[^/?#]*(?=@)")
_CALLBACKS: Final = ("on_success", "on_failure", "on_cancel")
_decode_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode


def masked(task: Task) -> Task:
    """Return *task* without its ``secret``, the values of the headers it sends and the passwords in its URLs.

    Those of its callbacks are left out, too.
    """
    if b'"secret":' not in task.payload:
        return listed(task)
    return msgspec.structs.replace(task, payload=masked_members(task.payload))


def listed(task: Task) -> Task:
    """Return *task* as ``masked`` does, but with its ``secret``: as lists show it to those who may see secrets."""
    if b'"headers":' not in task.payload and b"@" not in task.payload:  # nearly always
        return task
    return msgspec.structs.replace(task, payload=masked_members(task.payload, but_secret=True))


def masked_members(payload: bytes, *, but_secret: bool = False) -> bytes:
    """Return *payload*, which is a JSON object, without the same."""
    members = _masked(_decode_members(payload))
    for name in _CALLBACKS:
        callback = members.get(name)
        if callback is not None:
            members[name] = _masked_callback(callback)
    if "secret" in members and not but_secret:
        members["secret"] = Raw(msgspec.json.encode(MASK))
    return msgspec.json.encode(members)


def mask_in(members: Mapping[str, Raw]) -> str | None:
    """Return where *members*, those of a task in a request, say ``***`` in place of a secret; None: nowhere."""
    secret = members.get("secret")
    if secret is not None and bytes(secret) == _MASK:
        return "secret"
    for place, each in (("", members), *_callbacks(members)):
        headers = each.get("headers")
        if headers is not None and _begins(headers, b"{"):
            for name, value in _decode_members(headers).items():
                if bytes(value) == _MASK:
                    return f"{place}headers.{name}"
    return None


def masked_url(url: str) -> str:
    """Return *url*, whatever it is, with ``***`` in place of the password, and otherwise as it is.

    >>> masked_url("https://me:secret@example.org/x")
    'https://me:***@example.org/x'
    """
    found = _PASSWORD.match(url)
    return url if found is None else f"{found[1]}{MASK}{url[found.end() :]}"


def has_masked_password(url: str) -> bool:
    """Return whether the password in *url* is what ``masked_url`` puts in its place.

    >>> has_masked_password("https://me:***@example.org/x")
    True
    """
    found = _PASSWORD.match(url)
    return found is not None and found[0] == f"{found[1]}{MASK}"


def _callbacks(members: Mapping[str, Raw]) -> Iterable[tuple[str, Mapping[str, Raw]]]:
    for name in _CALLBACKS:
        callback = members.get(name)
        if callback is not None and _begins(callback, b"{"):
            yield f"{name}.", _decode_members(callback)


def _masked_callback(callback: Raw) -> Raw:
    if _begins(callback, b"{"):
        return Raw(msgspec.json.encode(_masked(_decode_members(callback))))
    return _masked_member(callback)


def _masked(members: dict[str, Raw]) -> dict[str, Raw]:
    """Mask the members ``headers`` and ``url``. Task types of packages may mean something else by these names."""
    headers, url = members.get("headers"), members.get("url")
    if headers is not None and _begins(headers, b"{"):
        members["headers"] = Raw(msgspec.json.encode(dict.fromkeys(_decode_members(headers), MASK)))
    if url is not None:
        members["url"] = _masked_member(url)
    return members


def _masked_member(url: Raw) -> Raw:
    if not _begins(url, b'"'):
        return url
    return Raw(msgspec.json.encode(masked_url(msgspec.json.decode(url, type=str))))


def _begins(value: Raw, sign: bytes) -> bool:
    return bytes(value).startswith(sign)
