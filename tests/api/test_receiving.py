"""Clients that are slow, send too much, send nonsense, or hang up."""

import asyncio
import json
from datetime import timedelta

import pytest
from rest_server import HASH, problem_in, request_bytes, running

from polling import holds
from tasker.api.receiving import connection as receiving
from tasker.interfaces.tasks import Page

pytestmark = pytest.mark.anyio

POST = "POST /tasks/new HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
CHUNKED = POST + "transfer-encoding: chunked\r\n\r\n"
SHORT = {"header_timeout": timedelta(seconds=0.3), "body_timeout": timedelta(seconds=0.3)}


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


async def no_connection_is_left(server):
    await holds(lambda: not server.uvicorn.server_state.connections)


async def send_until_closed(connection, piece):
    """Send *piece* again and again; return how many bytes it were when the server closed."""
    sent = 0
    try:
        while True:
            await connection.send(piece)
            sent += len(piece)
    except OSError:
        return sent


# Bodies beyond the limit


@pytest.mark.parametrize("length", [1_048_577, 10**12, 2**63, 2**64 - 1])
async def test_a_body_that_is_declared_too_long_is_refused_before_it_comes(server, length):
    connection = await server.connect()
    await connection.send(f"{POST}content-length: {length}\r\n\r\n")

    reply = await connection.reply()

    assert (reply.status, reply.headers["connection"]) == (413, "close")
    problem_in(reply)
    assert await connection.rest() == b""
    await connection.close()


async def test_a_client_that_waits_for_100_continue_is_refused_at_once(server):
    connection = await server.connect()
    await connection.send(f"{POST}expect: 100-continue\r\ncontent-length: 2000000\r\n\r\n")

    assert (await connection.reply()).status == 413
    await connection.close()


async def test_a_chunked_body_is_refused_as_soon_as_it_is_too_long(server):
    connection = await server.connect()
    await connection.send(CHUNKED)
    for _ in range(17):
        await connection.send(chunk(b"x" * 65_536))

    reply = await connection.reply()

    assert (reply.status, reply.headers["connection"]) == (413, "close")
    await connection.close()


@pytest.mark.parametrize("megabytes", [2, 40])
async def test_a_client_that_sends_everything_first_still_reads_the_413(server, megabytes):
    for _ in range(3):
        connection = await server.connect()
        await connection.send(f"{POST}content-length: {megabytes << 20}\r\n\r\n")
        for _ in range(megabytes):
            await connection.send(b"x" * (1 << 20))

        assert (await connection.reply()).status == 413
        assert await connection.rest() == b""
        await connection.close()
    await no_connection_is_left(server)


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (f"{POST}content-length: {10**15}\r\n\r\n", b"x" * 65_536),
        (CHUNKED, chunk(b"x" * 65_536)),
        (f"{POST.replace('application/json', 'text/plain')}content-length: {10**15}\r\n\r\n", b"x" * 65_536),
        (f"{POST.replace('application/json', 'text/plain')}transfer-encoding: chunked\r\n\r\n", chunk(b"x" * 65_536)),
        ("GET /healthz HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n", chunk(b"x" * 65_536)),
        ("nonsense\r\n\r\n", b"x" * 65_536),
    ],
)
async def test_an_endless_upload_is_not_read_for_ever(server, monkeypatch, head, piece):
    monkeypatch.setattr(receiving, "MAX_DISCARDED_BYTES", 4 << 20)
    connection = await server.connect()
    await connection.send(head)

    sent = await send_until_closed(connection, piece)

    assert sent < 64 << 20  # what is discarded, and what the systems of both sides hold
    await no_connection_is_left(server)
    await connection.close()


@pytest.mark.parametrize(
    "endless",
    [b"1;" + b"x" * 65_536 + b"\r\nx\r\n", b"0\r\n" + b"x-trailer: " + b"x" * 65_536 + b"\r\n"],
    ids=["chunk extensions", "trailers"],
)
async def test_a_body_that_is_all_framing_is_refused(server, endless):
    connection = await server.connect()
    await connection.send(CHUNKED)

    async with asyncio.timeout(10):
        await asyncio.gather(send_until_closed(connection, endless), no_connection_is_left(server))
    await connection.close()


# Headers


async def test_headers_and_url_of_almost_64_kib_are_taken(server):
    assert (await server.call("GET", "/healthz", headers={"x-long": "x" * 65_000})).status == 200
    await server.refused("GET", "/" + "x" * 65_000, status=404)


