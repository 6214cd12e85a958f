"""A connection: it receives requests, lets each be answered in turn, and is closed in the end."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Final

import uvicorn
from starlette.types import Scope
from uvicorn.server import ServerState

from tasker.api.receiving import refusals
from tasker.api.receiving.descriptors import Descriptors
from tasker.api.receiving.exchange import Exchange
from tasker.api.receiving.refusals import Refusal, RefusedError
from tasker.api.receiving.request_reader import BODY, HEAD, REQUEST, RequestReader
from tasker.timing.clock import Clock, SystemClock
from tasker.timing.deadline import Deadline

MAX_DISCARDED_BYTES: Final = 67_108_864
"""Bytes that are still read of a request that is answered already, so that a client that is sending
gets to the answer."""

HANG_UP: Final = "tasker.hang_up"
"""The ASGI extension that ends an answer before it is complete: a function without arguments under
``call``."""

PEER: Final = "tasker.peer"
"""The ASGI extension that tells the IP address of the client: a function under ``call``."""

CUT: Final = "tasker.cut"
"""The ASGI extension that closes the connection at once, whatever was not sent yet: a function
without arguments under ``call``."""

PUSH: Final = "tasker.push"
"""The ASGI extension that sends a part of an answer's body at once, once the answer has begun: a
function under ``call``, which takes the part. It returns False if nothing was sent, as the client
has yet to take what it was sent, or is gone: ``send`` waits for that."""

LEFT: Final = "tasker.left"
"""The ASGI extension that tells when a client has left: a function under ``call``, which takes what
is to be called then, without arguments.

