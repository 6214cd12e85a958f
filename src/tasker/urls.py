"""URLs of targets: what may be one, and what each of its parts becomes on the way out.

A URL goes out as it was written. What is not ASCII is encoded, since nothing else can be sent: by
UTF-8 and percent signs in path and query, by IDNA in the host. Dot segments and percent-escapes are
left alone, or a signature over the URL would break. A fragment is not sent.

What each side gets of a host:

==================  ==================  ==================  ==================  ==================
URL                 destination, pool   lookup or socket    ``Host``            TLS name
==================  ==================  ==================  ==================  ==================
Example.org         example.org         example.org         Example.org         example.org
example.org.        example.org         example.org.        example.org.        example.org
bücher.example      xn--bcher-kva...    xn--bcher-kva...    xn--bcher-kva...    xn--bcher-kva...
127.1               127.0.0.1           127.0.0.1           127.1               none: 127.0.0.1
[0:0::1]            [::1]               ::1                 [0:0::1]            none: ::1
[fe80::1%25eth0]    [fe80::1%eth0]      fe80::1%eth0        [fe80::1]           none: fe80::1
==================  ==================  ==================  ==================  ==================

No TLS name means that the certificate has to be for the address. A port is in ``Host`` unless it is
that of the scheme.

Sources: RFC 3986 (URLs), RFC 6874 (zones), RFC 9110 section 7.2 (``Host``), RFC 6066 section 3 (the
name within TLS: no address, no final dot), https://url.spec.whatwg.org/#ends-in-a-number-checker.
"""

import codecs
import re
import socket
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

import idna
import idna.uts46data  # idna itself would load it at the first name that is not ASCII

from tasker.errors import cut

# What cannot be loaded because no file can be opened, Python takes to be missing for ever: so it is
# loaded now. The system's lookups need the first, which needs the second at the first name that
# begins with xn--.
codecs.lookup("idna")
codecs.lookup("punycode")

_LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PORT: Final = "(?:[1-9][0-9]{0,3}|[1-5][0-9]{4})"
_ORDINARY: Final = re.compile(
    rf"https?://(?=[^/]{{1,253}}$)(?:(?:{_LABEL}\.)*(?![0-9]){_LABEL}|(?:{_OCTET}\.){{3}}{_OCTET})(?::{_PORT})?",
    re.ASCII,
)
_ORDINARY_PATH: Final = re.compile(r"/[!-\[\]-~]*")
"""What most URLs look like, up to their path and from there on: nothing in them can be wrong."""
_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f\\\u0080-\u00a0\u2028\u2029\ud800-\udfff]")
_SCHEME: Final = re.compile(r"([^/?#]*?)://")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*", re.ASCII)
_AUTHORITY: Final = re.compile(
    r"""(?: (?P<userinfo> [^/?#]* ) @ )?
        (?: \[ (?P<bracketed> [^][/?#@]* ) \] | (?P<host> [^][/?#@:]* ) )
        (?: : (?P<port> [0-9]* ) )?
        (?= [/?#] | $ )""",
    re.VERBOSE | re.DOTALL,
)
_NAME: Final = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.ASCII)
_ENDS_IN_A_NUMBER: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.ASCII)
"""A host that is an address or nothing."""
_DOT: Final = re.compile("[.\u3002\uff0e\uff61]")
"""What separates labels. Source: RFC 3490, section 3.1."""
_ZONE: Final = re.compile(r"[A-Za-z0-9._~-]+", re.ASCII)
_UNSENDABLE: Final = re.compile(rb"[^!-~]")
_NO_HOSTS: Final = frozenset({"null", "undefined", "none", "nil", "nan", "true", "false"})
"""What programs write where a value was missing."""
_PORTS: Final = {"http": 80, "https": 443}
_USUAL_LENGTH: Final = 1_000
"""Characters of a URL up to which what it says is remembered."""