@pytest.mark.parametrize(
    "request_line_and_headers",
    [
        "GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-long: " + "x" * 65_536 + "\r\n\r\n",
        "GET /" + "x" * 65_536 + " HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "GET /healthz?" + "x" * 1_000_000 + " HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "GET /healthz HTTP/1.1\r\n" + "a: b\r\n" * 20_000 + "\r\n",
    ],
    ids=["a header", "a URL", "a query string", "many headers"],
)
async def test_headers_or_a_url_beyond_64_kib_are_refused(server, request_line_and_headers):
    connection = await server.connect()
    await connection.send(request_line_and_headers)

    reply = await connection.reply()

    assert (reply.status, reply.headers["connection"]) == (431, "close")
    assert "65536" in problem_in(reply)
    assert await connection.rest() == b""
    await connection.close()


async def test_headers_without_an_end_are_refused(server):
    connection = await server.connect()
    await connection.send("GET / HTTP/1.1\r\nx: ")
    sending = asyncio.create_task(send_until_closed(connection, b"x" * 4_096))

    assert (await connection.reply()).status == 431
    await connection.close()
    await sending


async def test_a_long_body_and_the_beginning_of_the_next_request_in_one_piece_are_no_long_header(server):
    connection = await server.connect()
    body = json.dumps({"hash": HASH["hash"] | {"x": "x" * 200_000}}).encode()
    await connection.send(request_bytes("POST", "/tasks/new", body) + b"GET /heal")
    assert (await connection.reply()).status == 400

    await connection.send(b"thz HTTP/1.1\r\nhost: localhost\r\n\r\n")

    assert (await connection.reply()).status == 200
    await connection.close()


# Nonsense

