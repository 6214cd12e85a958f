"""What tasker needs of an HTTP client, whichever library does it."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from msgspec import Struct

from tasker.model.attempt import Exchange

ANSWER_LIMIT: Final = 64 * 1024
"""Bytes of an answer's body that are read. A connection on which more of it would come is
closed."""

BODY_KEPT: Final = 1024
"""Bytes of an answer's body that are kept."""

HEADERS_KEPT: Final = frozenset(
    {"content-type", "content-length", "date", "location", "retry-after", "server", "x-request-id", "www-authenticate"}
)
"""The headers of an answer that are kept, each cut to ``HEADER_KEPT`` characters. Never cookies."""

HEADER_KEPT: Final = 256


class Request(Struct, frozen=True):
    """What is sent."""

    method: str
    """In upper case."""
    url: str
    """Absolute, http or https; may carry userinfo, which is sent as Basic authentication."""
    headers: Mapping[str, str]
    """Without ``host`` and ``content-length``, which the client adds; each value without line ends,
    in ISO 8859-1."""
    body: bytes | None
    """None: there is none, and no ``content-length`` either, unless the method is one that usually
    has a body."""
    timeout_seconds: float
    """From the DNS lookup to the status. As long the answer is read, at most."""


class DeliveryError(Exception):
    """There is no answer to judge.

    Args:
        code: a stable word, such as ``connect_refused``.
        msg: one line without userinfo, query string or body.
        permanent: whether another attempt cannot help.
        is_targets_fault: whether the target could do better, so that its circuit hears of it.
    """

    def __init__(self, code: str, msg: str, *, permanent: bool = False, is_targets_fault: bool = True) -> None:
        self.code = code
        self.msg = msg
        self.permanent = permanent
        self.is_targets_fault = is_targets_fault
        self.exchange: Exchange | None = None
        """How far it came; set by the client."""
        super().__init__(f"{code}: {msg}")


class OutOfResourcesError(Exception):
    """This machine lacks what a connection needs. Nothing was sent and the target was not asked.

    The attempt has not begun: it is to be given back. It counts neither as an attempt nor against
    the target.

    Args:
        lack: what is lacking, such as ``file descriptors``.
    """

    def __init__(self, lack: str) -> None:
        self.lack = lack
        super().__init__(f"out of {lack}")


class HttpClient(Protocol):
    """Makes requests: pooled, without redirects, cookies or proxies from the environment."""

    async def send(self, request: Request, before_first_byte: Callable[[], None]) -> Exchange:
        """Send *request* once and return what came back, having read at most ``ANSWER_LIMIT`` of its body.

        A status that has come is an answer, whatever becomes of the rest: the ``note`` of the
        exchange says what was not read.

        Calls *before_first_byte* immediately before the first byte is handed to the socket; never,
        if it does not come to that. What that raises comes through, and nothing is sent. If a
        connection that was kept open turns out to be closed before a byte of the request was
        written to it, another one is used, and *before_first_byte* called again.

        Raises:
            DeliveryError: no status came: ``dns_failed``, ``dns_busy``, ``connect_refused``,
                ``connect_timeout``, ``connect_failed``, ``tls_failed``, ``timeout``,
                ``connection_lost``, ``bad_response``, ``proxy_failed``, ``proxy_refused``,
                ``egress_denied``, ``invalid_url``. Its ``exchange`` says how far it came.
            OutOfResourcesError: no connection can be made from here now. It is raised a moment
                after that is known, so that whoever gives the attempt back does not get it again at
                once.
        """

    async def close(self) -> None:
        """Close every connection."""
