"""URLs of targets: what may be one, and what of it names a destination."""

import re
from functools import lru_cache
from typing import Final

from yarl import URL

from tasker.errors import cut

_ORDINARY: Final = re.compile(r"https?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(/[!-\[\]-~]*)?", re.ASCII)
"""What most URLs look like: nothing in them can be wrong."""
_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f\\\u0080-\u00a0\u2028\u2029]")
_PASSWORD: Final = re.compile(r"((?:[^/?#:]*://)?[^/?#:]*:)[^/?#]*(?=@)")
_USUAL_LENGTH: Final = 1_000
"""Characters of a URL up to which what it says is remembered."""


def checked(url: str) -> str:
    """Return *url* with a scheme.

    Raises:
        ValueError: it cannot be a target. The message says what would be right, without userinfo and query string.

    >>> checked("localhost:9000/x")
    'http://localhost:9000/x'
    """
    if "://" not in url:
        url = f"http://{url}"  # localhost:9000/x has no scheme, whatever a parser makes of "localhost:"
    if _ORDINARY.fullmatch(url):
        return url
    if _FORBIDDEN.search(url):
        raise ValueError("expected a URL without blanks, control characters and backslashes; percent-encode them")
    try:
        parsed = URL(url)
        host, port = parsed.raw_host, parsed.explicit_port
    except (ValueError, IndexError):  # the latter is what yarl raises for http://[]@/
        raise ValueError("expected a URL such as https://example.org/hook, got one that cannot be parsed") from None
    if parsed.scheme not in ("http", "https"):
        raise ValueError(f"expected a URL with the scheme http or https, got: {cut(parsed.scheme)}")
    if not host or not host.strip("."):
        raise ValueError("expected a URL with a host, such as https://example.org/hook")
    if port is not None and not 1 <= port <= 65_535:
        raise ValueError(f"expected a port from 1 to 65535, got: {port}")
    return url


def origin(url: str) -> str:
    """Return scheme, host and port of *url*, which is a ``checked`` one: where it goes, without userinfo.

    >>> origin("https://me:secret@Example.org/x?y=1")
    'https://example.org:443'
    """
    return _origin_once(url) if len(url) <= _USUAL_LENGTH else _origin(url)


def masked(url: str) -> str:
    """Return *url*, whatever it is, with ``***`` in place of the password, and otherwise as it is.

    >>> masked("https://me:secret@example.org/x")
    'https://me:***@example.org/x'
    """
    found = _PASSWORD.match(url)
    return url if found is None else f"{found[1]}***{url[found.end() :]}"


def _origin(url: str) -> str:
    parsed = URL(url, encoded=url.isascii())
    host = parsed.raw_host or ""
    place = f"[{host}]" if ":" in host else host.lower()
    return f"{parsed.scheme}://{place}:{parsed.port}"


_origin_once = lru_cache(maxsize=1024)(_origin)
