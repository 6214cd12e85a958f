"""Makes connections to targets, and to nowhere else: every address is checked here, after the name was resolved.

A name is resolved once for each connection, all its addresses are checked, and one of those that were checked is connected to.
In whatever spelling a target names an address, it has become the address itself here.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, NamedTuple, TypeAlias

from aiohappyeyeballs import start_connection

from tasker.egress import address_policy
from tasker.egress.connection import Connection
from tasker.egress.http_client import DeliveryError

LOOKUPS_AT_ONCE: Final = 64
"""Names that are looked up at once, each on a thread: so many dead name servers do not hold up the others."""

_NEXT_ADDRESS_AFTER: Final = 0.25
"""Seconds after which the next address of a name is tried beside the ones before. Source: RFC 8305, section 5."""

AddressInfo: TypeAlias = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]
"""As ``getaddrinfo`` gives it."""


def look_up(host: str, port: int, *, flags: int = 0) -> Sequence[AddressInfo]:
    """Return the addresses of *host*, in the order in which they are to be tried.

    Raises:
        OSError, UnicodeError: it has none, or nobody can say.
    """
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)


class Origin(NamedTuple):
    """What a connection is made to."""

    host: str
    """A name in ASCII, or an address without brackets."""
    port: int
    is_secure: bool


class Connector:
    """Makes connections. Needs a running event loop."""

    def __init__(self, lookup: Callable[[str, int], Sequence[AddressInfo]] = look_up) -> None:
        """Make a connector.

        Args:
            lookup: finds the addresses of a name, as ``look_up`` does.
        """
        self._loop = asyncio.get_running_loop()
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(LOOKUPS_AT_ONCE, thread_name_prefix="tasker-dns")
        self._tls = ssl.create_default_context()

    async def connect(self, origin: Origin) -> Connection:
        """Return a new connection to *origin*, with TLS if it is secure: the certificate must be valid for its host.

        Raises:
            DeliveryError: there is none: ``dns_failed``, ``egress_denied`` (permanent), ``connect_refused``,
                ``connect_timeout``, ``connect_failed``, ``tls_failed``.
        """
        addresses = _allowed(await self._resolve(origin))
        try:
            connected = await start_connection(addresses, happy_eyeballs_delay=_NEXT_ADDRESS_AFTER, loop=self._loop)
        except ConnectionRefusedError:
            raise DeliveryError("connect_refused", "the target refuses connections") from None
        except TimeoutError as error:
            if error.errno is None:
                raise  # ours: the caller's patience has ended
            raise DeliveryError("connect_timeout", "the target does not answer at its address") from None
        except (OSError, RuntimeError):
            raise DeliveryError("connect_failed", "no connection to the target can be made") from None
        try:
            _, connection = await self._loop.create_connection(
                lambda: Connection(connected, is_secure=origin.is_secure),
                sock=connected,
                ssl=self._tls if origin.is_secure else None,
                server_hostname=origin.host if origin.is_secure else None,
            )
        except ssl.SSLError:
            raise DeliveryError("tls_failed", "the target's certificate or TLS is not acceptable") from None
        except (OSError, RuntimeError) as error:
            if isinstance(error, TimeoutError) and error.errno is None:
                raise
            raise DeliveryError("tls_failed", "the target closed the connection before it was secure") from None
        return connection

    def close(self) -> None:
        """Let go of the threads. Does not wait for one that hangs."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _resolve(self, origin: Origin) -> Sequence[AddressInfo]:
        with suppress(OSError, UnicodeError):
            return look_up(origin.host, origin.port, flags=socket.AI_NUMERICHOST)  # asks nobody
        try:
            return await self._loop.run_in_executor(self._threads, self._lookup, origin.host, origin.port)
        except OSError:
            raise DeliveryError("dns_failed", "the target's host name cannot be resolved") from None
        except UnicodeError:
            raise DeliveryError("invalid_url", "the target's host is no name", permanent=True) from None


def _allowed(found: Sequence[AddressInfo]) -> Sequence[AddressInfo]:
    """Return the addresses that may be called.

    Raises:
        DeliveryError: there is none (``egress_denied``).
    """
    rules = [address_policy.refusal(place[0]) for *_, place in found]
    allowed = [info for info, rule in zip(found, rules, strict=True) if rule is None]
    if not allowed:
        rule = next((rule for rule in rules if rule is not None), "nowhere")
        raise DeliveryError("egress_denied", f"the target is {rule}, which is never called", permanent=True)
    return allowed