LINE = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n"
FAULTS = [
    (400, "a method in capitals", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    (400, "a method in capitals", b"G\0T / HTTP/1.1\r\nhost: localhost\r\n\r\n"),
    (400, "a method in capitals", b"get / HTTP/1.1\r\nhost: localhost\r\n\r\n"),
    (400, "no proxy", b"CONNECT localhost:80 HTTP/1.1\r\nhost: localhost\r\n\r\n"),
    (505, "HTTP/1.1 or HTTP/1.0", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    (505, "HTTP/1.1 or HTTP/1.0", b"GET /healthz HTTP/9.9\r\n\r\n"),
    (505, "HTTP/1.1 or HTTP/1.0", b"GET /healthz HTTP/2.0\r\nhost: localhost\r\n\r\n"),
    (505, "HTTP/1.1 or HTTP/1.0", b"GET /healthz HTTP/0.9\r\n\r\n"),
    (505, "HTTP/1.1 or HTTP/1.0", b"GET /healthz\r\n\r\n"),
    (400, "request line that ends", b"GET /healthz HTTP/x.y\r\n\r\n"),
    (400, "request line that ends", b"GET /healthz FTP/1.1\r\n\r\n"),
    (400, "request line that ends", b"GET /health z HTTP/1.1\r\n\r\n"),
    (400, "request line that ends", b"GET /healthz HTTP/1.1\nhost: localhost\n\n"),
    (400, "a target", b"GET  HTTP/1.1\r\nhost: localhost\r\n\r\n"),
    (400, "a target", b"GET healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"),
    (400, "a target", b"GET /\0 HTTP/1.1\r\nhost: localhost\r\n\r\n"),
    (400, "a target", b"GET /\xc3\xa4 HTTP/1.1\r\nhost: localhost\r\n\r\n"),
    (400, "a target", b"GET /healthz#x HTTP/1.1\r\nhost: localhost\r\n\r\n"),
    (400, "a target", b"GET ftp://localhost/healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"),
    (400, "a target", b"GET http:///healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"),
    (400, "a target", b"GET http://me:secret@localhost/healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"),
    (400, "control characters", LINE + b"x: lo\0cal\r\n\r\n"),
    (400, "control characters", LINE + b"x: \x7f\r\n\r\n"),
    (400, "header names", LINE + b"x\xff: localhost\r\n\r\n"),
    (400, "header names", LINE + b"x : localhost\r\n\r\n"),
    (400, "header names", LINE + b"no colon\r\n\r\n"),
    (400, "folding", LINE + b"x: y\r\n z\r\n\r\n"),
    (400, "folding", b"GET /healthz HTTP/1.1\r\n host: localhost\r\n\r\n"),
    (400, "CR LF", LINE + b"x: y\nz: z\r\n\r\n"),
    (400, "CR LF", LINE + b"x: y\rz: z\r\n\r\n"),
    (400, "decimal digits", POST.encode() + b"content-length: -1\r\n\r\n"),
    (400, "decimal digits", POST.encode() + b"content-length: 1e3\r\n\r\n"),
    (400, "decimal digits", POST.encode() + b"content-length: 2, 2\r\n\r\n{}"),
    (400, "decimal digits", POST.encode() + b"content-length:\r\n\r\n{}"),
    (400, "less than 2^64", POST.encode() + b"content-length: 18446744073709551616\r\n\r\n"),
    (400, "one Content-Length", POST.encode() + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}"),
    (400, "either", POST.encode() + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}"),
    (400, "either", POST.encode() + b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n{}"),
    (400, "chunked as the last", POST.encode() + b"transfer-encoding: gzip\r\n\r\n"),
    (400, "chunked as the last", POST.encode() + b"transfer-encoding: chunked, gzip\r\n\r\n"),
    (400, "chunked as the last", POST.encode() + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n"),
    (400, "HTTP/1.0", b"POST /tasks/new HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    (501, "no transfer coding but chunked", POST.encode() + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    (501, "but chunked", POST.encode() + b"transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, "its size in hexadecimal", CHUNKED.encode() + b"xyz\r\n"),
    (400, "its size in hexadecimal", CHUNKED.encode() + b"\r\n"),
    (400, "where a chunk ends", CHUNKED.encode() + b"2\r\n{}}}\r\n"),
    (400, "a chunk of less than 2^64", CHUNKED.encode() + b"ffffffffffffffffff\r\n"),
    (400, "extensions", CHUNKED.encode() + b"2;a=\0\r\n{}\r\n"),
    (400, "header names", CHUNKED.encode() + b"0\r\nno trailer\r\n\r\n"),
]


@pytest.mark.parametrize(("status", "words", "data"), FAULTS, ids=[repr(data[-40:]) for *_, data in FAULTS])
async def test_what_is_not_http_is_refused_with_what_would_be_and_the_connection_closed(server, status, words, data):
    connection = await server.connect()
    await connection.send(data)

    reply = await connection.reply()

    assert (reply.status, reply.headers["connection"]) == (status, "close")
    assert words in problem_in(reply)
    assert "secret" not in problem_in(reply)
    code = {400: "bad_request", 501: "not_implemented", 505: "http_version_not_supported"}[status]
    assert reply.json["code"] == code
    assert await connection.rest() == b""
    await connection.close()
    assert (await server.call("GET", "/healthz")).status == 200


# Ambiguities: what a proxy in front may read in another way

JSON_TYPE = "content-type: application/json\r\n"


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("Host", "host: evil.example\r\nhost: localhost\r\n"),
        ("Host", "host: localhost\r\nHost: localhost\r\n"),
        ("Authorization", "host: localhost\r\nauthorization: Bearer a\r\nauthorization: Bearer b\r\n"),
        ("Content-Type", "host: localhost\r\ncontent-type: text/plain\r\n"),
        ("Origin", "host: localhost\r\norigin: http://evil.example\r\norigin: http://localhost\r\n"),
        ("Sec-Fetch-Site", "host: localhost\r\nsec-fetch-site: cross-site\r\nsec-fetch-site: none\r\n"),
        ("Expect", "host: localhost\r\nexpect: 100-continue\r\nexpect: x\r\n"),
    ],
)
async def test_a_header_that_decides_something_may_come_once(server, name, lines):
    body = json.dumps(HASH)
    reply = await server.raw(f"POST /tasks/new HTTP/1.1\r\n{lines}{JSON_TYPE}content-length: {len(body)}\r\n\r\n{body}")

    assert reply.startswith(b"HTTP/1.1 400")
    assert f"the header {name} at most once, got it 2 times".encode() in reply
    assert (await server.call("GET", "/stats")).json["tasks"]["todo"] == 0


async def test_other_headers_may_come_several_times(server):
    again = "accept: a\r\naccept: b\r\nx-forwarded-for: a\r\nx-forwarded-for: b\r\n"
    reply = await server.raw(f"GET /healthz HTTP/1.1\r\nhost: localhost\r\n{again}connection: close\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        ("http://localhost/nodes", "evil.example", 200),
        ("http://evil.example/nodes", "localhost", 403),
        ("HTTP://LOCALHOST:8080/nodes", "localhost", 200),
        ("http://[::1]/nodes", "localhost", 200),
        ("http://a:b:c/nodes", "localhost", 403),
    ],
)
async def test_a_target_that_names_a_host_decides_over_the_header(server, target, host, status):
    assert (await server.call("GET", target, headers={"host": host})).status == status
    assert (await server.raw(f"GET {target} HTTP/1.0\r\n\r\n")).startswith(b"HTTP/1.1 %d" % status)
    assert (await server.call("GET", target, headers={"host": None})).status == 403, (
        "HTTP/1.1 asks for the header in any case"
    )


@pytest.mark.parametrize(("target", "status"), [("http://localhost", 200), ("http://localhost?x", 400)])
async def test_a_target_that_names_a_host_alone_asks_for_the_root(server, target, status):
    assert (await server.call("GET", target, headers={"host": "localhost"})).status == status


@pytest.mark.parametrize("target", ["*", "http://localhost/healthz", "/healthz?a=%zz&%00", "/%zz", "/healthz#x"])
async def test_an_unusual_target_gets_an_answer(server, target):
    for method in ("GET", "OPTIONS"):
        assert (await server.call(method, target)).status in (200, 400, 404, 405)


async def test_an_offer_of_another_protocol_is_declined(server):
    connection = await server.connect()
    offers = {"connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c", "http2-settings": "AAMAAABkAAQAAP__"}
    await connection.send(request_bytes("POST", "/tasks/new", HASH, offers) + request_bytes("GET", "/healthz"))

    assert (await connection.reply()).status == 201
    assert (await connection.reply()).status == 200
    websocket = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-key": "x" * 24,
        "sec-websocket-version": "13",
    }
    assert (await connection.request("GET", "/healthz", headers=websocket)).status == 200
    await connection.close()


