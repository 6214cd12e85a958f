"""The HTTP client, against real sockets of this machine."""

import asyncio
import gzip
import socket
import ssl
import struct
import subprocess
import threading

import pytest
from targets import receive

from tasker.egress import connector
from tasker.egress.connection import Connection
from tasker.egress.http_client import ANSWER_LIMIT, DeliveryError, Request
from tasker.egress.pooled_client import PooledClient
from tasker.testing.webhook_receiver import WebhookReceiver, answer

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


def answering(data):
    """A target that answers every request with *data*."""

    async def serve(reader, writer):
        while True:
            await receive(reader)
            writer.write(data)

    return serve


def closing_after(data):
    """A target that answers the first request with *data* and closes."""

    async def serve(reader, writer):
        await receive(reader)
        writer.write(data)
        await writer.drain()

    return serve


async def failure(caller, url, **options):
    """The call fails; with what."""
    with pytest.raises(DeliveryError) as caught:
        await caller.post(url, **options)
    return caught.value


def reset(writer):
    """Close with a reset."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


# What is sent


@pytest.mark.parametrize("body", [b"x", b'{"a": "\xc3\xa9"}\r\n', b"\0\r\n\r\n\xff", b"x" * 1_000_000])
async def test_the_body_and_the_headers_arrive_as_they_were_given(caller, sink, body):
    headers = {"content-type": "text/plain; charset=utf-8", "X-Mixed-Case": "a, b", "accept-encoding": "identity"}

    assert (await caller.post(sink.url("/a%20b?c=%2F&d"), body, headers=headers)).status == 200

    [delivery] = sink.deliveries()
    assert (delivery.method, delivery.path, delivery.body) == ("POST", "/a%20b?c=%2F&d", body)
    assert delivery.headers == {
        "host": f"127.0.0.1:{sink.port}",
        "content-type": "text/plain; charset=utf-8",
        "x-mixed-case": "a, b",
        "content-length": str(len(body)),
        "accept-encoding": "identity",
    }


async def test_a_url_with_letters_beyond_ascii_is_encoded_and_one_without_is_left_alone(caller, sink):
    for path in ("/ä b?ö=1", "/%7Ea/%2e%2e/b?x=%61", "/a//b/./c"):
        await caller.post(sink.url(path))

    assert [delivery.path for delivery in sink.deliveries()] == [
        "/%C3%A4%20b?%C3%B6=1",
        "/%7Ea/%2e%2e/b?x=%61",
        "/a//b/./c",
    ]


async def test_userinfo_becomes_basic_authentication(caller, sink):
    await caller.post(f"http://us%40er:pa%3Ass@127.0.0.1:{sink.port}/x")

    [delivery] = sink.deliveries()
    assert delivery.headers["authorization"] == "Basic dXNAZXI6cGE6c3M="
    assert delivery.headers["host"] == f"127.0.0.1:{sink.port}"
    assert delivery.path == "/x"


async def test_a_connection_is_used_again(caller, target):
    url, target = await target(answering(OK))

    for _ in range(5):
        assert (await caller.post(url)).status == 200

    assert target.connections == 1
    assert caller.announced == 5


async def test_calls_at_the_same_time_do_not_wait_for_each_other(caller, target):
    together = asyncio.Barrier(150)

    async def serve(reader, writer):
        await receive(reader)
        await together.wait()
        writer.write(OK)

    url, target = await target(serve, backlog=200)

    answers = await asyncio.gather(*(caller.post(url) for _ in range(150)))

    assert {response.status for response in answers} == {200}
    assert target.connections == 150


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(caller, status):
    with WebhookReceiver(lambda _: answer(status, headers="location: /elsewhere\r\n")) as sink:
        assert (await caller.post(sink.url("/here"))).status == status
        assert [delivery.path for delivery in sink.deliveries()] == ["/here"]


async def test_proxies_and_credentials_in_the_environment_are_ignored(
    anyio_backend, sink, monkeypatch, tmp_path, target
):
    proxy, at_proxy = await target(answering(OK))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, proxy)
        monkeypatch.setenv(name.upper(), proxy)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    client = PooledClient()  # made now: these variables might be read only once

    request = Request("POST", sink.url(), {}, b"x", 20)
    assert (await client.send(request, lambda: None)).status == 200
    await client.close()

    assert "authorization" not in sink.deliveries()[0].headers
    assert at_proxy.connections == 0


async def test_cookies_are_not_kept(caller):
    with WebhookReceiver(lambda _: answer(200, headers="set-cookie: a=b; path=/\r\n")) as sink:
        for _ in range(2):
            await caller.post(sink.url())
        assert all("cookie" not in delivery.headers for delivery in sink.deliveries())


# What is read


@pytest.mark.parametrize("status", [200, 204, 299, 304, 400, 404, 500, 599, 999])
async def test_any_status_is_an_answer(caller, sink, status):
    assert (await caller.post(sink.url(f"/status/{status}"))).status == status


async def test_an_interim_answer_is_no_answer(caller, target):
    url, _ = await target(answering(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + OK))

    assert (await caller.post(url)).status == 200


async def test_an_answer_of_the_limit_is_read_and_its_connection_used_again(caller, target):
    url, target = await target(answering(answer(200, b"x" * ANSWER_LIMIT)))

    for _ in range(2):
        assert (await caller.post(url)).status == 200

    assert target.connections == 1


async def test_an_answer_that_comes_before_the_body_is_sent_is_the_answer(caller, target):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
        await asyncio.Event().wait()

    url, target = await target(serve)

    assert (await caller.post(url, b"x" * 20_000_000)).status == 413
    assert len(caller._client._idle) == 0, "the rest of the body may not follow another request"


BUSY = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 120\r\n"


@pytest.mark.parametrize(
    ("rest", "body", "note"),
    [
        (b"content-length: 4\r\n\r\nbusy", "busy", None),
        (b"transfer-encoding: chunked\r\n\r\n4\r\nbusy\r\n0\r\n\r\n", "busy", None),
        (b"content-length: 9\r\n\r\nbusy", "busy", "the answer broke off before its end"),
        (b"", "", "the answer broke off before its end"),
    ],
    ids=["a length", "chunks", "half a body", "half a head"],
)
async def test_an_answer_is_read_although_its_target_closes_before_it_has_read_the_request(
    caller, anyio_backend, meanwhile, rest, body, note
):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer_and_reset():
            theirs, _ = listening.accept()
            theirs.recv(1_000)
            theirs.sendall(BUSY + rest)
            theirs.close()  # a reset, since not all was read

        meanwhile.append(answer_and_reset)

        exchange = await caller.post(f"http://127.0.0.1:{listening.getsockname()[1]}/", b"x" * 20_000_000)

    assert (exchange.status, exchange.headers["retry-after"]) == (429, "120")
    assert (exchange.body, exchange.note) == (body, note)
    assert len(caller._client._idle) == 0


def endless(head, piece):
    """A target that never stops answering. It counts what it got rid of."""
    sent = []

    async def serve(reader, writer):
        await receive(reader)
        writer.write(head)
        while not writer.is_closing():
            writer.write(piece)
            sent.append(len(piece))
            await writer.drain()

    return serve, sent


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 4_096),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n", b"x" * 4_096),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1000\r\n" + b"x" * 4_096 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 1_000),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"x-trailer: " + b"x" * 4_096 + b"\r\n"),
    ],
    ids=["until the connection ends", "a length", "chunks", "small chunks", "trailers"],
)
async def test_an_endless_answer_is_cut_off_and_its_connection_closed(caller, target, head, piece):
    serve, sent = endless(head, piece)
    url, target = await target(serve)

    assert (await caller.post(url)).status == 200

    async with asyncio.timeout(10):
        await target.ended.wait()
    assert sum(sent) < 32 << 20, "the limit, and what the systems of both sides hold"


@pytest.mark.parametrize(
    ("head", "piece", "status"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 1_000, 200),
        (b"HTTP/1.1 200 OK\r\nx: ", b"x" * 4_096, 200),
        (b"HTTP/1.1 200 OK\n", b" x: y\n" * 1_000, 200),
        (b"HTTP/1.1 200 ", b"x" * 4_096, None),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100, None),
        (b"", b"HTTP/1.1 103 Early Hints\n\n" * 100, None),
    ],
    ids=["headers", "a header", "odd headers", "a reason", "interim answers", "odd interim answers"],
)
async def test_an_answer_whose_head_never_ends_has_its_status_or_is_no_http(caller, target, head, piece, status):
    serve, sent = endless(head, piece)
    url, target = await target(serve)

    if status is None:
        assert (await failure(caller, url)).code == "bad_response"
    else:
        exchange = await caller.post(url)
        assert (exchange.status, exchange.note) == (200, "the answer's headers are longer than 64 KiB")

    async with asyncio.timeout(10):
        await target.ended.wait()
    assert sum(sent) < 32 << 20


async def test_a_compressed_answer_is_not_decompressed(caller):
    bomb = gzip.compress(bytes(50 << 20))
    assert len(bomb) < ANSWER_LIMIT
    with WebhookReceiver(lambda _: answer(200, bomb, headers="content-encoding: gzip\r\n")) as sink:
        assert (await caller.post(sink.url())).status == 200
    with WebhookReceiver(lambda _: answer(200, b"no gzip", headers="content-encoding: gzip\r\n")) as sink:
        assert (await caller.post(sink.url())).status == 200


# When there is no answer


def says_nothing_of(error, *secrets):
    assert not any(
        secret in f"{error} {error.msg}" for secret in ("127.0.0.1", "user", "p4ss", "?", "t0ken", *secrets)
    ), error
    assert "\n" not in error.msg
    return error


@pytest.fixture
def closed_port():
    """A port on which nobody listens: bound, so that nobody else takes it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