class Parts(NamedTuple):
    """What a URL says."""

    scheme: str
    """``http`` or ``https``."""
    host: str
    """A name in ASCII and lower case without a final dot, or an address in its usual spelling, with
    its zone."""
    is_absolute: bool
    """Whether the name was written with a final dot: then no search domain is tried."""
    port: int
    host_header: str
    """The value of ``Host``."""
    target: str
    """Path and query as they go out, in ASCII; ``/`` at least."""
    credentials: bytes | None
    """User and password, decoded, with a colon between; None: there are none."""


def checked(url: str) -> str:
    """Return *url* with a scheme.

    ``http://`` is put before a URL that has none. Since a mistake would be taken for one as well,
    such a URL has to be ``HOST[:PORT][/PATH][?QUERY]`` with a host name, an IPv4 address of four
    numbers or an IPv6 address in brackets. A name without a dot needs a port, path or query then,
    unless it is ``localhost``. Words that programs write for a missing value (``null``,
    ``undefined``, ``None`` and their like) are no hosts, nor is ``http``. No user and password may
    stand there.

    Raises:
        ValueError: it cannot be a target. The message says what would be right, without userinfo
            and query string.

    >>> checked("localhost:9000/x")
    'http://localhost:9000/x'
    """
    end = url.find("/", len("https://"))
    place = url if end < 0 else url[:end]
    if len(place) <= _USUAL_LENGTH and _is_ordinary(place) and (end < 0 or _ORDINARY_PATH.fullmatch(url, end)):
        return url
    if _FORBIDDEN.search(url):
        raise ValueError("expected a URL without blanks, control characters and backslashes; percent-encode them")
    has_scheme = _SCHEME.match(url) is not None
    if not has_scheme:
        url = f"http://{url}"
    written = _authority(url)
    if not has_scheme:
        _check_bare(written, url[written.end() :])
    if written["port"] == "":
        raise ValueError("expected a port from 1 to 65535 after the colon, or no colon")
    parts(url)
    return url


def with_scheme(url: str) -> str:
    """Return *url*, whatever it is, with ``http://`` before it if it has no scheme."""
    return url if _SCHEME.match(url) else f"http://{url}"


def parts(url: str) -> Parts:
    """Return what *url*, which has a scheme, says.

    Raises:
        ValueError: it cannot be called. The message says what would be right, without userinfo and
            query string.

    >>> parts("http://Example.org./ü/../d?x=%27#top").target
    '/%C3%BC/../d?x=%27'
    """
    return _parts_once(url) if len(url) <= _USUAL_LENGTH else _parts(url)


def origin(url: str) -> str:
    """Return scheme, host and port of *url*: where it goes, without userinfo. All spellings of a host have the same.

    Nothing is raised for a URL that is not a ``checked`` one: what stands there in place of the
    host is returned.

    >>> origin("https://me:secret@Example.org./x?y=1")
    'https://example.org:443'
    """
    # Most tasks have a path of their own, but go where others do.
    end = url.find("/", len("https://")) if url.startswith(("http://", "https://")) else -1
    place = url if end < 0 else url[:end]
    return _origin_once(place) if len(place) <= _USUAL_LENGTH else _origin(place)