# Old and pipelined


async def test_http_1_0_is_answered_without_chunks_and_closed(server):
    await server.new()
    one = await server.raw("GET /tasks/state/todo HTTP/1.0\r\n\r\n")
    head, _, body = one.partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 OK")
    assert b"transfer-encoding" not in head
    assert b"connection: close" in head
    assert len(json.loads(body)) == 1

    data = json.dumps(HASH)
    post = f"POST /tasks/new HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n{data}"
    assert (await server.raw(post)).startswith(b"HTTP/1.1 201")
    assert (await server.raw("HEAD /tasks/state/todo HTTP/1.0\r\n\r\n")).endswith(b"\r\n\r\n")
    assert b"problem+json" in await server.raw("GET /nope HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")


async def test_pipelined_requests_are_answered_in_order(server):
    connection = await server.connect()
    requests = [
        (request_bytes("POST", "/tasks/new", HASH), 201),
        (request_bytes("GET", "/tasks/state/todo"), 200),
        (request_bytes("POST", "/tasks/new", b"{"), 400),
        (request_bytes("GET", "/nope"), 404),
        (request_bytes("PUT", "/tasks/new", b"{}"), 405),
        (request_bytes("GET", "/healthz"), 200),
    ] * 20
    await connection.send(b"".join(data for data, _ in requests))

    assert [(await connection.reply()).status for _ in requests] == [status for _, status in requests]
    await connection.close()


@pytest.mark.parametrize(
    ("broken", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (CHUNKED.encode() + b"xyz\r\n", 400),
        (b"GET / HTTP/1.1\r\nx: " + b"x" * 70_000 + b"\r\n\r\n", 431),
        (POST.encode() + b"content-length: 9999999\r\n\r\n", 413),
    ],
)
async def test_a_broken_request_is_refused_after_the_answers_to_those_before_it(server, broken, status):
    connection = await server.connect()
    good = [request_bytes("POST", "/tasks/new", HASH), request_bytes("GET", "/tasks/state/todo")] * 3
    await connection.send(b"".join(good) + broken)

    assert [(await connection.reply()).status for _ in good] == [201, 200] * 3
    assert (await connection.reply()).status == status
    assert await connection.rest() == b""
    await connection.close()


async def test_a_client_may_end_its_side_and_wait_for_the_answers(server):
    connection = await server.connect()
    await connection.send(request_bytes("POST", "/tasks/new", HASH) * 3)
    connection.end_sending()

    assert [(await connection.reply()).status for _ in range(3)] == [201] * 3
    assert await connection.rest() == b""
    await connection.close()
    await no_connection_is_left(server)


