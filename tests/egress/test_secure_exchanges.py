"""What TLS changes for a connection: nothing that a call can see."""

import asyncio
import socket
import ssl

import pytest
from targets import receive

from tasker.egress import connection as connections
from tasker.egress.connector import Connector, look_up
from tasker.egress.http_client import DeliveryError, Request
from tasker.egress.pooled_client import PooledClient

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


async def answering(reader, writer):
    while True:
        await receive(reader)
        writer.write(OK)


@pytest.fixture(params=VERSIONS, ids=lambda version: version.name)
def offered(request, certificate):
    """The server's end of TLS, for hook.example."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    context.minimum_version = context.maximum_version = request.param
    return context


@pytest.fixture
async def client(anyio_backend, certificate):
    connector = Connector(lambda _, port: look_up("127.0.0.1", port))
    connector._tls.load_verify_locations(certificate[0])
    client = PooledClient(connector)
    yield client
    await client.close()


def at(url):
    """The same under the name that the certificate is for."""
    return url.replace("127.0.0.1", "hook.example")


async def post(client, url, body=b"x"):
    return await client.send(Request("POST", at(url), {}, body, 20), lambda: None)


async def test_a_connection_is_used_again_and_long_bodies_arrive_whole(client, target, offered):
    bodies = []

    async def serve(reader, writer):
        while True:
            bodies.append((await receive(reader)).partition(b"\r\n\r\n")[2])
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n" + b"y" * 60_000)

    url, target = await target(serve, ssl=offered, limit=1 << 23)
    sent = [b"x", bytes(range(256)) * 20_000, b"", b"z"]

    for body in sent:
        exchange = await post(client, url, body)
        assert (exchange.status, exchange.body, exchange.note) == (200, "y" * 1_024, None)

    assert bodies == sent
    assert target.connections == 1


@pytest.mark.parametrize("says_so", [True, False], ids=["says that it ends", "is cut"])
async def test_a_body_without_a_length_is_whole_only_if_the_target_says_that_it_ends(client, target, offered, says_so):
    async def serve(reader, writer):
        await receive(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nbody")
        await writer.drain()
        if not says_so:
            connected = writer.get_extra_info("socket")
            with socket.fromfd(connected.fileno(), connected.family, connected.type) as bare:
                bare.shutdown(socket.SHUT_WR)
            await reader.read()

    url, _ = await target(serve, ssl=offered)

    exchange = await post(client, url)

    assert (exchange.status, exchange.body) == (200, "body")
    assert exchange.note == (None if says_so else "the answer broke off before its end")
    assert len(client._idle) == 0


async def test_an_answer_is_read_although_its_target_closes_before_it_has_read_the_request(
    client, offered, meanwhile, monkeypatch
):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept():
            return offered.wrap_socket(listening.accept()[0], server_side=True)

        accepting = asyncio.create_task(asyncio.to_thread(accept))
        connect = client._connector.connect

        async def connect_at_both_ends(*place, **options):
            connection = await connect(*place, **options)
            await accepting
            return connection

        monkeypatch.setattr(client._connector, "connect", connect_at_both_ends)

        def answer_and_reset():
            theirs = accepting.result()
            theirs.recv(1_000)
            theirs.sendall(b"HTTP/1.1 429 -\r\nretry-after: 120\r\ncontent-length: 4\r\n\r\nbusy")
            theirs.close()  # a reset, since not all was read

        meanwhile.append(answer_and_reset)

        exchange = await post(client, f"https://127.0.0.1:{listening.getsockname()[1]}/", b"x" * 20_000_000)

    assert (exchange.status, exchange.headers["retry-after"], exchange.body) == (429, "120", "busy")
    assert len(client._idle) == 0


async def test_what_tls_says_of_its_own_accord_on_an_idle_connection_is_no_end_of_it(
    client, target, offered, monkeypatch
):
    monkeypatch.setattr(connections, "_TRUSTED_SECONDS", 0)
    url, target = await target(answering, ssl=offered)

    for _ in range(3):  # in TLS 1.3 tickets for later sessions come with, or after, the first answer
        assert (await post(client, url)).status == 200

    assert target.connections == 1


async def test_an_end_that_tls_tells_of_unseen_is_looked_for_before_a_connection_is_used_again(
    client, offered, monkeypatch
):
    monkeypatch.setattr(connections, "_TRUSTED_SECONDS", 0)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            theirs = offered.wrap_socket(listening.accept()[0], server_side=True)
            theirs.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what it sends is there at once
            theirs.recv(1_000)
            theirs.sendall(OK)
            return theirs

        answering = asyncio.create_task(asyncio.to_thread(answer))
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
        await post(client, url)
        theirs = await answering
        [kept] = client._idle
        assert kept.is_usable()

        theirs.setblocking(False)
        with pytest.raises(ssl.SSLWantReadError):
            theirs.unwrap()  # says that it ends, and awaits the same

        assert not kept.is_usable(), "the event loop has not heard of it, but it has come"
        theirs.close()


async def test_a_target_that_closes_during_the_handshake_has_no_tls(client, target):
    async def serve(reader, writer):
        await reader.read(1)

    url, target = await target(serve)

    with pytest.raises(DeliveryError) as caught:
        await post(client, url.replace("http:", "https:"))

    assert caught.value.code == "tls_failed"
    assert target.connections == 1


async def test_a_handshake_that_is_cut_short_closes_its_connection(client, target):
    url, target = await target(lambda reader, _: reader.read())

    with pytest.raises(DeliveryError) as caught:
        await client.send(Request("GET", at(url).replace("http:", "https:"), {}, None, 0.2), lambda: None)

    assert caught.value.code == "connect_timeout"
    async with asyncio.timeout(10):
        await target.ended.wait()


async def test_bytes_that_are_no_tls_after_the_handshake_end_the_connection(client, offered):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            theirs = offered.wrap_socket(listening.accept()[0], server_side=True)
            theirs.recv(1_000)
            theirs.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbody")
            with socket.socket(fileno=theirs.detach()) as bare:
                bare.sendall(b"garbage" * 10)

        answering = asyncio.create_task(asyncio.to_thread(answer))
        exchange = await post(client, f"https://127.0.0.1:{listening.getsockname()[1]}/")
        await answering

    assert (exchange.status, exchange.body) == (200, "body")
    assert exchange.note == "the answer broke off before its end"
    assert len(client._idle) == 0


async def test_what_tls_takes_is_counted_once_for_each_connection(client, target, offered):
    url, _ = await target(answering, ssl=offered)

    for _ in range(2):
        await post(client, url)

    counts = {phase: each.count for phase, each in client.meter.phases.items()}
    assert counts == {"lookup": 1, "connect": 1, "tls": 1, "first_byte": 2, "total": 2}
    assert client.meter.phases["tls"].sum > 0
    (found,) = client.meter.by_destination().items()
    assert found == (at(url).removeprefix("https://").rstrip("/"), [0, 0, 2, 0, 0, 0])
    assert (client.under_way, client.kept_open) == (0, 1)