def _origin(url: str) -> str:
    try:
        scheme, host, _, port, *_ = parts(url)
    except ValueError:
        scheme, _, rest = with_scheme(url).partition("://")
        place = re.split("[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
        return f"{scheme.lower()}://{place.lower()}"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


_origin_once = lru_cache(maxsize=1024)(_origin)


@lru_cache(maxsize=1024)
def _is_ordinary(place: str) -> bool:
    """Whether *place*, a URL up to its path, is one in which nothing can be wrong. There are few of them."""
    return _ORDINARY.fullmatch(place) is not None


def _parts(url: str) -> Parts:
    written = _authority(url)
    scheme = url[: url.index(":")].lower()
    if written["bracketed"] is not None:
        host, shown, is_absolute = *_read_ipv6(written["bracketed"]), False
    else:
        host, shown, is_absolute = _read_host(written["host"])
    digits = written["port"] or ""
    port = int(digits[:20]) if digits else _PORTS[scheme]
    if not 1 <= port <= 65_535:
        raise ValueError(f"expected a port from 1 to 65535, got: {digits[:20]}")
    return Parts(
        scheme=scheme,
        host=host,
        is_absolute=is_absolute,
        port=port,
        host_header=shown if port == _PORTS[scheme] else f"{shown}:{port}",
        target=_sendable(url[written.end() :]),
        credentials=_credentials(written["userinfo"] or ""),
    )


_parts_once = lru_cache(maxsize=1024)(_parts)


def _authority(url: str) -> re.Match[str]:
    """Return the match of userinfo, host and port in *url*, whose scheme is right."""
    scheme = _SCHEME.match(url)
    if scheme is None or scheme[1].lower() not in _PORTS:
        got = cut(scheme[1]) if scheme is not None and _WORD.fullmatch(scheme[1]) else "another"
        raise ValueError(f"expected a URL with the scheme http or https, got: {got}")
    written = _AUTHORITY.match(url, scheme.end())
    if written is None:
        raise ValueError("expected a URL such as https://example.org/hook, got one that cannot be parsed")
    return written


def _check_bare(written: re.Match[str], rest: str) -> None:
    """Raise ``ValueError`` unless what has no scheme can be meant as a URL."""
    if written["userinfo"] is not None:
        raise ValueError("expected http:// or https:// before a URL with a user, such as https://user@example.org/hook")
    if written["bracketed"] is not None:
        return
    host = written["host"].lower().removesuffix(".")
    if host in _PORTS:
        raise ValueError(f"expected {host}:// before the host, as in {host}://example.org/hook")
    if host in _NO_HOSTS:
        raise ValueError(f"expected a URL such as https://example.org/hook, got: {host}")
    if host and not _DOT.search(host) and host != "localhost" and not written["port"] and not rest:
        raise ValueError("expected a URL such as https://example.org/hook, got a single word")
    if _ENDS_IN_A_NUMBER.fullmatch(host):
        try:
            IPv4Address(host)
        except AddressValueError:
            raise _no_host() from None


def _read_host(written: str) -> tuple[str, str, bool]:
    """Return what a host that is no IPv6 address names, as it is sent, and whether it ends with a dot."""
    shown = written
    if not written.isascii():
        shown = _to_ascii(written)
    name = shown.lower().removesuffix(".")
    is_absolute = shown.endswith(".")
    if _ENDS_IN_A_NUMBER.fullmatch(name):
        try:
            return socket.inet_ntoa(socket.inet_aton(name)), shown, False
        except OSError:
            raise _no_host() from None
    if not _NAME.fullmatch(name):
        raise _no_host()
    return name, shown, is_absolute


def _read_ipv6(written: str) -> tuple[str, str]:
    """Return the address that stands between brackets, with its zone, and as it is sent, without."""
    address, percent, zone = written.partition("%")
    zone = zone[2:] if zone.startswith("25") and len(zone) > 2 else zone
    try:
        packed = IPv6Address(address).packed
    except AddressValueError:
        raise _no_host() from None
    if percent and not _ZONE.fullmatch(zone):
        raise _no_host()
    return socket.inet_ntop(socket.AF_INET6, packed) + (f"%{zone}" if zone else ""), f"[{address}]"


def _to_ascii(name: str) -> str:
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except UnicodeError:
        pass
    try:
        return name.encode("idna").decode("ascii")  # the earlier standard: emoji, for one
    except UnicodeError:
        raise _no_host() from None


def _sendable(rest: str) -> str:
    """Return path and query as they go out: in ASCII, without the fragment."""
    target = rest.partition("#")[0]
    if not target.startswith("/"):
        target = f"/{target}"
    try:
        encoded = target.encode()
    except UnicodeEncodeError:
        raise ValueError("expected a URL of Unicode characters, got half of one") from None
    return _UNSENDABLE.sub(lambda byte: b"%%%02X" % ord(byte[0]), encoded).decode("ascii")


def _credentials(userinfo: str) -> bytes | None:
    user, _, password = userinfo.partition(":")
    return b"%b:%b" % (unquote_to_bytes(user), unquote_to_bytes(password)) if user or password else None


def _no_host() -> ValueError:
    return ValueError("expected a URL with a host name or an address, such as https://example.org/hook")
