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


def bad_request(text: str) -> Refusal:
    """Refuse what is no request in HTTP/1.1 or HTTP/1.0, saying what would be."""
    return Refusal(HTTPStatus.BAD_REQUEST, "bad_request", text)


BAD_TARGET: Final = bad_request(
    "expected a target that begins with / or with http:// and a host, has neither user nor fragment, and has all but "
    "printable ASCII percent-encoded"
)
BAD_CODING: Final = bad_request("expected chunked as the last transfer coding, once, or no Transfer-Encoding")
UNKNOWN_CODING: Final = Refusal(
    HTTPStatus.NOT_IMPLEMENTED, "not_implemented", "expected no transfer coding but chunked, got another one beside it"
)
UNKNOWN_VERSION: Final = Refusal(
    HTTPStatus.HTTP_VERSION_NOT_SUPPORTED,
    "http_version_not_supported",
    "expected HTTP/1.1 or HTTP/1.0, got another version",
)
HEAD_TOO_LARGE: Final = Refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "headers_too_large",
    f"expected a request line and headers of at most {MAX_HEAD_BYTES} bytes together, got more",
)
FRAMING_TOO_LARGE: Final = bad_request("expected chunks of a sensible size, and trailers, if any, that are short")
TOO_MUCH_UNFINISHED: Final = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "server_busy",
    "too many requests are only half here and fill the room that there is for them; send this one again later",
    retry_after=5,
)
NO_DESCRIPTOR: Final = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE, "server_busy", "too many connections are open; try again later", retry_after=5
)


def head_too_slow(seconds: float) -> Refusal:
    """Refuse a request whose head was not complete in time."""
    text = f"expected the headers of the request to be complete within {seconds:g} s"
    return Refusal(HTTPStatus.REQUEST_TIMEOUT, "too_slow", text)


def body_too_slow(seconds: float) -> Refusal:
    """Refuse a request whose body was not complete in time."""
    text = f"expected the body of the request to be complete within {seconds:g} s after its headers"
    return Refusal(HTTPStatus.REQUEST_TIMEOUT, "too_slow", text)


def unparsable(reason: str) -> Refusal:
    """Refuse what the parser did not take, for the *reason* that it names."""
    for words, refusal in _FAULTS:
        if words in reason:
            return refusal
    return bad_request("expected a request in HTTP/1.1 or HTTP/1.0, got something else")


_BAD_REQUEST_LINE: Final = bad_request(
    "expected a request line that ends in HTTP/1.1 or HTTP/1.0 and CR LF, got another end; "
    "a space in the target is sent as %20"
)
_BAD_METHOD: Final = bad_request(
    "expected a request that begins with a method in capitals, such as GET or POST, and a space"
)
_FOLDED: Final = bad_request("expected each header on one line, got a line that begins with a space (folding)")

_FAULTS: Final = (
    ("HTTP version", UNKNOWN_VERSION),
    ("PRI", UNKNOWN_VERSION),  # how HTTP/2 begins
    ("HTTP/2", UNKNOWN_VERSION),
    ("Expected HTTP/", _BAD_REQUEST_LINE),
    ("version", _BAD_REQUEST_LINE),
    ("Expected dot", _BAD_REQUEST_LINE),
    ("method", _BAD_METHOD),
    ("url", BAD_TARGET),
    ("Unexpected space after start line", _FOLDED),
    ("Unexpected whitespace after header value", _FOLDED),
    (
        "header token",
        bad_request("expected header names of letters, digits and hyphens, each with a colon right behind it"),
    ),
    ("header value char", bad_request("expected headers without control characters, got one such as NUL")),
    ("Duplicate Content-Length", bad_request("expected one Content-Length, got several")),
    ("Content-Length overflow", bad_request("expected a Content-Length of less than 2^64, got a greater one")),
    ("be present with", bad_request("expected either Content-Length or Transfer-Encoding, got both")),
    ("Content-Length", bad_request("expected Content-Length to be a number of bytes, in decimal digits only")),
    ("Transfer-Encoding", BAD_CODING),
    ("Chunk size overflow", bad_request("expected a chunk of less than 2^64 bytes, got a longer one")),
    ("chunk size", bad_request("expected each chunk to begin with its size in hexadecimal digits and CR LF")),
    ("chunk data", bad_request("expected CR LF where a chunk ends by its size, got something else")),
    ("chunk extension", bad_request("expected chunks without extensions, got a broken one")),
    ("CR", bad_request("expected each line to end in CR LF, got CR or LF alone")),
    ("LF", bad_request("expected each line to end in CR LF, got CR or LF alone")),
)
"""Words in a reason of the parser, and what they mean; the first that fit count. Source: llhttp 9,
``src/llhttp/http.ts``."""
