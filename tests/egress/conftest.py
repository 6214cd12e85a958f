"""An HTTP client, and targets that answer byte by byte."""

import asyncio
import socket
import subprocess

import pytest
from targets import Target

from tasker.egress.connection import Connection
from tasker.egress.connector import Connector, look_up
from tasker.egress.http_client import Request
from tasker.egress.pooled_client import PooledClient
from tasker.testing.webhook_receiver import WebhookReceiver


class Caller:
    """Calls with a client, and counts how often that said that its first byte goes out."""

    def __init__(self, client):
        self.announced = 0
        self._client = client

    async def post(self, url, body=b"x", **options):
        return await self.send("POST", url, body, **options)

    async def send(self, method, url, body=None, *, headers=None, timeout_seconds=20):
        return await self._client.send(Request(method, url, headers or {}, body, timeout_seconds), self._announce)

    def _announce(self):
        self.announced += 1


class Sending:
    """A socket that makes calls when a part of a request has been sent, so that the next write meets what they did."""

    def __init__(self, connected, calls):
        self._connected, self._calls = connected, calls

    def send(self, data):
        sent = self._connected.send(data)
        for call in self._calls:
            call()
        return sent

    def __getattr__(self, name):
        return getattr(self._connected, name)


@pytest.fixture
def meanwhile(monkeypatch):
    """Calls to make when a part of a request has been sent."""
    calls, send = [], Connection._send

    def send_a_part(connection, request):
        connection._socket = Sending(connection._socket, calls)
        send(connection, request)

    monkeypatch.setattr(Connection, "_send", send_a_part)
    return calls


@pytest.fixture
def anyio_backend():
    """uvloop, as in production."""
    return ("asyncio", {"use_uvloop": True})


@pytest.fixture
async def caller(anyio_backend, names):
    def lookup(host, port):
        if host not in names:
            return look_up(host, port)
        if isinstance(names[host], Exception):
            raise names[host]
        if callable(names[host]):
            names[host]()
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return [_resolved(address, port) for address in names[host]]

    client = PooledClient(Connector(lookup))
    yield Caller(client)
    await client.close()


@pytest.fixture
def sink():
    with WebhookReceiver() as sink:
        yield sink


@pytest.fixture
async def target(anyio_backend):
    """Starts targets: ``url, target = await target(serve)``."""
    servers, handlers = [], []

    async def start(serve, **options):
        target = Target(serve)

        async def handle(reader, writer):
            handlers.append(asyncio.current_task())
            await target.handle(reader, writer)

        server = await asyncio.start_server(handle, "127.0.0.1", 0, **options)
        servers.append(server)
        return f"http{'s' if 'ssl' in options else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}/", target

    yield start
    for server in servers:
        server.close()
    for handler in handlers:
        handler.cancel()
    await asyncio.gather(*handlers, return_exceptions=True)


@pytest.fixture
def names():
    """Says what host names resolve to: a list of addresses, an error, or what has to return before it fails."""
    return {}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A file with a certificate for hook.example alone, which is its own authority, and the file of its key."""
    folder = tmp_path_factory.mktemp("guard-tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate),
            *("-days", "2", "-subj", "/CN=hook.example", "-addext", "subjectAltName=DNS:hook.example"),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


@pytest.fixture
def deaf_port():
    """A port whose queue of new connections is full: a further one waits."""
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(deaf.getsockname())
        yield deaf.getsockname()[1]


def _resolved(address, port):
    family, place = (socket.AF_INET6, (address, port, 0, 0)) if ":" in address else (socket.AF_INET, (address, port))
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place)
