"""JSON bodies: how those of requests are read, and how answers that are not lists are made."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
from starlette.responses import Response
from starlette.types import Receive

from tasker.api.calls import UNREAD, Call
from tasker.api.new_task import BodyDecoder
from tasker.api.problems import PRIVATE
from tasker.errors import BodyTooLargeError, InvalidRequestError, InvalidTaskError

_Given = TypeVar("_Given")
_Read = TypeVar("_Read")

_NOTHING: Final = re.compile(rb"[ \t\r\n]*(?:\{[ \t\r\n]*\})?[ \t\r\n]*")


def read_member(field: str, read: Callable[[_Given], _Read], given: _Given) -> _Read:
    """Return what *read* makes of the value *given* for a member.

    Raises:
        InvalidRequestError: *read* raised a ``ValueError``, which says what would be right.
    """
    try:
        return read(given)
    except ValueError as error:
        raise InvalidRequestError(field, str(error)) from None


class ClientGoneError(Exception):
    """The client hung up before its request was complete: there is nobody to answer."""


async def read_body(receive: Receive, limit: int, *, setting: str = "--max-body-bytes") -> bytes:
    """Read the body of a request.

    Args:
        limit: bytes that it may have.
        setting: what sets the limit; empty if it is fixed.

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
            raise BodyTooLargeError(limit, setting=setting)
        if not more and not body:
            return piece  # nearly always: it came in one piece
        body += piece
        if not more:
            return bytes(body)


class BodyReader:
    """Reads the bodies of calls that are not bare."""

    def __init__(self, calls: Iterable[Call], *, max_body_bytes: int) -> None:
        self._limit = max_body_bytes
        self._decoders = {
            call: BodyDecoder(call.body.shape, list(call.body.shape.__struct_fields__))
            for call in calls
            if call.body is not None and isinstance(call.body.shape, type)
        }

    async def read(self, call: Call, receive: Receive) -> bytes:
        """Return the body of a request.

        Raises:
            BodyTooLargeError, ClientGoneError: see ``read_body``.
        """
        assert call.body is not None  # noqa: S101 - else there is nothing to read
        if call.body.taken is not None:
            return await read_body(receive, call.body.taken.limit, setting="")
        limit = call.body.limit
        if limit is None or limit > self._limit:
            return await read_body(receive, self._limit)
        return await read_body(receive, limit, setting="")

    def decode(self, call: Call, body: bytes) -> Any:  # noqa: ANN401 - what the call takes
        """Return what the body of a request says; None if *call* takes nothing.

        New tasks and changes of tasks are left to their handlers: of them it returns the bytes.

        Raises:
            InvalidRequestError: it is not what the call takes.
        """
        assert call.body is not None  # noqa: S101 - else there is nothing to read
        if call.body.shape in UNREAD:
            return body
        decoder = self._decoders.get(call)
        if decoder is None:
            if _NOTHING.fullmatch(body) is None:
                raise InvalidRequestError("", "expected no body, or an empty object: this call takes nothing")
            return None
        try:
            return decoder.decode_body(b"{}" if call.body.is_optional and not body.strip() else body)
        except InvalidTaskError as error:
            raise InvalidRequestError(error.field, error.problem) from None


def answer(
    shape: msgspec.Struct | Sequence[msgspec.Struct], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the answer that is *shape* in JSON, indented: people read it in a terminal."""
    return json_answer(msgspec.json.format(msgspec.json.encode(shape)), status=status, headers=headers)


def json_answer(body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer that is *body*, which is JSON. It ends with a line end, so that a terminal shows it well."""
    return Response(body + b"\n", status, headers={**PRIVATE, **(headers or {})}, media_type="application/json")