A client that ends its side has left, too: it may read an answer that comes soon, or be gone.
"""

MAX_UNFINISHED_BYTES: Final = 268_435_456
"""Bytes that all requests which did not come in one piece may hold together, until they are
answered."""

LINGER_SECONDS: Final = 5.0
"""How long a connection that is to be closed is still read, so that a client that is sending gets
to the answer."""

STALL_SECONDS: Final = 300.0
"""How long a client may take nothing at all of an answer that waits for it."""

_MAX_UNREAD: Final = 65_536
"""Bytes of a body that may wait for the application before no more is read."""

_BYTES_PER_WAITING: Final = 2_048
"""What a request that waits for its turn takes beside its bytes, about."""


def receiving_protocol(
    header_timeout: timedelta,
    body_timeout: timedelta,
    keep_alive_timeout: timedelta,
    *,
    kept_descriptors: int = 64,
    clock: Clock | None = None,
    refused: Callable[[str], None] = lambda _: None,
) -> type[asyncio.Protocol]:
    """Return a protocol for ``uvicorn.Config(http=...)``, of which it heeds ``app`` alone.

    Requests may be pipelined; they are answered one after the other. An upgrade is declined. A
    client that is too slow gets 408, headers beyond ``MAX_HEAD_BYTES`` get 431, what is not HTTP
    gets 400, a request that finds no room beside others that are half here gets 503, each after the
    answers to the requests before it; then the connection is closed. Time during which the server
    itself does not read does not count. A connection beyond what the limit of open files allows
    gets 503 at once.

    Args:
        header_timeout: from the connection, or from the first byte of a further request, until the
            headers are complete.
        body_timeout: from there until the body is complete.
        keep_alive_timeout: from the end of an answer until the first byte of a further request.
        kept_descriptors: see ``descriptors.Descriptors``.
        clock: what the deadlines are read from; the machine's if it is not given.
        refused: told the code of each request that is refused here.
    """

    class Protocol(Connection):
        header_seconds = header_timeout.total_seconds()
        body_seconds = body_timeout.total_seconds()
        keep_alive_seconds = keep_alive_timeout.total_seconds()

        def count_refused(self, code: str) -> None:
            refused(code)

    Protocol.clock = clock or SystemClock()
    Protocol.descriptors = Descriptors(Protocol.clock, kept=kept_descriptors)
    Protocol.room = _Room(MAX_UNFINISHED_BYTES)
    return Protocol


class _Room:
    """What unfinished requests may still take."""

    def __init__(self, bytes_left: int) -> None:
        self.bytes_left = bytes_left


class Connection(asyncio.Protocol):
    """One connection of a client. It also serves its exchanges as ``exchange.Wire`` and its reader as ``Taker``."""

    header_seconds: ClassVar[float]
    body_seconds: ClassVar[float]
    keep_alive_seconds: ClassVar[float]
    clock: ClassVar[Clock]
    descriptors: ClassVar[Descriptors]
    room: ClassVar[_Room]

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Take what uvicorn's server hands to its protocols."""
        del app_state  # of lifespan events, which are not used
        self.is_full = False
        self._app = config.loaded_app
        self._server = server_state
        self._loop = _loop or asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._reader = RequestReader(self)
        self._deadline = Deadline(self.clock, self._deadline_passed)
        self._extensions = {
            HANG_UP: {"call": self._hang_up},
            CUT: {"call": self._cut},
            PUSH: {"call": self._push},
            LEFT: {"call": self._tell_if_left},
            PEER: {"call": self._peer},
        }
        self._stall = Deadline(self.clock, self._stalled)
        self._unsent_bytes = 0  # when it was last looked at
        self._drained = asyncio.Event()
        self._answering: Exchange | None = None
        self._waiting: deque[Exchange] = deque()  # received, not begun
        self._newest: Exchange  # once the head of a request is complete
        self._is_idle = False  # it has its answers, and may send another request
        self._client_has_ended = False
        self._refusal: Refusal | None = None  # once it is set, nothing is read any more
        self._ending = False  # nothing is sent any more; what comes in is thrown away
        self._reading_paused = False
        self._room_taken = 0
        self._discarded_bytes = 0

    # Called by uvicorn's server and by the event loop

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # it is one of TCP
        """Wait for a request, but not for ever; or say that there is no room."""
        self._transport = transport
        if not self.descriptors.has_room_for(transport.get_extra_info("socket").fileno()):
            self.count_refused(refusals.NO_DESCRIPTOR.code)
            transport.write(refusals.NO_DESCRIPTOR.answer())
            transport.close()
            return
        self._server.connections.add(self)  # type: ignore[arg-type]  # it names its own protocols
        self._deadline.set(self.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the request that is being answered. Those that wait are forgotten."""
        del exc
        self._server.connections.discard(self)
        self._deadline.close()
        self._stall.close()
        self._waiting.clear()
        self._give_room_back()
        if self._answering is not None:
            self._answering.disconnect()
        self.resume_writing()
        self._reader.close()

    def eof_received(self) -> bool:
        """Keep sending to a client that has ended its side after a complete request: it may still read the answer."""
        is_complete = self._reader.expecting is REQUEST or self._refusal is not None
        if self._ending or not is_complete or not self._is_answering():
            return False
        self._client_has_ended = True
        self._newest.keep_alive = False
        self._deadline.clear()
        self._newest.client_left()
        return True

    def shutdown(self) -> None:
        """Close at once, or after the answers that are under way."""
        if not self._is_answering():
            self._transport.close()
        else:
            self._newest.keep_alive = False

    def pause_writing(self) -> None:
        """Let the application wait until the client has taken what was sent."""
        self.is_full = True
        self._drained.clear()
        self._unsent_bytes = self._transport.get_write_buffer_size()
        self._stall.set(STALL_SECONDS)

    def resume_writing(self) -> None:
        """Let the application go on."""
        self.is_full = False
        self._drained.set()
        if not self._ending:
            self._stall.clear()

    def data_received(self, data: bytes) -> None:
        """Read what the client has sent."""
        if self._is_idle:
            self._is_idle = False
            self._deadline.clear()
        if self._refusal is not None or self._ending:
            self._discard(len(data))
            return
        if self._reader.expecting is BODY and self._newest.complete:
            self._discard(len(data))
        try:
            self._reader.feed(data)
        except RefusedError as error:
            self._refuse(error.refusal)
            return
        if self._reader.expecting is REQUEST and self._is_answering():
            if self._waiting:
                self._take_room(len(data) + len(self._waiting) * _BYTES_PER_WAITING)
            return  # nearly always: one request came in one piece
        if not self._deadline.is_set:
            is_body = self._reader.expecting is BODY
            self._deadline.set(self.body_seconds if is_body else self.header_seconds)
        self._take_room(len(data))

    # Called by the reader: see request_reader.Taker

    def request_began(self, scope: Scope, *, keep_alive: bool) -> None:
        """Answer the request, or let it wait for those before it."""
        self._deadline.clear()
        self._discarded_bytes = 0
        scope["extensions"] = self._extensions
        self._newest = Exchange(scope, self, keep_alive=keep_alive)
        if self._is_answering():
            self._waiting.append(self._newest)
            self._pause_reading()
        else:
            self._answer(self._newest)

    def body_came(self, part: bytes) -> None:
        """Hand it to the application; read no further if that does not keep up."""
        self._newest.add_body(part)
        if self._newest.unread > _MAX_UNREAD:
            self._pause_reading()

    def request_ended(self) -> None:
        """Tell the application."""
        self._deadline.clear()
        self._newest.end_body()

    def _peer(self) -> str | None:
        address: tuple[str, int] | None = self._transport.get_extra_info("peername")
        return None if address is None else address[0]

    # Called by the exchanges: see exchange.Wire

    @property
    def default_headers(self) -> Sequence[tuple[bytes, bytes]]:
        """The date, which uvicorn's server keeps."""
        return self._server.default_headers

    def write(self, data: bytes) -> None:
        """Send *data*."""
        if not (self._ending or self._transport.is_closing()):  # uvloop raises once the connection is closed
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait for the client."""
        await self._drained.wait()

    def body_taken(self) -> None:
        """Go on reading, unless requests wait that were received already."""
        if self._reading_paused and not self._waiting:
            self._resume_reading()

    def answered(self, exchange: Exchange) -> None:
        """Begin the next answer, or give the last one, or wait for the next request."""
        if not exchange.keep_alive:
            self.end()
        elif self._transport.is_closing():
            return
        elif self._waiting:
            self._answer(self._waiting.popleft())
        else:
            self._give_room_back()
            if self._refusal is not None:
                self._tell_refusal(self._refusal)
            elif self._reader.expecting is REQUEST:
                self._is_idle = True
                self._deadline.set(self.keep_alive_seconds)
        self.body_taken()

    def returned(self, exchange: Exchange) -> None:
        """Let uvicorn's server wait for it no longer."""
        if exchange.task is not None:
            self._server.tasks.discard(exchange.task)

    def end(self) -> None:
        """Close the connection so that the client can read what was sent.

        Closing while the client still sends would make its system throw the answer away: the rest
        is read, within bounds.
        """
        if self._ending or self._transport.is_closing():
            return
        self._ending = True
        self._give_room_back()
        self._unsent_bytes = self._transport.get_write_buffer_size()
        if self._client_has_ended or (self._refusal is None and self._reader.expecting is REQUEST):
            self._transport.close()
        else:
            self._transport.write_eof()
            self._resume_reading()
        self._deadline.go_on()
        self._deadline.set(LINGER_SECONDS)

    def count_refused(self, code: str) -> None:
        """Take note that a request was refused here."""

    # Steps

    def _answer(self, exchange: Exchange) -> None:
        self._answering = exchange
        # With a name: otherwise one is made up, which takes longer than the rest.
        exchange.task = asyncio.Task(exchange.run(self._app), loop=self._loop, name="answer")
        self._server.tasks.add(exchange.task)

    def _is_answering(self) -> bool:
        exchange = self._answering
        return exchange is not None and not exchange.complete and not exchange.gone

    def _deadline_passed(self) -> None:
        if self._ending:
            if self._transport.get_write_buffer_size() > 0:
                self._stall.set(STALL_SECONDS)  # it may be a slow reader
            else:
                self._transport.abort()
        elif self._is_idle:
            self.end()
        elif self._reader.expecting is REQUEST:
            self._transport.abort()  # it has not asked for anything
        elif self._reader.expecting is HEAD:
            self._refuse(refusals.head_too_slow(self.header_seconds))
        elif self._newest.complete:
            self._transport.abort()  # it has its answer, and has had the time to read it
        else:
            self._refuse(refusals.body_too_slow(self.body_seconds))

    def _stalled(self) -> None:
        before, self._unsent_bytes = self._unsent_bytes, self._transport.get_write_buffer_size()
        if self._unsent_bytes < before:
            self._stall.set(STALL_SECONDS)
        else:
            self._transport.abort()

    def _take_room(self, size: int) -> None:
        if self._reader.expecting is BODY and self._newest.complete:
            return  # it is thrown away
        self._room_taken += size
        self.room.bytes_left -= size
        if self.room.bytes_left < 0:
            self._waiting.clear()  # the refusal is the answer to the first of them
            self._refuse(refusals.TOO_MUCH_UNFINISHED)

    def _give_room_back(self) -> None:
        self.room.bytes_left += self._room_taken
        self._room_taken = 0

    def _pause_reading(self) -> None:
        if not self._reading_paused:
            self._reading_paused = True
            self._deadline.hold()
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._reading_paused and not self._transport.is_closing():
            self._reading_paused = False
            self._deadline.go_on()
            self._transport.resume_reading()

    def _discard(self, size: int) -> None:
        self._discarded_bytes += size
        if self._discarded_bytes > MAX_DISCARDED_BYTES:
            self._transport.abort()

    def _refuse(self, refusal: Refusal) -> None:
        """Close the connection because of the request that is being received, once those before it are answered."""
        self._deadline.clear()
        self._refusal = refusal
        if self._reader.expecting is BODY:
            if self._newest.complete:
                self.end()  # it has its answer
                return
            if self._waiting and self._waiting[-1] is self._newest:
                self._waiting.pop()  # it has not begun
            elif self._newest.started:
                self._transport.abort()  # two answers cannot be told apart
                return
            self._newest.disconnect()
        if not self._is_answering():
            self._tell_refusal(refusal)

    def _tell_refusal(self, refusal: Refusal) -> None:
        self.count_refused(refusal.code)
        self.write(refusal.answer())
        self.end()

    def _push(self, part: bytes) -> bool:
        return not self.is_full and self._answering is not None and self._answering.push(part)

    def _tell_if_left(self, tell: Callable[[], None]) -> None:
        if self._answering is None or self._answering.gone:
            tell()
            return
        self._answering.tell_if_left(tell)
        if self._client_has_ended:
            self._answering.client_left()

    def _hang_up(self) -> None:
        if self._answering is not None:
            self._answering.hang_up()

    def _cut(self) -> None:
        self._transport.abort()
