"""What tests of the guard call with, and whom."""

import asyncio
import secrets
import socket
import subprocess

import pytest
from targets import receive

from tasker.egress.connector import Connector, Durations, Origin
from tasker.egress.http_client import DeliveryError, Request
from tasker.egress.pooled_client import PooledClient

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
CLOSING = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Sink:
    """Takes connections at one address and keeps the heads of the requests."""

    def __init__(self, answer=OK):
        self.connections = 0
        self.heads = []
        self.answer = answer

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            while True:
                self.heads.append((await receive(reader)).decode())
                writer.write(self.answer)
                await writer.drain()
        except (OSError, EOFError):
            pass  # the client hung up
        finally:
            writer.close()

    async def closing(self, reader, writer):
        """As ``serve``, once: the end of the connection ends the answer."""
        self.connections += 1
        self.heads.append((await receive(reader)).decode())
        writer.write(self.answer)
        writer.close()


class Inside:
    """This machine as seen from outside.

    ``public`` stands at 127.0.0.2, ``internal`` at 127.0.0.1, both at one port.
    """

    def __init__(self):
        self.public, self.internal = Sink(), Sink()
        self.port = 0

    async def __aenter__(self):
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            self.port = held.getsockname()[1]
        self._servers = [
            await asyncio.start_server(self.public.serve, "127.0.0.2", self.port),
            await asyncio.start_server(self.internal.serve, "127.0.0.1", self.port),
        ]
        return self

    async def __aexit__(self, *_):
        for server in self._servers:
            server.close()


async def post(client, url, *, body=b"x", timeout_seconds=20):
    """Call *url* and return the status."""
    return (await client.send(Request("POST", url, {}, body, timeout_seconds), lambda: None)).status


async def failure(client, url, **options):
    """Call *url*, which fails; return with what."""
    with pytest.raises(DeliveryError) as caught:
        await post(client, url, **options)
    return caught.value


async def refused(host, port=8080, *, is_secure=False, **options):
    """Connect to *host* with a connector of its own, which fails; return with what."""
    connector = Connector(**options)
    try:
        with pytest.raises(DeliveryError) as caught:
            await connector.connect(Origin(host, port, is_secure), Durations())
    finally:
        connector.close()
    return caught.value


def new_client(*arguments, **options):
    """Return a client over a connector that is made with these."""
    return PooledClient(Connector(*arguments, **options))


def new_certificate(folder, names, *options, subject="/CN=hook.example"):
    """Return the files of a certificate for *names* that signs itself, and of its key.

    Args:
        folder: where they are made.
        names: its alternative names, as OpenSSL writes them; None: none.
        options: more for ``openssl req -x509``, such as an authority that signs it.
        subject: of the certificate.
    """
    stem = secrets.token_hex(4)
    key, certificate = folder / f"{stem}.key.pem", folder / f"{stem}.pem"
    alternative = [] if names is None else ["-addext", f"subjectAltName={names}"]
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate),
            *("-days", "2", "-subj", subject, *alternative, *options),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key