# Hanging up


@pytest.mark.parametrize("way", ["close", "hang_up"])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET /hea",
        f"{POST}content-length: 100\r\n\r\n".encode(),
        f"{POST}content-length: 100\r\n\r\n".encode() + b'{"hash"',
        CHUNKED.encode() + b"5\r\nxx",
        request_bytes("POST", "/tasks/new", HASH),
        request_bytes("POST", "/tasks/new", HASH) * 50,
        request_bytes("GET", "/tasks/state/todo") * 50,
        request_bytes("POST", "/tasks/new", HASH) * 5 + b"nonsense\r\n\r\n",
        f"{POST}content-length: 9999999\r\n\r\n".encode() + b"x" * 100_000,
    ],
    ids=lambda data: repr(data[:60]),
)
async def test_a_client_that_hangs_up_leaves_nothing_behind(server, way, data):
    for _ in range(5):
        connection = await server.connect()
        await connection.send(data)
        closing = getattr(connection, way)()
        if closing is not None:
            await closing
    await no_connection_is_left(server)
    await holds(lambda: not server.uvicorn.server_state.tasks)

    assert (await server.call("POST", "/tasks/new", HASH)).status == 201


async def test_a_list_nobody_reads_any_more_is_not_read_to_its_end():
    began, taken = asyncio.Event(), 0

    class Endless:
        def __init__(self, service):
            self._service = service

        def __getattr__(self, name):
            return getattr(self._service, name)

        async def page(self, caller, which, *, after, limit):
            nonlocal taken
            taken += 1
            if taken > 1:
                began.set()
            await asyncio.sleep(0)
            return Page((await self._service.page(caller, which, after=None, limit=1)).tasks, "x")

    async with running(Endless) as server:
        await server.new()
        connection = await server.connect()
        await connection.send("GET /tasks/type/hash HTTP/1.1\r\nhost: localhost\r\n\r\n")
        await began.wait()
        connection.hang_up()
        await no_connection_is_left(server)
        await holds(lambda: not server.uvicorn.server_state.tasks)


async def test_a_slow_reader_is_not_read_ahead_of():
    pages_read = 0

    class Long:
        def __init__(self, service):
            self._service = service

        def __getattr__(self, name):
            return getattr(self._service, name)

        async def page(self, caller, which, *, after, limit):
            nonlocal pages_read
            if which.type is None:  # the call that sees whether the other one goes on
                return await self._service.page(caller, which, after=after, limit=limit)
            pages_read += 1
            page = await self._service.page(caller, which, after=None, limit=limit)
            return Page(page.tasks, "x" if pages_read < 60 else None)

    async with running(Long) as server:
        for _ in range(200):
            await server.new({"hash": HASH["hash"] | {"secret": "x" * 4_096}})
        connection = await server.connect(limit=1_024)
        await connection.send("GET /tasks/type/hash HTTP/1.1\r\nhost: localhost\r\n\r\n")
        before = -1
        while before != pages_read or pages_read == 0:
            before = pages_read
            await server.call("GET", "/tasks/state/todo?limit=1000")
        assert pages_read < 40, "a page is 0.9 MB: the buffers of the connection are full after a few"

        assert len((await connection.reply()).json) == 60 * 200
        await connection.close()


# Slowness


async def test_headers_that_take_too_long_are_refused():
    async with running(**SHORT) as server:
        connection = await server.connect()
        await connection.send("GET /healthz HTTP/1.1\r\nhost: local")

        reply = await connection.reply()

        assert (reply.status, reply.headers["connection"]) == (408, "close")
        assert "0.3 s" in problem_in(reply)
        assert await connection.rest() == b""
        await connection.close()


async def test_a_byte_now_and_then_does_not_extend_the_deadline():
    async with running(**SHORT) as server:
        connection = await server.connect()

        async def drip():
            for byte in b"GET /healthz HTTP/1.1\r\nx: " + b"x" * 10_000:
                await connection.send(bytes([byte]))
                await asyncio.sleep(0.05)

        dripping = asyncio.create_task(drip())
        assert (await connection.reply()).status == 408
        dripping.cancel()
        await connection.close()


