"""Makes connections to targets, and to nowhere else: every address is checked here, after the name was resolved.

A name is resolved once for each connection, all its addresses are checked, and one of those that
were checked is connected to; then the other end of the connection is checked again. In whatever
spelling a target names an address, it has become the address itself here. A connection that is used
again goes where it was checked to go: what may be called never changes while a server runs.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from typing import Final, NamedTuple

from aiohappyeyeballs import start_connection
from msgspec import Struct

from tasker.egress.address_policy import EgressPolicy, is_host_name
from tasker.egress.connection import Connection
from tasker.egress.egress_proxy import CONNECT_SECONDS, EgressProxy, open_tunnel, unreachable
from tasker.egress.http_client import DeliveryError, OutOfResourcesError
from tasker.egress.lookups import AddressInfo, Lookups, look_up
from tasker.egress.shortage import lack
from tasker.egress.tls import Tls, client_context
from tasker.timing.clock import elapsed, stopwatch
from tasker.timing.patience import Within

_NEXT_ADDRESS_AFTER: Final = 0.25
"""Seconds after which the next address of a name is tried beside the ones before. Source: RFC 8305,
section 5."""


class Origin(NamedTuple):
    """What a connection is made to. A name with a final dot and the same without are one."""

    host: str
    """A name in ASCII and lower case without a final dot, or an address without brackets, with its
    zone."""
    port: int
    is_secure: bool


class Step(Enum):
    """What is under way between the URL and the connection."""

    QUEUE = "queue"
    """It waits here for a name to be looked up."""
    DNS = "dns"
    PROXY = "proxy"
    CONNECT = "connect"


class Durations(Struct):
    """How long the steps to a connection took, or had taken when they failed, in seconds.

    None: it did not come to that.
    """

    dns: float | None = None
    """None for an address, too, and for a name that a proxy looks up."""
    connect: float | None = None
    """TLS included, and the way through a proxy."""
    tls: float | None = None
    """Of ``connect``, what TLS took; None: there is none."""
    step: Step = Step.CONNECT
    """The latest."""

    def too_long(self, within: str) -> DeliveryError:
        """Return the error of an attempt whose time is over before there is a connection.

        Args:
            within: how much time it had: ``within 30 s``.
        """
        match self.step:
            case Step.QUEUE:
                msg = f"too many name servers do not answer: the target's host name was not looked up {within}"
                return DeliveryError("dns_busy", msg, is_targets_fault=False)
            case Step.DNS:
                return DeliveryError("dns_failed", f"no name server has answered for the target's host name {within}")
            case Step.PROXY:
                return unreachable()
            case Step.CONNECT:
                return DeliveryError("connect_timeout", f"no connection to the target {within}")


class Connector:
    """Makes connections. Needs a running event loop."""

    def __init__(
        self,
        lookup: Callable[[str, int], Sequence[AddressInfo]] = look_up,
        *,
        policy: EgressPolicy | None = None,
        proxy: EgressProxy | None = None,
    ) -> None:
        """Make a connector.

        Args:
            lookup: finds the addresses of a name, as ``look_up`` does.
            policy: whom it may call; not given: what a server that listens on loopback may.
            proxy: what every connection goes through; None: none does. Then names are handed to it
                as they are, so that it is the proxy that resolves and checks them; here only
                addresses are checked, and the names themselves.

        Raises:
            StartError: whom TLS is to trust cannot be read.
        """
        self._loop = asyncio.get_running_loop()
        self._lookups = Lookups(lookup)
        self._policy = policy or EgressPolicy()
        self._proxy = proxy
        self._tls = client_context()

    async def connect(self, origin: Origin, durations: Durations, *, is_absolute: bool = False) -> Connection:
        """Return a new connection to *origin*, with TLS if it is secure: the certificate must be valid for its host.

        Args:
            durations: how long it takes is noted here, whatever comes of it.
            is_absolute: whether no search domain is tried when the name is looked up.

        Raises:
            OutOfResourcesError: this machine lacks what it takes.
            DeliveryError: there is none: ``dns_failed``, ``dns_busy``, ``egress_denied``
                (permanent), ``connect_refused``, ``connect_timeout``, ``connect_failed``,
                ``tls_failed``, ``proxy_refused``, ``proxy_failed``, ``invalid_url`` (permanent).
        """
        if self._proxy is not None:
            place = self._asked_for(origin, is_absolute=is_absolute)
            with self._timed(durations, "connect"):
                through = await self._reach_through(self._proxy, place, origin.port, durations)
                return await self._connected(origin, through, durations)
        name, addresses = await self._checked(origin, durations, is_absolute=is_absolute)
        with self._timed(durations, "connect"):
            return await self._connected(origin, await self._reach(addresses, origin.port, name), durations)

    def close(self) -> None:
        """Let go of the threads. Does not wait for one that hangs."""
        self._lookups.close()

    async def _connected(self, origin: Origin, connected: socket.socket, durations: Durations) -> Connection:
        """Return a connection over a socket that is connected to *origin*."""
        tls = Tls(self._tls, _certified(origin)) if origin.is_secure else None
        connection = Connection(connected, tls)
        try:
            await self._loop.create_connection(lambda: connection, sock=connected)
        except BaseException as error:
            connected.close()
            if isinstance(error, (OSError, RuntimeError)):
                _refuse_if_lacking(error)
                raise DeliveryError("connect_failed", "the target closed the connection at once") from None
            raise
        if tls is not None:
            with self._timed(durations, "tls"):
                await connection.secure()
        return connection

    async def _checked(
        self, origin: Origin, durations: Durations, *, is_absolute: bool
    ) -> tuple[str | None, Sequence[AddressInfo]]:
        """Return the name that *origin* has, and where it may be called: at least one address.

        The name is None if *origin* has an address.
        """
        found = as_address(origin.host, origin.port)
        name = None
        if not found:
            self._refuse_zone(origin)
            name = looked_up_name(origin.host, is_absolute=is_absolute)
            _refuse(self._policy.name_refusal(name, origin.port))
            found = await self._resolve(name, origin.port, durations)
        refusals = [self._policy.refusal(place[0], origin.port, name=name) for *_, place in found]
        allowed = [info for info, refusal in zip(found, refusals, strict=True) if refusal is None]
        if not allowed:
            _refuse(refusals[0])
        return name, allowed

    async def _reach(self, addresses: Sequence[AddressInfo], port: int, name: str | None) -> socket.socket:
        """Return a socket that is connected to one of *addresses*, which were checked, and lead where they say."""
        try:
            connected = await self._open(addresses)
        except ConnectionRefusedError:
            raise DeliveryError("connect_refused", "the target refuses connections") from None
        except TimeoutError as error:
            if error.errno is None:
                raise  # ours: the caller's patience has ended
            raise DeliveryError("connect_timeout", "the target does not answer at its address") from None
        except (OSError, RuntimeError) as error:
            _refuse_if_lacking(error, addresses)
            raise DeliveryError("connect_failed", "no connection to the target can be made") from None
        try:
            _refuse(self._policy.refusal(connected.getpeername()[0], port, name=name))
        except OSError:
            connected.close()
            raise DeliveryError("connect_failed", "the target closed the connection at once") from None
        except DeliveryError:
            connected.close()
            raise
        return connected

    def _refuse_zone(self, origin: Origin) -> None:
        """Raise ``DeliveryError`` if *origin* has an address whose zone this machine does not know.

        Such an address cannot be used.
        """
        if ":" in origin.host and "%" in origin.host:
            _refuse(self._policy.refusal(origin.host, origin.port))
            raise DeliveryError("connect_failed", "this machine has no network interface of the target's zone")

    def _asked_for(self, origin: Origin, *, is_absolute: bool) -> str:
        """Return what a proxy is asked for: the name of *origin*, or its address in the spelling that was checked."""
        if found := as_address(origin.host, origin.port):
            address: str = found[0][4][0].partition("%")[0]
            _refuse(self._policy.refusal(address, origin.port))
            return address
        self._refuse_zone(origin)
        if not is_host_name(origin.host):  # the proxy might take it for an address
            raise _no_name()
        _refuse(self._policy.name_refusal(origin.host, origin.port))
        return looked_up_name(origin.host, is_absolute=is_absolute)

    async def _reach_through(self, proxy: EgressProxy, host: str, port: int, durations: Durations) -> socket.socket:
        """Return a socket that a tunnel connects to *host*. Where the proxy is, is the operator's word."""
        there: Sequence[AddressInfo] = ()
        durations.step = Step.PROXY
        try:
            with Within(CONNECT_SECONDS):
                there = as_address(proxy.host, proxy.port)
                if not there:
                    lookup = await self._lookups.begin(proxy.host, proxy.port)
                    there = await self._lookups.answer(lookup, proxy.port)
                connected = await self._open(there)
        except (OSError, UnicodeError, RuntimeError) as error:
            _refuse_if_lacking(error, there)
            raise unreachable() from None
        durations.step = Step.CONNECT
        try:
            await open_tunnel(connected, proxy, host, port)
        except BaseException:
            connected.close()
            raise
        return connected

    async def _open(self, addresses: Sequence[AddressInfo]) -> socket.socket:
        return await start_connection(addresses, happy_eyeballs_delay=_NEXT_ADDRESS_AFTER, loop=self._loop)

    async def _resolve(self, name: str, port: int, durations: Durations) -> Sequence[AddressInfo]:
        """Return the addresses of *name*, at least one. A name that nobody can resolve now is not called."""
        durations.step = Step.QUEUE
        try:
            lookup = await self._lookups.begin(name, port)
            durations.step = Step.DNS
            with self._timed(durations, "dns"):
                found = await self._lookups.answer(lookup, port)
        except (OSError, RuntimeError) as error:
            _refuse_if_lacking(error)
            raise DeliveryError("dns_failed", "the target's host name cannot be resolved") from None
        except UnicodeError:
            raise _no_name() from None
        if not found:
            raise DeliveryError("dns_failed", "the target's host name has no address")
        durations.step = Step.CONNECT
        return found

    @contextmanager
    def _timed(self, durations: Durations, step: str) -> Iterator[None]:
        began = stopwatch()
        try:
            yield
        finally:
            setattr(durations, step, elapsed(began))


