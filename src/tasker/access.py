"""Who may call. Every door asks here once it knows which call is made, and before the service is."""

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, Final, NamedTuple

from tasker import urls
from tasker.callers import ANYBODY, OWNER, ROLES_WITH, Caller, Scope
from tasker.config import Settings
from tasker.engine.key_ring import Entry, KeyRing
from tasker.errors import (
    BodyTooLargeError,
    ForbiddenError,
    ScopeMissingError,
    TooManyCallsError,
    UnauthorizedError,
    UnsupportedMediaTypeError,
    cut,
)
from tasker.model import instants
from tasker.model.api_key import digest_of, is_damaged

MERGE_PATCH: Final = "application/merge-patch+json"
"""What the body of a PATCH may be declared as, too. Source: RFC 7396, section 4."""

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_JSON: Final = frozenset({b"application/json"})
_MEDIA_TYPES: Final = {"POST": _JSON, "PUT": _JSON, "PATCH": _JSON | {MERGE_PATCH.encode()}}
"""What a body may be declared as, by the methods that have one. No page may declare any of it to another site."""
_HOST: Final = re.compile(r"(?:\[([^\[\]]+)\]|([^:\[\]]+))(?::\d*)?", re.ASCII)
_ORIGIN: Final = re.compile(r"(https?)://([^/]+)", re.ASCII)
_OPEN: Final = Scope.OPEN
"""Looked up once: a look at a member of an ``Enum`` takes as long as several others."""
_SLACK: Final = 1e-6
"""Seconds: sums of fractions are not exact."""
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


class Taken(NamedTuple):
    """What the body of a call may be where it is not what the others' may be."""

    limit: int
    """Bytes, in place of ``--max-body-bytes``."""
    media_type: str
    """In addition to JSON. No page may declare it to another site without being allowed to."""


