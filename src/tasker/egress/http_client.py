"""What tasker needs of an HTTP client, whichever library does it."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from msgspec import Struct

ANSWER_LIMIT: Final = 64 * 1024
"""Bytes of an answer's body that are read. A connection on which more of it would come is closed."""


class Request(Struct, frozen=True):
    """A POST."""

    url: str
    """Absolute, http or https; may carry userinfo, which is sent as Basic authentication."""
    headers: Mapping[str, str]
    body: bytes
    timeout_seconds: float
    """For everything from the DNS lookup to the end of the answer."""


class Response(Struct, frozen=True):
    """An answer."""

    status: int


class DeliveryError(Exception):
    """There is no answer to judge.

    Args:
        code: a stable word, such as ``connect_refused``.
        msg: one line without userinfo, query string or body.
        permanent: whether another attempt cannot help.
    """

    def __init__(self, code: str, msg: str, *, permanent: bool = False) -> None:
        self.code = code
        self.msg = msg
        self.permanent = permanent
        super().__init__(f"{code}: {msg}")


class HttpClient(Protocol):
    """Makes requests: pooled, without redirects, cookies or proxies from the environment."""

    async def post(self, request: Request, before_first_byte: Callable[[], None]) -> Response:
        """Send *request* once and return the answer's status, having read at most ``ANSWER_LIMIT`` of its body.

        Calls *before_first_byte* immediately before the first byte is handed to the socket; never, if it does not come to that.
        What that raises comes through, and nothing is sent.

        Raises:
            DeliveryError: no whole answer came: ``dns_failed``, ``connect_refused``, ``connect_timeout``, ``connect_failed``,
                ``tls_failed``, ``timeout``, ``connection_lost``, ``bad_response``, ``egress_denied``, ``invalid_url``.
        """

    async def close(self) -> None:
        """Close every connection."""
