"""TLS to targets: whom it trusts, how far a target may go before it is secure, and what is said when it is not.

The handshake and the records are done here, over OpenSSL's memory buffers, so that every byte is counted: neither asyncio nor
uvloop says how much a target sends that never becomes an answer.

Sources: RFC 8446 (TLS 1.3), RFC 9325 (what to leave out of TLS), RFC 9525 (which names of a certificate count).
"""

import asyncio
import os
import re
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar, cast

from tasker.egress.http_client import DeliveryError
from tasker.errors import StartError

HANDSHAKE_LIMIT: Final = 128 * 1024
"""Bytes that a target may send until TLS is established; OpenSSL takes certificates of 100 KiB."""

HANDSHAKE_SECONDS: Final = 30.0
"""How long TLS may take to establish, within the time of the attempt."""

SILENT_LIMIT: Final = 64 * 1024
"""Bytes that a target may send afterwards without any that belong to an answer: tickets, new keys, empty records."""

_PIECE: Final = 16 * 1024
"""Bytes that OpenSSL gets at once, so that it is asked in between what came of them."""

_HASHED: Final = re.compile(r"[0-9a-f]{8}\.[0-9]+")
"""Names of the files in a directory of authorities that OpenSSL reads."""

_Inner = TypeVar("_Inner", bound=asyncio.Protocol)


