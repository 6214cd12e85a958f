"""TLS to targets: whom it trusts, how far a target may go before it is secure, and what is said when it is not.

It is done here, over OpenSSL's memory buffers. So every byte is counted: neither asyncio nor uvloop
says how much a target sends that never becomes an answer. And a connection reads and writes its
socket itself, to the last byte: an answer that came early is read although a write has failed.

Sources: RFC 8446 (TLS 1.3), RFC 9325 (what to leave out of TLS), RFC 9525 (which names of a
certificate count).
"""

import asyncio
import os
import re
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Final

from tasker.egress.http_client import DeliveryError
from tasker.errors import StartError
from tasker.timing.patience import Within

HANDSHAKE_LIMIT: Final = 128 * 1024
"""Bytes that a target may send until TLS is established; OpenSSL takes certificates of 100 KiB."""

HANDSHAKE_SECONDS: Final = 30.0
"""How long TLS may take to establish, within the time of the attempt."""

SILENT_LIMIT: Final = 64 * 1024
"""Bytes that a target may send afterwards without any that belong to an answer: tickets, new keys,
empty records."""

_PIECE: Final = 16 * 1024
"""Bytes that OpenSSL gets at once, so that it is asked in between what came of them."""

_HASHED: Final = re.compile(r"[0-9a-f]{8}\.[0-9]+")
"""Names of the files in a directory of authorities that OpenSSL reads."""


def client_context() -> ssl.SSLContext:
    """Return what every connection to a target is made with. All that it reads from files is read now.

    Trusted are the authorities of the system, or those that the variables ``SSL_CERT_FILE`` and
    ``SSL_CERT_DIR`` name, as in other programs that use OpenSSL. What is trusted may be an
    intermediate authority, or a target's own certificate.

    Raises:
        StartError: one of the variables names what cannot be read, or a file without a certificate.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False  # RFC 9525, section 2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET  # no connection takes up the session of another
    # As Python 3.13 has it, except that private authorities need not have each extension that RFC
    # 5280 asks for.
    context.verify_flags = (context.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
    context.set_alpn_protocols(["http/1.1"])
    _load_named(context)
    return context


class Tls:
    """A client's end of one connection. It turns bytes into bytes and touches no socket. Needs a running event loop.

    What it says of its own accord, such as its part of the handshake, is taken out with ``unsent``.
    """

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        """Make it.

        Args:
            context: as ``client_context`` makes it.
            host: what the certificate has to be for: a name in ASCII without a final dot, which the
                target is told, too, or an address without its zone.
        """
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._waiting: asyncio.Future[None] | None = None
        self._is_established = False
        self._has_said = False
        self._left = HANDSHAKE_LIMIT
        self.error: DeliveryError | None = None
        """Why nothing more can be made of what comes: ``tls_failed``, ``connection_lost`` if it
        broke later. None: it can."""
        self.is_ended = False
        """Whether the target has said that it sends no more. Without that, an end may be anybody's
        doing."""

    def begin(self) -> bytes:
        """Return what begins the handshake."""
        if self.error is None:
            with suppress(ssl.SSLWantReadError):
                self._tls.do_handshake()
        return self.unsent()

    async def established(self) -> None:
        """Return once the handshake is over: the target is who it says, and bytes can be sealed.

        Raises:
            DeliveryError: ``tls_failed``. It has come to nothing, or takes too long.
        """
        if self.error is not None:
            raise self.error
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            with Within(HANDSHAKE_SECONDS):
                await self._waiting
        except TimeoutError:
            raise _tls_failed(f"{_LATE} within {HANDSHAKE_SECONDS:g} s") from None

    def opened(self, data: bytes) -> bytes:
        """Return what *data*, which has come, says. What follows an end or an ``error`` says nothing."""
        said: list[bytes] = []
        for at in range(0, len(data), _PIECE):
            if self.error is not None or self.is_ended:
                break
            self._open(data[at : at + _PIECE], said)
        return b"".join(said)

    def sealed(self, data: bytes) -> bytes:
        """Return *data* as it is to be sent, with what is unsent before it."""
        sealed = self._tls.write(data)
        while sealed < len(data):
            sealed += self._tls.write(memoryview(data)[sealed:])
        return self._outgoing.read()

    def unsent(self) -> bytes:
        """Return what is to be sent now, once."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def cut(self) -> None:
        """Be told that nothing more comes."""
        if not self._is_established and self.error is None:
            self._fail(_tls_failed(_CUT))

    def _open(self, piece: bytes, said: list[bytes]) -> None:
        """Add to *said* what *piece* says."""
        self._left -= len(piece)
        self._incoming.write(piece)
        try:
            if not self._is_established:
                self._shake_hands()
            while self._incoming.pending or self._tls.pending():
                part = self._tls.read(_PIECE)
                if not part:
                    self.is_ended = True
                    return
                said.append(part)
                self._left, self._has_said = SILENT_LIMIT, True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self._fail(self._named(error))
            return
        if self._left < 0:
            self._fail(_tls_failed(_ENDLESS))

    def _shake_hands(self) -> None:
        self._tls.do_handshake()
        self._is_established = True
        self._left = SILENT_LIMIT
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _fail(self, error: DeliveryError) -> None:
        self.error = error
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)

    def _named(self, error: ssl.SSLError) -> DeliveryError:
        """Return what *error* says of the target.

        In TLS 1.3 it may refuse the client when the client's handshake is over.
        """
        if not self._is_established or (not self._has_said and "ALERT" in (error.reason or "")):
            return _tls_failed(_reason(error))
        return DeliveryError("connection_lost", "the target broke TLS off")


