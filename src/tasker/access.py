"""Who may call. Every door asks here before it reads a request."""

import hashlib
import hmac
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final

from tasker.config import Settings
from tasker.errors import BodyTooLargeError, ForbiddenError, UnauthorizedError, UnsupportedMediaTypeError

OPEN_PATHS: Final = frozenset({"/healthz", "/readyz"})
"""What load balancers ask, which have no key."""

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_READ: Final = frozenset({b"host", b"authorization", b"origin", b"sec-fetch-site", b"content-type", b"content-length"})


class Access:
    """The rules of one server.

    With API keys, every call must show one. Without, the server is for this machine's user, and what has to be kept out is the
    pages of other web sites in that user's browser: they cannot send an unusual ``Host``, a JSON body or the marks of a
    same-origin request. Sources: OWASP's Cross-Site Request Forgery Prevention Cheat Sheet; Fetch Metadata Request Headers.
    """

    def __init__(self, settings: Settings) -> None:
        self._keys = [_digest(key.encode()) for key in settings.api_keys]
        self._hosts = {"localhost", *settings.allowed_hosts}
        self._known_hosts: set[bytes] = set()
        self._max_body_bytes = settings.max_body_bytes

    def check(self, scope: Mapping[str, Any]) -> None:
        """Let the call of an ASGI *scope* pass.

        Raises:
            UnauthorizedError: a key is needed, and there is none, or a wrong one.
            ForbiddenError: it comes from another web site, or under a host name that is not allowed.
            UnsupportedMediaTypeError: a POST that is not declared to be JSON.
            BodyTooLargeError: its body is declared to be too long.
        """
        headers: dict[bytes, bytes] = {name: value for name, value in scope["headers"] if name in _READ}
        if self._keys:
            if scope["path"] not in OPEN_PATHS:
                self._check_key(headers.get(b"authorization", b""))
        else:
            self._check_host(headers.get(b"host"))
        method = scope["method"]
        if method not in _SAFE_METHODS:
            _check_origin(headers)
        if method == "POST":
            kind = headers.get(b"content-type", b"")
            if kind != b"application/json" and kind.partition(b";")[0].strip().lower() != b"application/json":
                raise UnsupportedMediaTypeError(kind.decode("latin-1")[:60])
        length = headers.get(b"content-length")
        if length is not None and length.isdigit() and int(length[:20]) > self._max_body_bytes:
            raise BodyTooLargeError(self._max_body_bytes)

    def _check_key(self, authorization: bytes) -> None:
        scheme, _, key = authorization.partition(b" ")
        digest = _digest(key.strip())
        # Every key is compared, each in constant time: how long it takes says nothing about them.
        matches = [hmac.compare_digest(digest, known) for known in self._keys]
        if scheme.lower() != b"bearer" or not any(matches):
            raise UnauthorizedError

    def _check_host(self, host: bytes | None) -> None:
        """Refuse names that somebody else may own: such a name can be made to point here (DNS rebinding)."""
        if host is None or host in self._known_hosts:  # no browser leaves it out
            return
        name = _without_port(host.decode("latin-1").lower())
        if name not in self._hosts and not _is_ip(name):
            raise ForbiddenError(
                f"the host name {name[:60]!r} is not allowed: call localhost or an IP address, "
                "or start the server with --allowed-host"
            )
        if len(self._known_hosts) < 100:
            self._known_hosts.add(host)


def _check_origin(headers: Mapping[bytes, bytes]) -> None:
    if headers.get(b"sec-fetch-site") in (b"cross-site", b"same-site"):
        raise ForbiddenError("a page of another web site may not do this: call from a program, or from this server's own pages")
    origin = headers.get(b"origin")
    if origin is not None and origin.partition(b"://")[2].lower() != headers.get(b"host", b"").lower():
        raise ForbiddenError("the header Origin names another web site: call from a program, or from this server's own pages")


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()


def _without_port(host: str) -> str:
    """The name or address in a Host header; of an IPv6 address without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_ip(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
