"""What a client is told whose connection is closed because of what it sends."""

from http import HTTPStatus
from typing import Final, NamedTuple

from tasker.api import problems

MAX_HEAD_BYTES: Final = 65_536
"""Bytes that the request line and the headers of a request may have together."""


class Refusal(NamedTuple):
    """Why a connection is closed."""

    status: HTTPStatus
    code: str
    text: str
    retry_after: int | None = None
    """Seconds after which the request may be sent again, if that makes sense."""

    def answer(self) -> bytes:
        """The whole answer as it goes over the wire."""
        body = problems.body(self.status, self.code, self.text)
        return (
            f"HTTP/1.1 {self.status.value} {self.status.phrase}\r\ncontent-type: {problems.MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\ncache-control: no-store\r\nconnection: close\r\n"
            + ("" if self.retry_after is None else f"retry-after: {self.retry_after}\r\n")
            + "\r\n"
        ).encode() + body


class RefusedError(Exception):
    """The way out of the parser's calls."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


NOT_HTTP: Final = Refusal(
    HTTPStatus.BAD_REQUEST, "bad_request", "expected a request in HTTP/1.1 or HTTP/1.0, got something else"
)
HEAD_TOO_LARGE: Final = Refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "headers_too_large",
    f"expected a request line and headers of at most {MAX_HEAD_BYTES} bytes together, got more",
)
FRAMING_TOO_LARGE: Final = Refusal(
    HTTPStatus.BAD_REQUEST, "bad_request", "expected chunks of a sensible size, and trailers, if any, that are short"
)
TOO_MUCH_UNFINISHED: Final = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "server_busy",
    "too many requests are only half here and fill the room that there is for them; send this one again later",
    retry_after=5,
)


def head_too_slow(seconds: float) -> Refusal:
    """Refuse a request whose head was not complete in time."""
    text = f"expected the headers of the request to be complete within {seconds:g} s"
    return Refusal(HTTPStatus.REQUEST_TIMEOUT, "too_slow", text)


def body_too_slow(seconds: float) -> Refusal:
    """Refuse a request whose body was not complete in time."""
    text = f"expected the body of the request to be complete within {seconds:g} s after its headers"
    return Refusal(HTTPStatus.REQUEST_TIMEOUT, "too_slow", text)