def as_address(host: str, port: int) -> Sequence[AddressInfo]:
    """Return the address that *host* is in some spelling; empty if it is a name. Asks nobody."""
    with suppress(OSError, UnicodeError):
        return look_up(host, port, flags=socket.AI_NUMERICHOST)
    return []


def _refuse_if_lacking(error: BaseException, addresses: Sequence[AddressInfo] = ()) -> None:
    """Raise ``OutOfResourcesError`` if that is what *error*, met on the way to *addresses*, comes of."""
    if (lacking := lack(error, addresses)) is not None:
        raise OutOfResourcesError(lacking) from None


def _refuse(refusal: str | None) -> None:
    """Raise ``egress_denied`` if there is a *refusal*."""
    if refusal is not None:
        raise DeliveryError("egress_denied", f"the target is {refusal}", permanent=True, is_targets_fault=False)


def _no_name() -> DeliveryError:
    return DeliveryError("invalid_url", "the target's host is no name", permanent=True, is_targets_fault=False)


def looked_up_name(host: str, *, is_absolute: bool) -> str:
    """Return *host* as it is looked up."""
    return f"{host}." if is_absolute else host


def _certified(origin: Origin) -> str:
    """Return what a certificate has to be for: a name, or an address in its usual spelling without a zone."""
    if found := as_address(origin.host, origin.port):
        address: str = found[0][4][0]
        return address.partition("%")[0]
    return origin.host