class Access:
    """Lets calls in or turns them away, by their headers alone.

    Any web page in the user's browser can reach this machine's loopback, so loopback is no
    protection:

    * While no API key is asked for, ``Host`` must be ``localhost``, an IP address or one of
      ``allowed_hosts``, with any port. A page whose own name was made to point at this machine (DNS
      rebinding) brings that name along.
    * A method that changes something is refused when the browser says that another site's page sent
      it (``Sec-Fetch-Site``, ``Origin``). Callers that are no browsers send neither.
    * A POST, PUT or PATCH must be declared to be JSON, which a page cannot do to another site without
      being allowed to. One that has neither a body nor a declaration passes (``curl -X POST``):
      today's browsers send ``Origin`` with every POST of a page, and that of another site is
      refused by it.

    With keys, every call has to show one. Calls of the scope ``open`` need no key, and any ``Host``
    will do for them: those of load balancers change nothing and tell next to nothing, as does that
    which names the calls, and those of receivers show the token of an attempt.

    Pages of the dashboard are asked for by a browser that has signed in with a key, and what they do
    by forms: see ``visitor`` and ``check_form``.

    Sources: OWASP, Cross-Site Request Forgery Prevention; Go 1.25, net/http.CrossOriginProtection;
    WHATWG Fetch, "append a request Origin header" (for every method but GET and HEAD, ``null``
    included).
    """

    def __init__(self, settings: Settings, ring: KeyRing) -> None:
        self._ring = ring
        self._rate = settings.key_rate
        self._allowed_hosts = frozenset(host.lower() for host in settings.allowed_hosts)
        if settings.public_url is not None:
            self._allowed_hosts |= {urls.parts(settings.public_url).host}
        self._max_body_bytes = settings.max_body_bytes
        self._is_ours = lru_cache(maxsize=256)(self._names_us)

    def check(self, request: Mapping[str, Any], needs: Scope | None, taken: Taken | None = None) -> Caller:
        """Return who makes the HTTP request of an ASGI scope, if it may be served. Its body is not looked at.

        Args:
            request: the ASGI scope.
            needs: what the call needs. None: there is no such call, which is told to everybody who
                may make any.
            taken: what its body may be; None: as all others.

        Raises:
            UnauthorizedError: a key is needed, and there is none, or no valid one.
            TooManyCallsError: the key has made more calls than ``--key-rate`` allows.
            ForbiddenError: the ``Host`` is not ours, or another site's page sent the request.
            ScopeMissingError: the caller lacks the scope.
            UnsupportedMediaTypeError: a POST, PUT or PATCH with a body, or a declaration, that is not
                declared to be JSON.
            BodyTooLargeError: the declared length is beyond the limit. A body without one is
                counted by whoever reads it.
        """
        headers: dict[bytes, bytes] = dict(request["headers"])
        caller = ANYBODY if needs is _OPEN else self._caller(headers, request["http_version"])
        method = request["method"]
        length = headers.get(b"content-length")
        if method not in _SAFE_METHODS:
            if b"sec-fetch-site" in headers or b"origin" in headers:
                _check_origin(headers)
            if method in _MEDIA_TYPES:
                has_body = length not in (None, b"0") or b"transfer-encoding" in headers
                media_type = headers.get(b"content-type")
                if has_body or media_type is not None:
                    _check_media_type(method, media_type or b"", "" if taken is None else taken.media_type)
        # The HTTP parser takes nothing but 64-bit numbers.
        if taken is not None:
            if length is not None and int(length) > taken.limit:
                raise BodyTooLargeError(taken.limit, setting="")
        elif length is not None and int(length) > self._max_body_bytes:
            raise BodyTooLargeError(self._max_body_bytes)
        if needs is not None:
            check_scope(caller, needs)
        return caller

    def check_form(self, request: Mapping[str, Any], form: Taken) -> None:
        """Return if a request that changes something is a form that a page of ours has sent, as far as headers say.

        Forms are what any site's page could send: so a browser has to say that it is one of ours. All
        browsers of today do: by ``Sec-Fetch-Site`` over https and on loopback, by ``Origin`` everywhere.
        The first holds for the address that the browser sees, which a proxy may have rewritten.

        Args:
            form: what a form may be: nothing else is taken.

        Raises:
            ForbiddenError: no browser says that a page of ours has sent it.
            UnsupportedMediaTypeError: it is no form.
            BodyTooLargeError: the declared length is beyond the limit.
        """
        headers: dict[bytes, bytes] = dict(request["headers"])
        site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
        if site is None and origin is None:
            raise ForbiddenError(
                "a form of the dashboard has to come from a browser, which sends Sec-Fetch-Site or Origin; "
                "programs call the API"
            )
        if site != b"same-origin":
            _check_origin(headers)
            if origin is None:
                raise ForbiddenError(
                    "this form was sent by no page of this server; open the page anew and send it there"
                )
        media_type = headers.get(b"content-type", b"")
        if media_type.partition(b";")[0].strip().lower() != form.media_type.encode():
            raise UnsupportedMediaTypeError(cut(media_type.decode("latin-1")), right=form.media_type)
        length = headers.get(b"content-length")
        if length is not None and int(length) > form.limit:
            raise BodyTooLargeError(form.limit, setting="")

    def visitor(self, request: Mapping[str, Any], signed_in: str | None) -> Caller:
        """Return who asks for a page of the dashboard: by a sign-in, or by what a call of the API would show.

        Args:
            signed_in: the id of the key that its browser is signed in with; None: it is not.

        Raises:
            UnauthorizedError: a key is needed, and there is none, or not any more.
            TooManyCallsError: see ``check``.
            ForbiddenError: the ``Host`` is not ours.
        """
        headers: dict[bytes, bytes] = dict(request["headers"])
        if not self._ring.asks or headers.get(b"authorization", b"")[:7].lower() == b"bearer ":
            return self._caller(headers, request["http_version"])
        if signed_in is None:
            raise UnauthorizedError
        entry = self._ring.entry_of(signed_in)
        if entry is None:
            raise UnauthorizedError("was revoked")
        return self._let_in(entry)

    def owner_of(self, key: str) -> Caller:
        """Return whose key this is.

        Raises:
            UnauthorizedError: it is not valid; ``problem`` says why.
            TooManyCallsError: see ``check``.
        """
        return self._shown_key(b"Bearer " + key.encode())

    def _caller(self, headers: Mapping[bytes, bytes], http_version: str) -> Caller:
        if self._ring.asks:
            return self._shown_key(headers.get(b"authorization", b""))
        self._check_host(headers.get(b"host"), http_version)
        return OWNER

    def _shown_key(self, authorization: bytes) -> Caller:
        scheme, _, key = authorization.partition(b" ")
        # How long a look takes tells of the digest of what was sent alone, which nobody can choose.
        entry = self._ring.entries.get(digest_of(key.strip()))
        if entry is None or scheme.lower() != b"bearer":
            raise UnauthorizedError(_what_is_wrong(scheme, key.strip()))
        return self._let_in(entry)

    def _let_in(self, entry: Entry) -> Caller:
        if entry.expires_at is not None and self._ring.has_expired(entry):
            raise UnauthorizedError(f"expired at {instants.text(entry.expires_at)}")
        entry.is_used = True
        if self._rate is not None:
            self._count(entry, self._rate)
        return entry.caller

    def _count(self, entry: Entry, rate: int) -> None:
        """Count a call of a key, or raise ``TooManyCallsError``: those of a second may come at once, not more."""
        now = self._ring.monotonic()
        until = max(entry.calls_until, now) + 1 / rate
        if until > now + 1.0 + _SLACK:
            raise TooManyCallsError(rate)
        entry.calls_until = until

    def _check_host(self, host: bytes | None, http_version: str) -> None:
        if host is None:
            if http_version == "1.0":  # which knew no Host; no browser speaks it
                return
            raise ForbiddenError("expected the header Host, got none")
        if not self._is_ours(host):
            raise ForbiddenError(
                f"expected the header Host to be localhost, an IP address or an allowed name, got: {_shown(host)}; "
                "to allow a name, start the server with --allowed-host"
            )

    def _names_us(self, host: bytes) -> bool:
        match = _HOST.fullmatch(host.decode("latin-1").lower())
        if match is None:
            return False
        bracketed, name = match.groups()
        if name is not None and (name == "localhost" or name in self._allowed_hosts):
            return True
        try:
            return ip_address(bracketed or name).version == (6 if bracketed else 4)
        except ValueError:
            return False