def client_context() -> ssl.SSLContext:
    """Return what every connection to a target is made with. All that it reads from files is read now.

    Trusted are the authorities of the system, or those that the variables ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name, as in
    other programs that use OpenSSL. What is trusted may be an intermediate authority, or a target's own certificate.

    Raises:
        StartError: one of the variables names what cannot be read, or a file without a certificate.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False  # RFC 9525, section 2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET  # no connection takes up the session of another
    # As Python 3.13 has it, except that private authorities need not have each extension that RFC 5280 asks for.
    context.verify_flags = (context.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
    context.set_alpn_protocols(["http/1.1"])
    _load_named(context)
    return context


async def secured(connected: socket.socket, inner: _Inner, context: ssl.SSLContext, host: str) -> _Inner:
    """Make *inner* the protocol of a TLS connection over *connected*, and return it once that is established.

    Args:
        connected: a socket; it is closed with the connection.
        inner: gets what is decrypted.
        context: as ``client_context`` makes it.
        host: what the certificate has to be for: a name in ASCII without a final dot, which the target is told, too, or an
            address without its zone.

    Raises:
        DeliveryError: ``tls_failed``. The connection is closed.
    """
    layer = _Layer(inner, context, host)
    patience = asyncio.timeout(HANDSHAKE_SECONDS)
    try:
        async with patience:
            await asyncio.get_running_loop().create_connection(lambda: layer, sock=connected)
            await layer.established
    except BaseException as error:
        layer.give_up(connected)
        if patience.expired() and isinstance(error, TimeoutError):
            raise _tls_failed(f"the target did not complete the TLS handshake within {HANDSHAKE_SECONDS:g} s") from None
        if isinstance(error, ssl.SSLError):
            raise _tls_failed(_reason(error)) from None
        if isinstance(error, (OSError, RuntimeError)) and not (isinstance(error, TimeoutError) and error.errno is None):
            raise _tls_failed("the target closed the connection before it was secure") from None
        raise
    return inner


class _Layer(asyncio.Protocol, asyncio.Transport):
    """The protocol of a plain transport, and the transport of the protocol within TLS."""

    def __init__(self, inner: asyncio.Protocol, context: ssl.SSLContext, host: str) -> None:
        super().__init__()
        self._inner = inner
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._plain: asyncio.Transport | None = None
        self._left = HANDSHAKE_LIMIT
        self._error: Exception | None = None
        self.established: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Ends when the handshake has."""

    def give_up(self, connected: socket.socket) -> None:
        """Close *connected*, and the plain transport if it is over that: at once, unless the target is being told why."""
        if self._plain is None:
            connected.close()
        elif not self._plain.is_closing():
            self._plain.abort()

    # The protocol of the plain transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._plain = cast("asyncio.Transport", transport)
        self._go_on()

    def data_received(self, data: bytes) -> None:
        """Take what came, a piece at a time, until it is too much."""
        for at in range(0, len(data), _PIECE):
            if self.is_closing():
                return
            piece = data[at : at + _PIECE]
            self._left -= len(piece)
            self._incoming.write(piece)
            self._go_on()
            if self._left < 0:
                self._end(_tls_failed("the target sends without end what is no answer: TLS records that say nothing"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        if not self.established.done():
            self.established.set_exception(self._error or exc or ConnectionResetError())
        elif not self.established.cancelled() and self.established.exception() is None:
            self._inner.connection_lost(self._error or exc)

    def _go_on(self) -> None:
        """Do what can be done with the bytes that are there."""
        try:
            if not self.established.done():
                self._tls.do_handshake()
                self.established.set_result(None)
                self._left = SILENT_LIMIT
                self._inner.connection_made(self)
            self._read()
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLError as error:
            self._flush()  # why, which the target should hear
            self._end(error)

    def _read(self) -> None:
        parts = []
        try:
            while part := self._tls.read(_PIECE):
                parts.append(part)
        finally:
            if parts:
                self._left = SILENT_LIMIT
                self._inner.data_received(b"".join(parts))
        self._end(None)  # the target says that this was all

    def _end(self, error: Exception | None) -> None:
        """Close when what is written has been sent."""
        self._error = self._error or error
        if not self.established.done():
            self.established.set_exception(error or ConnectionResetError())
        if self._plain is not None:
            self._plain.close()

    def _flush(self) -> None:
        if self._outgoing.pending and self._plain is not None and not self._plain.is_closing():
            self._plain.write(self._outgoing.read())

    # The transport of the protocol within

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt *data* and send it."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._tls.write(rest) :]
        except ssl.SSLError as error:
            self._end(error)
        self._flush()

    def get_write_buffer_size(self) -> int:
        """Return how many encrypted bytes have not been sent yet."""
        return 0 if self._plain is None else self._plain.get_write_buffer_size()

    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self._plain is None or self._plain.is_closing()

    def abort(self) -> None:
        """Close at once."""
        if self._plain is not None:
            self._plain.abort()


def _load_named(context: ssl.SSLContext) -> None:
    """Read what the variables name: OpenSSL itself would not say what is missing, and read a directory when it needs it."""
    paths = ssl.get_default_verify_paths()
    file, directories = os.environ.get(paths.openssl_cafile_env), os.environ.get(paths.openssl_capath_env)
    if file is None and directories is None:
        return
    if file:
        try:
            context.load_verify_locations(cafile=file)
        except OSError as error:  # that of ssl is one, too
            reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
            raise StartError(f"cannot read {file}, which {paths.openssl_cafile_env} names: {reason}") from None
    for directory in (directories or paths.openssl_capath).split(os.pathsep):
        try:
            files = sorted(Path(directory).iterdir())
        except OSError as error:
            if directories is None:
                continue
            raise StartError(f"cannot read {directory}, which {paths.openssl_capath_env} names: {error.strerror}") from None
        for path in files:
            if _HASHED.fullmatch(path.name):
                with suppress(OSError):  # OpenSSL passes over what it cannot read, too
                    context.load_verify_locations(cafile=path)


_CERTIFICATE: Final = {
    9: "the target's certificate is not valid yet: compare the clocks of both machines",
    10: "the target's certificate has expired: it has to be renewed there",
    18: "the target's certificate is signed by itself: if it is the right one, name it with SSL_CERT_FILE",
    62: "the target's certificate is for another name: this host has to be among its alternative names (subjectAltName)",
    64: "the target's certificate is for another name: this address has to be among its alternative names (subjectAltName)",
}
_ISSUER: Final = (
    "the issuer of the target's certificate is not known here: "
    "name a private authority with SSL_CERT_FILE, or have the target send its intermediate certificates, too"
)
_CERTIFICATE.update(dict.fromkeys((2, 19, 20, 21), _ISSUER))
"""By the codes of OpenSSL's x509_vfy.h."""

_NO_TLS: Final = "the target does not speak TLS at this port: if it speaks HTTP there, its URL begins with http"
_OLD_TLS: Final = "the target has no version of TLS that is safe: 1.2 is the least"
_REFUSED: Final = "the target refused the TLS handshake: it has no cipher that is safe, or asks for a certificate of the client"
_HANDSHAKE: Final = {
    "WRONG_VERSION_NUMBER": _NO_TLS,
    "PACKET_LENGTH_TOO_LONG": _NO_TLS,
    "HTTP_REQUEST": _NO_TLS,
    "UNSUPPORTED_PROTOCOL": _OLD_TLS,
    "TLSV1_ALERT_PROTOCOL_VERSION": _OLD_TLS,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": _REFUSED,
    "TLSV1_UNRECOGNIZED_NAME": "the target serves no host of this name by TLS",
}


def _reason(error: ssl.SSLError) -> str:
    """Return what is wrong and what to do. Shows no name and no address."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATE.get(error.verify_code) or f"the target's certificate is not acceptable: {error.verify_message}"
    return _HANDSHAKE.get(error.reason or "", "the target's TLS is not acceptable")


def _tls_failed(msg: str) -> DeliveryError:
    return DeliveryError("tls_failed", msg)
