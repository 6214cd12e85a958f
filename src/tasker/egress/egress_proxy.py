"""The proxy that calls go through if the operator names one.

It makes a tunnel to each target (RFC 9110, section 9.3.6).
"""

import asyncio
import base64
import re
import socket
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import unquote_to_bytes

from tasker.egress.address_policy import is_host_name
from tasker.egress.http_client import DeliveryError

HEAD_LIMIT: Final = 16 * 1024
"""Bytes that the head of a proxy's answer may have."""

CONNECT_SECONDS: Final = 10.0
"""How long a connection to a proxy may take to make: less than an attempt, so that it is not the
target that is blamed."""

_URL: Final = re.compile(
    r"http://(?:([^\s@/?#]+)@)?(\[[0-9a-f:.]+\]|[^][@:/?#\s]+):([0-9]{1,5})/?", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True)
class EgressProxy:
    """A proxy that speaks HTTP/1.1 in clear text, and what it wants to be told before it does anything."""

    host: str
    """A name, or an address without brackets."""
    port: int
    credentials: bytes | None = field(default=None, repr=False)
    """User and password for Basic authentication, with a colon between; None: none."""

    def __str__(self) -> str:
        """Say where it is, without credentials."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_proxy(url: str) -> EgressProxy:
    """Return the proxy that *url* names: ``http://HOST:PORT``.

    Before the host may stand ``USER:PASSWORD@``, percent-encoded.

    >>> print(read_proxy("http://me:p%40ss@proxy.internal:4750"))
    proxy.internal:4750

    Raises:
        ValueError: it is no such URL. The message does not show it, since it may hold a password.
    """
    match = _URL.fullmatch(url)
    if match is None or not 1 <= int(match[3]) <= 65_535:
        raise ValueError("not a URL of a proxy")
    host = match[2].strip("[]").lower()
    if not is_host_name(host):
        try:
            host = str(IPv6Address(host) if match[2].startswith("[") else ip_address(host))
        except ValueError:
            raise ValueError("not a URL of a proxy") from None
    user, _, password = (match[1] or "").partition(":")
    credentials = b"%b:%b" % (unquote_to_bytes(user), unquote_to_bytes(password))
    return EgressProxy(host, int(match[3]), credentials if match[1] else None)


async def open_tunnel(connected: socket.socket, proxy: EgressProxy, host: str, port: int) -> None:
    """Ask *proxy*, which *connected* leads to, for a tunnel to *host*, a name or an address.

    From then on it leads there.

    Raises:
        DeliveryError: there is none: ``proxy_refused``, ``proxy_failed``, or ``connect_failed`` if
            the proxy cannot reach the target (502, 504). None of them is permanent: what is set
            wrong at a proxy must not end what waits here.
    """
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    request = f"CONNECT {place} HTTP/1.1\r\nhost: {place}\r\n".encode("ascii")
    if proxy.credentials is not None:
        request += b"proxy-authorization: Basic %b\r\n" % base64.b64encode(proxy.credentials)
    try:
        head, end, more = (await _ask(connected, request + b"\r\n")).partition(b"\r\n\r\n")
    except (OSError, RuntimeError):
        raise _proxy_failed("the egress proxy closed the connection") from None
    status = re.match(rb"HTTP/1\.[01] ([2-5][0-9][0-9])(?= |\r|$)", head)
    if status is None or not end:
        raise _proxy_failed("the egress proxy did not answer as a proxy does")
    if status[1] in (b"502", b"504"):
        raise DeliveryError(
            "connect_failed", f"the egress proxy cannot reach the target: it answered {status[1].decode()}"
        )
    if not status[1].startswith(b"2"):
        raise DeliveryError(
            "proxy_refused",
            f"the egress proxy answered {status[1].decode()}; what it allows is set there",
            is_targets_fault=False,
        )
    if more:
        raise _proxy_failed("the egress proxy said more than that there is a tunnel")


async def _ask(connected: socket.socket, request: bytes) -> bytes:
    """Return the head of the answer, and what came with it; less if it is too long, or ends before."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connected, request)
    head = b""
    while b"\r\n\r\n" not in head and len(head) <= HEAD_LIMIT:
        data = await loop.sock_recv(connected, 4_096)
        if not data:
            break
        head += data
    return head


def unreachable() -> DeliveryError:
    """Return the error of a proxy that there is no connection to."""
    return _proxy_failed("no connection to the egress proxy can be made")


def _proxy_failed(msg: str) -> DeliveryError:
    return DeliveryError("proxy_failed", msg, is_targets_fault=False)