def _load_named(context: ssl.SSLContext) -> None:
    """Read what the variables name.

    OpenSSL itself would not say what is missing, and would read a directory only when it needs it.
    """
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
            raise StartError(
                f"cannot read {directory}, which {paths.openssl_capath_env} names: {error.strerror}"
            ) from None
        for path in files:
            if _HASHED.fullmatch(path.name):
                with suppress(OSError):  # OpenSSL passes over what it cannot read, too
                    context.load_verify_locations(cafile=path)


_CERTIFICATE: Final = {
    9: "the target's certificate is not valid yet: compare the clocks of both machines",
    10: "the target's certificate has expired: it has to be renewed there",
    18: "the target's certificate is signed by itself: if it is the right one, name it with SSL_CERT_FILE",
    62: "the target's certificate is for another name: "
    "this host has to be among its alternative names (subjectAltName)",
    64: "the target's certificate is for another name: "
    "this address has to be among its alternative names (subjectAltName)",
}
_ISSUER: Final = (
    "the issuer of the target's certificate is not known here: "
    "name a private authority with SSL_CERT_FILE, or have the target send its intermediate certificates, too"
)
_CERTIFICATE.update(dict.fromkeys((2, 19, 20, 21), _ISSUER))
"""By the codes of OpenSSL's x509_vfy.h."""

_NO_TLS: Final = "the target does not speak TLS at this port: if it speaks HTTP there, its URL begins with http"
_OLD_TLS: Final = "the target has no version of TLS that is safe: 1.2 is the least"
_REFUSED: Final = (
    "the target refused the TLS handshake: it has no cipher that is safe, or asks for a certificate of the client"
)
_ASKS: Final = "the target asks for a certificate of the client, and there is none: no target is called with one"
_HANDSHAKE: Final = {
    "WRONG_VERSION_NUMBER": _NO_TLS,
    "PACKET_LENGTH_TOO_LONG": _NO_TLS,
    "HTTP_REQUEST": _NO_TLS,
    "UNSUPPORTED_PROTOCOL": _OLD_TLS,
    "TLSV1_ALERT_PROTOCOL_VERSION": _OLD_TLS,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": _REFUSED,
    "SSLV3_ALERT_BAD_CERTIFICATE": _ASKS,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": _ASKS,
    "TLSV1_UNRECOGNIZED_NAME": "the target serves no host of this name by TLS",
}

_CUT: Final = "the target closed the connection before it was secure"
_LATE: Final = "the target did not complete the TLS handshake"
_ENDLESS: Final = "the target sends without end what is no answer: TLS records that say nothing"
_ODD: Final = "the target's TLS is not acceptable"


def _reason(error: ssl.SSLError) -> str:
    """Return what is wrong and what to do. Shows no name and no address."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            _CERTIFICATE.get(error.verify_code) or f"the target's certificate is not acceptable: {error.verify_message}"
        )
    return _HANDSHAKE.get(error.reason or "", _ODD)


def _tls_failed(msg: str) -> DeliveryError:
    return DeliveryError("tls_failed", msg)