@pytest.mark.parametrize(
    "beginning", [f"{POST}content-length: 100\r\n\r\n", CHUNKED, f"{POST}content-length: 9\r\n\r\n{{"]
)
async def test_a_body_that_takes_too_long_is_refused(beginning):
    async with running(**SHORT) as server:
        connection = await server.connect()
        await connection.send(beginning)

        reply = await connection.reply()

        assert (reply.status, reply.headers["connection"]) == (408, "close")
        assert "body" in problem_in(reply)
        assert (await server.call("GET", "/stats")).json["tasks"]["todo"] == 0
        await connection.close()


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", request_bytes("GET", "/healthz") + b"\r\n"])
async def test_a_connection_that_asks_for_nothing_is_closed_without_a_word(data):
    async with running(**SHORT, keep_alive_timeout=timedelta(seconds=0.3)) as server:
        connection = await server.connect()
        await connection.send(data)
        if data.startswith(b"GET"):
            assert (await connection.reply()).status == 200

        assert await connection.rest() == b""
        await connection.close()


async def test_a_client_that_never_sends_the_rest_of_a_refused_body_is_closed():
    async with running(**SHORT) as server:
        connection = await server.connect()
        await connection.send(f"{POST.replace('application/json', 'text/plain')}content-length: 100\r\n\r\n")
        assert (await connection.reply()).status == 415

        assert await connection.rest() == b""
        await connection.close()
        await no_connection_is_left(server)


async def test_the_second_request_of_a_connection_has_a_deadline_too():
    async with running(**SHORT) as server:
        connection = await server.connect()
        assert (await connection.request("GET", "/healthz")).status == 200
        await connection.send("GET /hea")

        assert (await connection.reply()).status == 408
        await connection.close()


async def test_a_request_in_time_is_served_however_it_is_cut():
    async with running() as server:
        data = request_bytes("POST", "/tasks/new", HASH)
        connection = await server.connect()
        for byte in data * 2:
            await connection.send(bytes([byte]))

        assert [(await connection.reply()).status for _ in range(2)] == [201, 201]
        await connection.close()


async def test_a_thousand_slow_connections_do_not_disturb_others(server):
    slow = [await server.connect() for _ in range(1_000)]
    for n, connection in enumerate(slow):
        await connection.send("GET /healthz HTTP/1.1\r\nx: " if n % 2 else f"{POST}content-length: 1000\r\n\r\n")

    async def drip():
        while True:
            for connection in slow:
                await connection.send("x")
            await asyncio.sleep(1)

    dripping = asyncio.create_task(drip())
    connection = await server.connect()
    for _ in range(300):
        assert (await connection.request("POST", "/tasks/new", HASH)).status == 201
    dripping.cancel()
    for each in [*slow, connection]:
        await each.close()
    await no_connection_is_left(server)


# The end of the server


async def test_a_server_that_stops_finishes_what_it_has_begun_and_closes_the_rest():
    going_on = asyncio.Event()

    class Slow:
        def __init__(self, service):
            self._service = service

        def __getattr__(self, name):
            return getattr(self._service, name)

        async def create(self, *args):
            await going_on.wait()
            return await self._service.create(*args)

    async with running(Slow) as server:
        busy, idle, half = [await server.connect() for _ in range(3)]
        assert (await idle.request("GET", "/healthz")).status == 200
        await half.send("GET /hea")
        await busy.send(request_bytes("POST", "/tasks/new", HASH))
        await holds(lambda: len(server.uvicorn.server_state.tasks) == 1)

        stopping = asyncio.create_task(server.stop())

        assert await idle.rest() == b""
        assert await half.rest() == b""
        going_on.set()
        reply = await busy.reply()
        assert (reply.status, reply.headers["connection"]) == (201, "close")
        await stopping
        for connection in (busy, idle, half):
            await connection.close()


async def test_a_server_that_waits_no_longer_hangs_up_without_a_traceback(caplog, logged):
    class Stuck:
        def __init__(self, service):
            self._service = service

        def __getattr__(self, name):
            return getattr(self._service, name)

        async def create(self, *_):
            await asyncio.Event().wait()

    async with running(Stuck) as server:
        connection = await server.connect()
        await connection.send(request_bytes("POST", "/tasks/new", HASH))
        await holds(lambda: len(server.uvicorn.server_state.tasks) == 1)
        for task in list(server.uvicorn.server_state.tasks):
            task.cancel()

        assert await connection.rest() == b""
        await connection.close()
    assert (caplog.records, logged) == ([], [])
