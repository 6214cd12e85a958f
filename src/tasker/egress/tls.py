"""TLS between a connection and its socket: the connection reads and writes the socket itself, to the last byte."""

import ssl
from collections.abc import Iterator
from typing import Final

_PART: Final = 64 * 1024


class Tls:
    """A client's end of TLS. It turns bytes into bytes and touches no socket.

    What it makes of its own accord, such as its part of the handshake, is taken out with ``unsent``.
    """

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        """Make one for a certificate of *host*."""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self.is_secure = False
        """Whether the handshake is over: the other end is who it says, and bytes can be sealed."""
        self.is_ended = False
        """Whether the other end has said that it sends no more. Without that, an end may be anybody's doing."""

    def begin(self) -> bytes:
        """Return what begins the handshake."""
        for _ in self.opened(b""):
            pass
        return self.unsent()

    def opened(self, data: bytes) -> Iterator[bytes]:
        """Yield what *data*, which has come, says, in parts, to be taken to the end.

        Raises:
            ssl.SSLError: it is no TLS, or none that is acceptable. Nothing more can be made of what comes.
        """
        self._incoming.write(data)
        try:
            if not self.is_secure:
                self._tls.do_handshake()
                self.is_secure = True
            while part := self._tls.read(_PART):
                yield part
            self.is_ended = True
        except ssl.SSLWantReadError:
            pass

    def sealed(self, data: bytes) -> bytes:
        """Return *data* as it is to be sent, with what is unsent before it."""
        view = memoryview(data)
        while view:
            view = view[self._tls.write(view) :]
        return self._outgoing.read()

    def unsent(self) -> bytes:
        """Return what is to be sent now, once."""
        return self._outgoing.read()
