"""What the head of a request says, beyond what the parser knows."""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote

from starlette.types import Scope

from tasker.api.receiving import refusals
from tasker.api.receiving.refusals import RefusedError

Headers = Sequence[tuple[bytes, bytes]]

SINGLE: Final = (b"host", b"authorization", b"content-type", b"origin", b"sec-fetch-site", b"expect")
"""Headers that decide something here and are no lists. Sent twice, a proxy may heed one of them and
we the other."""

_ABSOLUTE: Final = re.compile(rb"https?://([^/?#@]+)(/[^?#]*)?(?:\?([^#]*))?", re.IGNORECASE)
_ASGI: Final = {"version": "3.0", "spec_version": "2.3"}


def scope_of(method: str, target: bytes, version: str, headers: Headers) -> Scope:
    """Return the ASGI scope of a request, without extensions. The names of *headers* are in lower case.

    A *target* that names a host decides over the header ``Host``. Sources: RFC 9112, 2.3, 3.2 and
    6.1; RFC 9110, 5.3.

    Raises:
        RefusedError: the request is ambiguous, or not meant for a server like this one.
    """
    if version not in ("1.1", "1.0"):
        raise RefusedError(refusals.UNKNOWN_VERSION)
    if method == "CONNECT":
        raise RefusedError(refusals.bad_request("expected another method than CONNECT: this server is no proxy"))
    fields = dict(headers)
    if len(fields) != len(headers):
        _check_single(headers)
    if b"transfer-encoding" in fields:
        _check_codings(version, headers)
    if not target.startswith(b"/") and target != b"*":
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is None:
            raise RefusedError(refusals.BAD_TARGET)
        host, path, query = absolute.groups(b"")
        if b"host" in fields or version == "1.0":  # HTTP/1.1 asks for one in any case
            headers = [(b"host", host), *((name, value) for name, value in headers if name != b"host")]
    elif b"#" in target:
        raise RefusedError(refusals.BAD_TARGET)
    else:
        path, _, query = target.partition(b"?")
    text = path.decode("ascii") or "/"
    return {
        "type": "http",
        "asgi": _ASGI,
        "http_version": version,
        "method": method,
        "scheme": "http",
        "path": unquote(text) if "%" in text else text,
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": headers,
    }


def _check_single(headers: Headers) -> None:
    names = [name for name, _ in headers]
    for name in SINGLE:
        if names.count(name) > 1:
            shown = name.decode().title()
            raise RefusedError(
                refusals.bad_request(f"expected the header {shown} at most once, got it {names.count(name)} times")
            )


def _check_codings(version: str, headers: Headers) -> None:
    listed = b",".join(value for name, value in headers if name == b"transfer-encoding").lower().split(b",")
    codings = [coding.strip() for coding in listed if coding.strip()]
    if version == "1.0":
        raise RefusedError(refusals.bad_request("expected no Transfer-Encoding in HTTP/1.0, which has none"))
    if codings[-1:] != [b"chunked"]:
        raise RefusedError(refusals.BAD_CODING)
    if len(codings) > 1:
        raise RefusedError(refusals.UNKNOWN_CODING)
