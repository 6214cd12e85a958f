"""The HTTP client on aiohttp."""

import socket
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

import aiohttp
from aiohttp import ClientRequest, ClientResponse, ClientTimeout, DummyCookieJar, ThreadedResolver
from yarl import URL

from tasker.egress import address_policy
from tasker.egress.http_client import ANSWER_LIMIT, DeliveryError, Request, Response

_KEPT_ALIVE_SECONDS: Final = 15.0


_ANNOUNCEMENT: ContextVar["_Announcement | None"] = ContextVar("announcement", default=None)
"""How the request that is being made says that it begins. aiohttp makes the request object; this reaches it."""


_FAULTS: Final[tuple[tuple[type[Exception], str, str], ...]] = (
    (aiohttp.ClientConnectorDNSError, "dns_failed", "the target's host name cannot be resolved"),
    (aiohttp.ClientSSLError, "tls_failed", "no secure connection: the target's certificate or TLS is not acceptable"),
    (aiohttp.ClientConnectorError, "connect_failed", "no connection to the target can be made"),
    (aiohttp.ServerDisconnectedError, "connection_lost", "the target closed the connection before its answer was complete"),
    (aiohttp.ClientOSError, "connection_lost", "the connection to the target broke"),
    (aiohttp.ClientPayloadError, "bad_response", "the body of the target's answer is broken or incomplete"),
    (aiohttp.ClientResponseError, "bad_response", "the target's answer is not HTTP that can be read"),
    (ValueError, "invalid_url", "the target's URL cannot be used"),
)
"""Kinds of failure, the special before the general, and what they are called."""


class RefusedAddressError(OSError):
    """The address policy refuses the address that was about to be connected to."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        super().__init__(rule)


class AiohttpClient:
    """A ``HttpClient``. Needs a running event loop.

    Addresses are checked where the socket is made: there every spelling of an address, and every answer of a name server, has
    become the address itself. Of a name's addresses only the allowed ones come so far.
    """

    def __init__(self) -> None:
        connector = aiohttp.TCPConnector(
            resolver=_CheckedResolver(),
            limit=0,  # the worker slots are the limit
            ttl_dns_cache=None,
            use_dns_cache=False,
            keepalive_timeout=_KEPT_ALIVE_SECONDS,
            socket_factory=_checked_socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            request_class=_AnnouncingRequest,
            skip_auto_headers=("accept", "user-agent"),
        )
        self._timeouts: dict[float, ClientTimeout] = {}

    async def post(self, request: Request, before_first_byte: Callable[[], None]) -> Response:
        """See ``HttpClient``."""
        announced = _Announcement(before_first_byte)
        token = _ANNOUNCEMENT.set(announced)
        try:
            async with self._session.post(
                URL(request.url, encoded=request.url.isascii()),
                data=request.body,
                headers=request.headers,
                allow_redirects=False,
                timeout=self._timeout(request.timeout_seconds),
            ) as response:
                await _read_some(response)
                return Response(response.status, response.reason or "")
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise _delivery_error(error, request.timeout_seconds, sent=announced.made) from error
        finally:
            _ANNOUNCEMENT.reset(token)

    async def close(self) -> None:
        """See ``HttpClient``."""
        await self._session.close()

    def _timeout(self, seconds: float) -> ClientTimeout:
        timeout = self._timeouts.get(seconds)
        if timeout is None:
            timeout = self._timeouts[seconds] = ClientTimeout(total=seconds)
        return timeout


class _Announcement:
    """Makes one call, once."""

    __slots__ = ("_call", "made")

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self.made = False

    def make(self) -> None:
        if not self.made:
            self.made = True
            self._call()


class _AnnouncingRequest(ClientRequest):
    """A request that says when its first byte is about to be written: aiohttp calls ``send`` once it has a connection."""

    async def send(self, conn: Any) -> ClientResponse:  # noqa: ANN401 - aiohttp's own type is private
        announcement = _ANNOUNCEMENT.get()
        if announcement is not None:
            announcement.make()
        return await super().send(conn)


class _CheckedResolver(ThreadedResolver):
    """Leaves the refused addresses of a name out, so that the outcome depends on the others alone if there are any."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        found = await super().resolve(host, port, family)
        rules = [address_policy.refusal(address["host"]) for address in found]
        if rules and rules[0] is not None and None not in rules:
            raise RefusedAddressError(rules[0])
        return [address for address, rule in zip(found, rules, strict=True) if rule is None]


async def _read_some(response: ClientResponse) -> None:
    """Read the body up to the limit. A connection with more of it to come is closed, not used again."""
    left = ANSWER_LIMIT
    while left > 0 and (part := await response.content.read(left)):
        left -= len(part)
    if left <= 0 and not response.content.at_eof():
        response.close()


def _checked_socket(info: Any) -> socket.socket:  # noqa: ANN401 - as getaddrinfo gives it
    family, kind, protocol, _, address = info
    rule = address_policy.refusal(address[0])
    if rule is not None:
        raise RefusedAddressError(rule)
    return socket.socket(family, kind, protocol)


def _delivery_error(error: Exception, timeout: float, *, sent: bool) -> DeliveryError:
    """Say what went wrong, in a word and a line that show nothing of the request or of the answer."""
    causes = list(_causes(error))
    refused = next((cause for cause in causes if isinstance(cause, RefusedAddressError)), None)
    if refused is not None:
        return DeliveryError("egress_denied", f"the target is {refused.rule}, which is never called", permanent=True)
    if isinstance(error, TimeoutError):
        if sent:
            return DeliveryError("timeout", f"the target did not answer within {timeout:g} s")
        return DeliveryError("connect_timeout", f"no connection to the target within {timeout:g} s")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return DeliveryError("connect_refused", "the target refuses connections")
    for kind, code, msg in _FAULTS:
        if isinstance(error, kind):
            return DeliveryError(code, msg, permanent=code == "invalid_url")
    return DeliveryError("connection_lost", "the connection to the target broke")


def _causes(error: BaseException | None) -> list[BaseException]:
    """*error* and what led to it, the parts of groups included."""
    found: list[BaseException] = []
    left = [error]
    while left:
        one = left.pop()
        if one is None or one in found:
            continue
        found.append(one)
        left += [one.__cause__, one.__context__, getattr(one, "os_error", None)]
        if isinstance(one, BaseExceptionGroup):
            left += one.exceptions
    return found
