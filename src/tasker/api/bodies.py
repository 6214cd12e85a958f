"""JSON bodies: how those of requests are read, and how answers that are no list are made."""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from starlette.responses import Response
from starlette.types import Receive

from tasker.api.new_task import BodyDecoder
from tasker.api.problems import PRIVATE
from tasker.errors import BodyTooLargeError, InvalidRequestError, InvalidTaskError

_NOTHING: Final = re.compile(rb"[ \t\r\n]*(?:\{[ \t\r\n]*\})?[ \t\r\n]*")


class ClientGoneError(Exception):
    """The client hung up before its request was complete: there is nobody to answer."""


async def read_body(receive: Receive, limit: int) -> bytes:
    """Read the body of a request.

    Raises:
        BodyTooLargeError: it has more than *limit* bytes. It was not read any further.
        ClientGoneError: the client hung up before it was complete.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGoneError
        piece: bytes = message["body"]
        more: bool = message["more_body"]
        if len(body) + len(piece) > limit:
            raise BodyTooLargeError(limit)
        if not more and not body:
            return piece  # nearly always: it came in one piece
        body += piece
        if not more:
            return bytes(body)


async def read_json(receive: Receive, limit: int, decoder: BodyDecoder) -> Any:  # noqa: ANN401 - what the decoder makes
    """Return what the body of a request says, which is no new task.

    Raises:
        InvalidRequestError: it is not what *decoder* takes.
        BodyTooLargeError, ClientGoneError: see ``read_body``.
    """
    try:
        return decoder.decode_body(await read_body(receive, limit))
    except InvalidTaskError as error:
        raise InvalidRequestError(error.field, error.problem) from None


async def read_nothing(receive: Receive, limit: int) -> None:
    """Read the body of a request that says nothing: there is none, or ``{}``, which some clients always send.

    Raises:
        InvalidRequestError: there is another one.
        BodyTooLargeError, ClientGoneError: see ``read_body``.
    """
    if _NOTHING.fullmatch(await read_body(receive, limit)) is None:
        raise InvalidRequestError("", "expected no body, or an empty object: this call takes nothing")


def answer(
    shape: msgspec.Struct | Sequence[msgspec.Struct], *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Return the answer that is *shape* in JSON, and a line feed, as in ``problems.body``."""
    return Response(
        msgspec.json.encode(shape) + b"\n", status, headers={**PRIVATE, **(headers or {})}, media_type="application/json"
    )