async def test_a_name_that_cannot_be_resolved(caller, names):
    names["nowhere.example"] = socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    error = says_nothing_of(await failure(caller, "http://user:p4ss@nowhere.example/?t0ken"), "nowhere")

    assert (error.code, error.permanent, caller.announced) == ("dns_failed", False, 0)


async def test_a_target_that_refuses_connections(caller, closed_port):
    error = says_nothing_of(await failure(caller, f"http://user:p4ss@127.0.0.1:{closed_port}/?t0ken"), str(closed_port))

    assert (error.code, error.permanent, caller.announced) == ("connect_refused", False, 0)


async def test_a_target_that_does_not_take_the_connection_in_time(caller, deaf_port):
    error = says_nothing_of(
        await failure(caller, f"http://user:p4ss@127.0.0.1:{deaf_port}/?t0ken", timeout_seconds=0.2)
    )

    assert (error.code, error.permanent, caller.announced) == ("connect_timeout", False, 0)
    assert "0.2 s" in error.msg


async def test_a_name_server_that_does_not_answer_in_time(caller, names):
    answered = threading.Event()
    names["slow.example"] = answered.wait

    error = says_nothing_of(await failure(caller, "http://user:p4ss@slow.example/?t0ken", timeout_seconds=0.1), "slow")
    answered.set()

    assert (error.code, error.is_targets_fault, caller.announced) == ("dns_failed", True, 0)
    assert "0.1 s" in error.msg


