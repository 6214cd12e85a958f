"""Requests with the header ``Idempotency-Key``: what they are known by, and the answers that are kept of them."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.responses import Response

from tasker.errors import InvalidRequestError
from tasker.wire.tracing import HEADER as TRACEPARENT

HEADER: Final = "Idempotency-Key"

PARAMETER: Final[Mapping[str, Any]] = {
    "name": HEADER,
    "in": "header",
    "description": "Names this request, so that it can be sent again: it makes something once, "
    "and every later answer is the first one.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 257},
}

REPLAYED: Final[Mapping[str, Any]] = {
    "description": "true: this is the answer to an earlier request with the same Idempotency-Key.",
    "schema": {"type": "string", "enum": ["true"]},
}

_LOOKED_FOR: Final = frozenset({HEADER.lower().encode(), TRACEPARENT})
_BARE: Final = re.compile(rb"[!#-~](?:[ -~]*[!-~])?")
_QUOTED: Final = re.compile(rb'"((?:[ !#-\[\]-~]|\\["\\])+)"')
_ESCAPED: Final = re.compile(rb'\\(["\\])')
_LONGEST: Final = 255


class Repeated(Struct, frozen=True):
    """A request with an idempotency key."""

    id: bytes
    """32 bytes that stand for the key and for whose it is: the key itself is not kept."""
    fingerprint: bytes
    """SHA-256 of method, path, query and body."""


class MadeAnswer(Struct, frozen=True, array_like=True):
    """The answer of a call that makes something, as it is kept."""

    status: int
    body: bytes
    """JSON, with a line end."""
    location: str = ""
    """The path of what was made; empty: it has none."""

    def response(self, *, replayed: bool = False) -> Response:
        """Return the answer as it is sent."""
        headers = {"content-type": "application/json"}
        if self.location:
            headers["location"] = self.location
        if replayed:
            headers["idempotency-replayed"] = "true"
        return Response(self.body, self.status, headers=headers)


answer_bytes: Final = msgspec.msgpack.Encoder().encode
"""An answer as it is stored."""

answer_of: Final = msgspec.msgpack.Decoder(MadeAnswer).decode
"""The answer that is stored as these bytes."""


def key_in(headers: Iterable[tuple[bytes, bytes]], *, is_repeatable: bool) -> tuple[bytes | None, bool]:
    """Return the idempotency key of a request, without its quotes, and whether it has a ``traceparent``.

    Both are seen in one walk: every create makes it. None: it has no key.

    Args:
        is_repeatable: whether the call recognises one. If it were ignored, it would be taken for a
            promise.

    Raises:
        InvalidRequestError: the call does not recognise one, there are several, or it is no key.
    """
    key, is_traced = None, False
    for name, value in headers:
        if name in _LOOKED_FOR:
            if name == TRACEPARENT:
                is_traced = True
                continue
            if not is_repeatable:
                raise InvalidRequestError(HEADER, "expected no such header: this call does not recognise one")
            if key is not None:
                raise InvalidRequestError(HEADER, "expected one, got several")
            key = _key(value)
    return key, is_traced


def repeated(key: bytes, identity: bytes, request: Mapping[str, Any], body: bytes) -> Repeated:
    """Return what a request with an idempotency key is known by.

    Args:
        key: as ``key_in`` returns it.
        identity: whose it is: two callers with the same key do not meet.
        request: the ASGI scope.
    """
    line = f"{request['method']} {request['path']}?".encode() + request["query_string"]
    return Repeated(
        hashlib.sha256(identity + b"\0" + key).digest(),
        hashlib.sha256(line + b"\n" + body).digest(),
    )


def _key(value: bytes) -> bytes:
    value = value.strip()
    quoted = _QUOTED.fullmatch(value)
    if quoted is not None:
        value = _ESCAPED.sub(rb"\1", quoted[1])
    elif _BARE.fullmatch(value) is None:
        value = b""
    if not 1 <= len(value) <= _LONGEST:
        raise InvalidRequestError(
            HEADER, f"expected 1 to {_LONGEST} visible characters of ASCII, in quotes or bare, got something else"
        )
    return value