def check_scope(caller: Caller, needs: Scope) -> None:
    """Return if a caller has a scope.

    Raises:
        ScopeMissingError: it does not.
    """
    if needs not in caller.scopes:
        raise ScopeMissingError(caller.name, needs.value, [role.value for role in ROLES_WITH[needs]])


def _what_is_wrong(scheme: bytes, key: bytes) -> str:
    """Return what is wrong with a key that is none of ours; empty: there is none. It shows nothing of it."""
    if scheme.lower() != b"bearer" or not key:
        return ""
    if is_damaged(key.decode("latin-1")):
        return "is mistyped or cut short"
    return "is not valid: it is none of this server, or was revoked"


def _check_origin(headers: Mapping[bytes, bytes]) -> None:
    site = headers.get(b"sec-fetch-site", b"none")
    origin = headers.get(b"origin")
    if site in (b"none", b"same-origin") and (origin is None or _same_host(origin, headers.get(b"host", b""))):
        return
    raise ForbiddenError(
        f"a page of another web site may not change anything here (Origin: {_shown(origin or b'none')}, "
        f"Sec-Fetch-Site: {_shown(site)}); callers that are no browsers leave these headers out"
    )


def _same_host(origin: bytes, host: bytes) -> bool:
    """Return whether *origin* is a page of *host*. Its scheme may be https: a proxy in front of us may speak TLS."""
    match = _ORIGIN.fullmatch(origin.decode("latin-1").lower())
    if match is None:  # such as "null", the origin of sandboxed pages and of files
        return False
    port = _DEFAULT_PORTS[match[1]]
    return match[2].removesuffix(port) == host.decode("latin-1").lower().removesuffix(port)


def _check_media_type(method: str, media_type: bytes, taken: str) -> None:
    allowed = _MEDIA_TYPES[method]
    if media_type in allowed:  # nearly always
        return
    essence = media_type.partition(b";")[0].strip().lower()
    if essence not in allowed and (not taken or essence != taken.encode()):
        also = MERGE_PATCH if method == "PATCH" else taken
        raise UnsupportedMediaTypeError(cut(media_type.decode("latin-1")), also=also)


def _shown(value: bytes) -> str:
    return repr(cut(value.decode("latin-1")))