async def test_a_network_that_cannot_be_reached(caller, monkeypatch):
    async def unreachable(*_, **__):
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(connector, "start_connection", unreachable)

    error = says_nothing_of(await failure(caller, "http://user:p4ss@127.0.0.1:9/?t0ken"))

    assert (error.code, error.permanent, caller.announced) == ("connect_failed", False, 0)


@pytest.fixture(scope="session")
def self_signed(tmp_path_factory):
    """A TLS context whose certificate nobody has signed."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate),
            *("-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


async def test_a_certificate_that_nobody_has_signed(caller, target, self_signed):
    url, _ = await target(answering(OK), ssl=self_signed)

    error = says_nothing_of(await failure(caller, url.replace("//", "//user:p4ss@") + "?t0ken"), "localhost")

    assert (error.code, error.permanent, caller.announced) == ("tls_failed", False, 0)


async def test_a_target_that_speaks_no_tls(caller, target):
    async def serve(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    url, _ = await target(serve)

    error = says_nothing_of(await failure(caller, url.replace("http://", "https://user:p4ss@") + "?t0ken"))

    assert (error.code, caller.announced) == ("tls_failed", 0)


async def test_an_answer_that_does_not_begin_in_time(caller, target):
    async def serve(reader, writer):
        await receive(reader)
        await reader.read()

    url, target = await target(serve)

    error = says_nothing_of(await failure(caller, url.replace("//", "//user:p4ss@") + "?t0ken", timeout_seconds=0.2))

    assert (error.code, error.permanent, caller.announced) == ("timeout", False, 1)
    assert "0.2 s" in error.msg
    async with asyncio.timeout(10):
        await target.ended.wait()


async def test_a_target_that_drips_its_answer_does_not_extend_the_time(caller, target):
    async def serve(reader, writer):
        await receive(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.02)

    url, target = await target(serve)

    assert (await caller.post(url, timeout_seconds=0.2)).status == 200

    async with asyncio.timeout(10):
        await target.ended.wait()


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 20", b"HTTP/1.1 200 OK"])
async def test_a_target_that_closes_before_its_answer(caller, target, beginning):
    url, target = await target(closing_after(beginning))

    error = says_nothing_of(await failure(caller, url.replace("//", "//user:p4ss@") + "?t0ken"))

    assert (error.code, error.permanent, caller.announced) == ("connection_lost", False, 1)
    assert target.connections == 1


async def test_a_target_that_resets_the_connection(caller, target):
    async def serve(reader, writer):
        await receive(reader)
        reset(writer)

    url, target = await target(serve)

    error = says_nothing_of(await failure(caller, url + "?t0ken"))

    assert (error.code, caller.announced, target.connections) == ("connection_lost", 1, 1)


async def test_a_target_that_resets_the_connection_while_a_long_body_is_sent(caller, target):
    async def serve(reader, writer):
        await reader.read(10_000)
        reset(writer)

    url, target = await target(serve)

    error = says_nothing_of(await failure(caller, url, body=b"x" * 20_000_000))

    assert (error.code, caller.announced, target.connections) == ("connection_lost", 1, 1)


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2 t0ken\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"\0" * 1_000,
    ],
    ids=lambda data: repr(data[:70]),
)
async def test_what_is_not_http_is_a_bad_response(caller, target, data):
    url, target = await target(closing_after(data))

    error = says_nothing_of(await failure(caller, url + "?t0ken"))

    assert (error.code, error.permanent, caller.announced) == ("bad_response", False, 1)
    assert target.connections == 1


@pytest.mark.parametrize(
    "url",
    [
        *("http://", "http:///t0ken", "http://[::1/t0ken", "http://127.0.0.1:99999/t0ken", "t0ken"),
        *("http://user:p4ss@t0ken..example/", f"http://user:p4ss@{'t0ken' * 20}.example/"),
    ],
)
async def test_a_url_that_cannot_be_used_never_will_be(caller, url):
    error = says_nothing_of(await failure(caller, url))

    assert (error.code, error.permanent, caller.announced) == ("invalid_url", True, 0)


# The connection that was kept


@pytest.mark.parametrize("end", [lambda writer: writer.close(), reset], ids=["closes", "resets"])
async def test_a_connection_that_the_target_closed_while_it_was_idle_is_not_used_again(caller, target, end):
    ended = asyncio.Event()

    async def serve(reader, writer):
        await receive(reader)
        writer.write(OK)
        await writer.drain()
        end(writer)
        ended.set()

    url, target = await target(serve)
    for _ in range(3):
        assert (await caller.post(url)).status == 200
        await ended.wait()
        ended.clear()
        async with asyncio.timeout(10):
            while any(kept.is_idle for kept in caller._client._idle):  # noqa: ASYNC110 - nobody is told
                await asyncio.sleep(0)

    assert target.connections == 3


@pytest.mark.parametrize("end", [lambda writer: writer.close(), reset], ids=["closes", "resets"])
async def test_a_kept_connection_that_ends_at_the_worst_moment_sends_no_request_twice(caller, target, end):
    requests = []

    async def serve(reader, writer):
        requests.append(await receive(reader))
        writer.write(OK)
        requests.append(await receive(reader))
        end(writer)

    url, target = await target(serve)
    assert (await caller.post(url, b"first")).status == 200

    error = await failure(caller, url, body=b"second")

    assert (error.code, caller.announced, target.connections) == ("connection_lost", 2, 1)
    assert [request.rpartition(b"\r\n")[2] for request in requests] == [b"first", b"second"]


async def test_data_that_nobody_asked_for_is_not_the_answer_to_the_next_request(caller, target):
    async def serve(reader, writer):
        await receive(reader)
        writer.write(OK + b"HTTP/1.1 500 Smuggled\r\ncontent-length: 0\r\n\r\n")
        await receive(reader)
        writer.write(OK)

    url, _ = await target(serve)

    for _ in range(3):
        assert (await caller.post(url)).status == 200


async def test_an_end_that_has_arrived_unseen_is_looked_for_unless_the_connection_was_used_just_now(anyio_backend):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection = Connection(ours)
        connection.is_idle, connection.idle_since = True, asyncio.get_running_loop().time() - 10
        assert connection.is_usable()
        theirs.close()
        assert not connection.is_usable()
        connection.idle_since = asyncio.get_running_loop().time()
        assert connection.is_usable(), "nobody closes a connection that is in use"


# Addresses that are never called


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "0xa9fea9fe",
        "0XA9FEA9FE",
        "0xa9.254.0xa9.0xfe",
        *("169.254.43518", "2852039166", "0251.0376.0251.0376"),
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[::169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::]",
        "[fe80::1]",
        "[fe80::1%25lo]",
        "[fd00:ec2::254]",
        "\uff11\uff16\uff19.254.169.254",
        "169\u3002254\u3002169\u3002254",
    ],
)
async def test_a_refused_address_is_not_called_however_it_is_written(caller, host):
    error = says_nothing_of(
        await failure(caller, f"http://user:p4ss@{host}:1/?t0ken", timeout_seconds=5), "169", "fe80"
    )

    assert (error.code, error.permanent, caller.announced) == ("egress_denied", True, 0)
    assert "never called" in error.msg


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "0x7f000001", "0x7f.0.0.1", "2130706433", "127.1", "0177.0.0.1", "localhost", "[::ffff:127.0.0.1]"],
)
async def test_loopback_is_called_however_it_is_written(caller, sink, host):
    assert (await caller.post(f"http://{host}:{sink.port}/")).status == 200


async def test_a_name_with_nothing_but_refused_addresses_is_not_called(caller, names):
    names["inner.example"] = ["169.254.169.254", "fe80::1"]

    error = says_nothing_of(await failure(caller, "http://user:p4ss@inner.example/?t0ken"), "inner")

    assert (error.code, error.permanent, caller.announced) == ("egress_denied", True, 0)


@pytest.mark.parametrize("addresses", [["169.254.169.254", "127.0.0.1"], ["127.0.0.1", "::ffff:169.254.169.254"]])
async def test_of_a_name_with_refused_and_other_addresses_the_others_are_called(
    caller, names, sink, closed_port, addresses
):
    names["both.example"] = addresses

    assert (await caller.post(f"http://both.example:{sink.port}/")).status == 200
    error = await failure(caller, f"http://both.example:{closed_port}/")

    assert (error.code, error.permanent) == ("connect_refused", False), "what the other address came to"


async def test_a_name_is_looked_up_for_every_connection(caller, names):
    names["moving.example"] = ["127.0.0.1"]
    with WebhookReceiver(lambda _: answer(200, headers="connection: close\r\n")) as sink:
        url = f"http://moving.example:{sink.port}/"
        assert (await caller.post(url)).status == 200

        names["moving.example"] = ["169.254.169.254"]

        assert (await failure(caller, url)).code == "egress_denied"
        assert len(sink.deliveries()) == 1


# Cancellation


@pytest.mark.parametrize(
    "beginning", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"], ids=["no answer", "half of one"]
)
async def test_a_cancelled_call_closes_its_connection(caller, target, beginning):
    begun = asyncio.Event()

    async def serve(reader, writer):
        await receive(reader)
        writer.write(beginning)
        begun.set()
        await reader.read()

    url, target = await target(serve)
    calling = asyncio.create_task(caller.post(url))
    await begun.wait()

    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling

    async with asyncio.timeout(10):
        await target.ended.wait()


async def test_a_client_that_is_closed_closes_the_connections_it_has_kept(caller, target):
    url, target = await target(answering(OK))
    await caller.post(url)

    await caller._client.close()

    async with asyncio.timeout(10):
        await target.ended.wait()
