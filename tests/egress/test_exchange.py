"""What the HTTP client sends for each method, what it keeps of an answer, and what it says of one that did not come."""

import asyncio
import socket
import struct
import time

import pytest
from targets import receive

from tasker.egress.http_client import BODY_KEPT, HEADER_KEPT, HEADERS_KEPT, DeliveryError
from tasker.model.attempt import Phases
from tasker.testing.webhook_receiver import WebhookReceiver, answer
from tasker.timing.patience import Within

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def recording(requests, data=OK):
    """A target that answers every request with *data*."""

    async def serve(reader, writer):
        while True:
            requests.append(await receive(reader))
            writer.write(data)

    return serve


async def failure(caller, *call, **options):
    """The call fails; with what."""
    with pytest.raises(DeliveryError) as caught:
        await caller.send(*call, **options)
    return caught.value


# What is sent


@pytest.mark.parametrize("method", METHODS)
async def test_every_method_is_sent_with_its_headers_and_a_body_if_there_is_one(caller, target, method):
    requests = []
    url, _ = await target(recording(requests))

    await caller.send(method, f"{url}a?b=c", b"body", headers={"X-A": "b", "x-latin": "\xe9"})

    head, _, body = requests[0].partition(b"\r\n\r\n")
    first, host, *rest = head.split(b"\r\n")
    assert (first, body) == (f"{method} /a?b=c HTTP/1.1".encode(), b"body")
    assert host == b"host: " + url.removeprefix("http://").removesuffix("/").encode()
    assert rest == [b"X-A: b", b"x-latin: \xe9", b"content-length: 4"]


@pytest.mark.parametrize("method", METHODS)
async def test_a_request_without_a_body_says_so_only_if_its_method_usually_has_one(caller, target, method):
    requests = []
    url, _ = await target(recording(requests))

    await caller.send(method, url)

    assert (b"content-length: 0\r\n" in requests[0]) == (method in ("POST", "PUT", "PATCH"))
    assert (b"content-length" in requests[0]) == (method in ("POST", "PUT", "PATCH"))
    assert requests[0].endswith(b"\r\n\r\n")


async def test_an_empty_body_is_a_body(caller, target):
    requests = []
    url, _ = await target(recording(requests))

    await caller.send("DELETE", url, b"")

    assert b"content-length: 0\r\n" in requests[0]


async def test_a_body_that_does_not_go_out_at_once_arrives_whole(caller, sink):
    body = bytes(range(256)) * 80_000

    await caller.send("PUT", sink.url(), body)

    assert sink.deliveries()[0].body == body


async def test_requests_of_every_method_share_a_connection(caller, target):
    url, target = await target(recording([]))

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        assert (await caller.send(method, url)).status == 200

    assert target.connections == 1


# Answers without a body


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody",
        b"HTTP/1.1 103 Early Hints\r\nserver: early\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n",
    ],
    ids=["a length", "chunks", "until the end", "a body in spite of it", "an interim answer before it"],
)
async def test_an_answer_to_head_ends_with_its_head_and_its_connection_is_not_used_again(caller, target, head):
    url, target = await target(recording([], head))

    for _ in range(2):
        exchange = await caller.send("HEAD", url)
        assert (exchange.status, exchange.body) == (200, "")
        assert "server" not in exchange.headers

    assert target.connections == 2


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("length", [0, 5])
async def test_these_answers_have_no_body_whatever_they_say(caller, target, status, length):
    url, target = await target(recording([], b"HTTP/1.1 %d -\r\ncontent-length: %d\r\n\r\n" % (status, length)))

    for _ in range(2):
        exchange = await caller.send("GET", url)
        assert (exchange.status, exchange.body, exchange.headers["content-length"]) == (status, "", str(length))
        assert exchange.note is None

    assert target.connections == (2 if status == 204 and length else 1), "a 204 with a length has two ends"


@pytest.mark.parametrize("junk", [b"hello", b"\r\nhello", b"HTTP/1.1 500 Smuggled\r\ncontent-length: 0\r\n\r\n", b"\0"])
async def test_what_follows_an_answer_without_a_body_is_not_the_next_answer(caller, target, junk):
    url, _ = await target(recording([], b"HTTP/1.1 204 -\r\n\r\n" + junk))

    for _ in range(3):
        assert (await caller.send("GET", url)).status == 204


# What is kept


async def test_some_headers_are_kept_and_never_a_cookie(caller):
    headers = "".join(
        f"{name}: {value}\r\n"
        for name, value in {
            "Content-Type": "text/plain",
            "DATE": "Wed, 25 Nov 2026 00:00:00 GMT",
            "Location": "/x",
            "Retry-After": "7",
            "Server": "s",
            "X-Request-Id": "r",
            "WWW-Authenticate": "Basic",
            "Set-Cookie": "t0ken",
            "X-Other": "t0ken",
            "Authorization": "t0ken",
        }.items()
    )
    with WebhookReceiver(lambda _: answer(401, b"no", headers=headers)) as sink:
        exchange = await caller.post(sink.url())

    assert exchange.headers == {
        "content-length": "2",
        "content-type": "text/plain",
        "date": "Wed, 25 Nov 2026 00:00:00 GMT",
        "location": "/x",
        "retry-after": "7",
        "server": "s",
        "x-request-id": "r",
        "www-authenticate": "Basic",
    }
    assert "t0ken" not in repr(exchange)


async def test_the_value_of_a_kept_header_is_cut_and_has_no_control_characters(caller):
    headers = f"server: {'s' * 300}\r\nlocation: /a\tb\x80\x9bc\xe9\xa0d\r\n"
    with WebhookReceiver(lambda _: answer(200)[:-2] + headers.encode("latin-1") + b"\r\n") as sink:
        exchange = await caller.post(sink.url())

    assert exchange.headers["server"] == "s" * HEADER_KEPT
    assert exchange.headers["location"] == "/abc\xe9\xa0d"


@pytest.mark.parametrize("blanks", [b" ", b"\t", b" \t \t", b""], ids=repr)
async def test_blanks_around_a_value_are_no_part_of_it(caller, target, blanks):
    fields = dict.fromkeys(HEADERS_KEPT - {"content-length"}, b"120") | {"content-length": b"2"}
    head = b"".join(b"%b:%b%b%b\r\n" % (name.encode(), blanks, value, blanks) for name, value in fields.items())
    url, target = await target(recording([], b"HTTP/1.1 429 -\r\n" + head + b"\r\nok"))

    for _ in range(2):
        exchange = await caller.post(url)
        assert exchange.headers == {name: value.decode() for name, value in fields.items()}
        assert exchange.body == "ok"

    assert target.connections == 1


async def test_blanks_around_what_frames_an_answer_are_no_part_of_it(caller, target):
    url, target = await target(
        recording(
            [], b"HTTP/1.1 200 -\r\ntransfer-encoding:\tchunked \r\nconnection: close\t\r\n\r\n2\r\nok\r\n0\r\n\r\n"
        )
    )

    assert (await caller.post(url)).body == "ok"
    assert (await caller.post(url)).body == "ok"
    assert target.connections == 2


async def test_the_length_of_a_kept_value_is_that_without_the_blanks_before_it(caller, target):
    url, _ = await target(recording([], b"HTTP/1.1 200 -\r\ncontent-length: 0\r\nserver:" + b" " * 300 + b"s\r\n\r\n"))

    assert (await caller.post(url)).headers["server"] == "s"


async def test_a_header_that_comes_several_times_is_one_and_none_of_interim_answers_and_trailers_is_kept(
    caller, target
):
    data = (
        b"HTTP/1.1 103 Early Hints\r\nserver: early\r\nlocation: /early\r\n\r\n"
        b"HTTP/1.1 503 -\r\nRetry-After: 120 \r\nretry-after:  7\r\ntransfer-encoding: chunked\r\n\r\n"
        b"2\r\nok\r\n0\r\nx-request-id: late\r\n\r\n"
    )
    url, target = await target(recording([], data))

    for _ in range(2):
        exchange = await caller.post(url)
        assert (exchange.headers, exchange.body) == ({"retry-after": "120, 7"}, "ok")

    assert target.connections == 1


async def test_a_header_that_comes_again_and_again_is_cut_like_any_other(caller, target):
    url, _ = await target(
        recording([], b"HTTP/1.1 200 -\r\ncontent-length: 0\r\n" + b"server: abc\r\n" * 1_000 + b"\r\n")
    )

    assert (await caller.post(url)).headers["server"] == ("abc, " * HEADER_KEPT)[:HEADER_KEPT]


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"", ""),
        (b"x" * BODY_KEPT, "x" * BODY_KEPT),
        (b"x" * (BODY_KEPT + 1), "x" * BODY_KEPT),
        (b"\xff\xc3\xa9\xc3", "\ufffdé\ufffd"),
        (b"x" * (BODY_KEPT - 1) + "é".encode(), "x" * (BODY_KEPT - 1)),
        (b"x" * 60_000, "x" * BODY_KEPT),
    ],
    ids=["none", "as long as can be", "longer", "no UTF-8", "a cut character", "much longer"],
)
async def test_the_beginning_of_the_body_is_kept(caller, body, kept):
    with WebhookReceiver(lambda _: answer(200, body)) as sink:
        assert (await caller.post(sink.url())).body == kept
        assert (await caller.post(sink.url("/again"))).body == kept


async def test_a_body_in_small_chunks_is_put_together(caller, target):
    url, _ = await target(
        recording([], b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 2_000 + b"0\r\n\r\n")
    )

    assert (await caller.post(url)).body == "x" * BODY_KEPT


# How long it took


async def test_a_new_connection_has_a_connect_phase_and_a_kept_one_has_not(caller, sink, names):
    names["named.example"] = ["127.0.0.1"]

    first = (await caller.post(f"http://named.example:{sink.port}/")).phases
    second = (await caller.post(f"http://named.example:{sink.port}/")).phases

    assert None not in (first.dns, first.connect, first.first_byte, first.total)
    assert (second.dns, second.connect) == (None, None)
    assert None not in (second.first_byte, second.total)


async def test_an_address_is_not_looked_up(caller, sink):
    assert (await caller.post(sink.url())).phases.dns is None


async def test_each_phase_takes_as_long_as_the_target_takes_for_it(caller, target, names, monkeypatch):
    async def serve(reader, writer):
        await receive(reader)
        await asyncio.sleep(0.1)
        writer.write(OK[:10])
        await asyncio.sleep(0.1)
        writer.write(OK[10:])
        await reader.read()

    connect = caller._client._connector._connected

    async def slow_connect(*place, **options):
        await asyncio.sleep(0.1)
        return await connect(*place, **options)

    monkeypatch.setattr(caller._client._connector, "_connected", slow_connect)
    url, _ = await target(serve)

    phases = (await caller.post(url)).phases

    assert phases.dns is None
    assert phases.connect >= 0.09
    assert phases.first_byte >= 0.09
    assert phases.connect + phases.first_byte + 0.09 <= phases.total < 10


# What is said of an answer that did not come


@pytest.fixture
def closed_port():
    """A port on which nobody listens: bound, so that nobody else takes it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


async def test_a_failed_connection_leaves_the_phases_it_came_to(caller, names, closed_port):
    names["named.example"] = ["127.0.0.1"]
    names["nowhere.example"] = socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    refused = (await failure(caller, "GET", f"http://named.example:{closed_port}/")).exchange
    unknown = (await failure(caller, "GET", "http://nowhere.example/")).exchange
    unusable = (await failure(caller, "GET", "http://")).exchange

    assert refused.phases.first_byte is None
    assert None not in (refused.phases.dns, refused.phases.connect, refused.phases.total)
    assert (unknown.phases.connect, unknown.phases.first_byte) == (None, None)
    assert None not in (unknown.phases.dns, unknown.phases.total)
    assert unusable.phases == Phases(total=unusable.phases.total)
    assert [exchange.status for exchange in (refused, unknown, unusable)] == [None] * 3


@pytest.mark.parametrize(
    ("beginning", "status", "body"),
    [
        (b"", None, ""),
        (b"HTTP/1.1 200 OK", None, ""),
    ],
    ids=["nothing", "half a status line"],
)
async def test_an_answer_without_a_status_says_whether_something_came(caller, target, beginning, status, body):
    async def serve(reader, writer):
        await receive(reader)
        writer.write(beginning)
        await reader.read()

    url, _ = await target(serve)

    error = await failure(caller, "GET", url, timeout_seconds=0.2)

    assert error.code == "timeout"
    assert (error.exchange.status, error.exchange.body) == (status, body)
    assert (error.exchange.phases.first_byte is None) == (beginning == b"")
    assert 0.19 <= error.exchange.phases.total < 1.2


@pytest.mark.parametrize(
    ("beginning", "headers", "body"),
    [
        (b"\r\n", {}, ""),
        (b"\r\nserver: s\r\nlocation: /x", {"server": "s"}, ""),
        (b"\r\nserver: s\r\nretry-after : 1\r\n", {"server": "s", "retry-after": "1"}, ""),
        (b"\r\ncontent-length: 9\r\n\r\nbody", {"content-length": "9"}, "body"),
        (b"\r\n\r\nbody", {}, "body"),
    ],
    ids=["a status line", "half a head", "half an odd head", "half a body", "a body without an end"],
)
async def test_an_answer_that_does_not_end_in_time_has_its_status_and_what_came_of_the_rest(
    caller, target, beginning, headers, body
):
    async def serve(reader, writer):
        await receive(reader)
        writer.write(b"HTTP/1.1 410 Gone" + beginning)
        await reader.read()

    url, target = await target(serve)

    exchange = await caller.send("GET", url, timeout_seconds=0.2)

    assert (exchange.status, exchange.headers, exchange.body) == (410, headers, body)
    assert exchange.note == "the answer did not end in time"
    assert 0.19 <= exchange.phases.total < 1.2
    async with asyncio.timeout(10):
        await target.ended.wait()


async def test_a_call_that_fails_on_a_kept_connection_says_nothing_of_the_answer_before(caller, target):
    async def serve(reader, writer):
        await receive(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nserver: first\r\ncontent-length: 5\r\n\r\nfirst")
        await receive(reader)

    url, target = await target(serve)
    await caller.post(url)

    exchange = (await failure(caller, "POST", url, b"second")).exchange

    assert target.connections == 1
    assert (exchange.status, exchange.headers, exchange.body) == (None, {}, "")
    assert (exchange.phases.dns, exchange.phases.connect, exchange.phases.first_byte) == (None, None, None)


async def test_what_the_target_could_do_better_is_its_fault_and_what_we_refuse_is_not(
    caller, names, closed_port, target
):
    names["nowhere.example"] = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    names["meta.example"] = ["169.254.169.254"]
    hanging, _ = await target(lambda reader, _: reader.read())
    garbage, _ = await target(recording([], b"garbage\r\n"))

    async def speaks_no_tls(reader, writer):
        await reader.read(1)
        writer.write(OK)
        await writer.drain()

    plain, _ = await target(speaks_no_tls)
    calls = [
        ("dns_failed", "http://nowhere.example/", True),
        ("connect_refused", f"http://127.0.0.1:{closed_port}/", True),
        ("tls_failed", plain.replace("http:", "https:"), True),
        ("timeout", hanging, True),
        ("bad_response", garbage, True),
        ("egress_denied", "http://meta.example/", False),
        ("invalid_url", "http://a..b/", False),
        ("invalid_url", "http://", False),
    ]

    for code, url, is_targets_fault in calls:
        error = await failure(caller, "GET", url, timeout_seconds=0.5)
        assert (error.code, error.is_targets_fault) == (code, is_targets_fault)


# Connections that end just before they are used


class Peer:
    """Takes connections by hand, so that a test decides what happens when, with nothing between two lines of it."""

    def __init__(self, listening):
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        self._listening = listening

    async def answer(self):
        """Answer one request on a new connection; return the connection."""
        connection = await self.accept()
        await self.answer_on(connection)
        return connection

    async def answer_on(self, connection):
        loop = asyncio.get_running_loop()
        request = b""
        while not request.endswith(b"\r\n\r\nx"):
            request += await loop.sock_recv(connection, 65_536)
        await loop.sock_sendall(connection, OK)

    async def accept(self):
        connection, _ = await asyncio.get_running_loop().sock_accept(self._listening)
        return connection


@pytest.fixture
def peer():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield Peer(listening)


def pause(seconds):
    """Let the process do nothing, as SIGSTOP does: its timers become due, and what arrives waits to be read."""
    time.sleep(seconds)


@pytest.mark.parametrize("pieces", [1, 2], ids=["at once", "in two parts"])
async def test_an_answer_that_came_in_time_counts_although_it_is_read_later(caller, peer, pieces):
    calling = asyncio.create_task(caller.post(peer.url, timeout_seconds=0.5))
    connection = await peer.accept()
    assert await asyncio.get_running_loop().sock_recv(connection, 65_536)

    step = -(-len(OK) // pieces)
    for begin in range(0, len(OK), step):
        connection.send(OK[begin : begin + step])
    pause(0.6)

    assert (await calling).status == 200
    connection.close()


async def test_an_answer_that_came_in_time_counts_whichever_the_event_loop_serves_first(caller, peer, monkeypatch):
    timers = []
    monkeypatch.setattr(Within, "__enter__", entered_by_hand(timers))
    calling = asyncio.create_task(caller.post(peer.url))
    connection = await peer.accept()
    assert await asyncio.get_running_loop().sock_recv(connection, 65_536)

    connection.send(OK)
    [ring] = timers
    ring()  # the timer comes first, the bytes have not been read

    assert (await calling).status == 200
    connection.close()


async def test_nothing_is_sent_once_the_time_is_over_although_what_arrived_is_still_read(caller, peer, monkeypatch):
    timers = []
    monkeypatch.setattr(Within, "__enter__", entered_by_hand(timers))
    connect = caller._client._connector.connect

    async def connect_too_late(*place, **options):
        connection = await connect(*place, **options)
        timers[0]()
        return connection

    monkeypatch.setattr(caller._client._connector, "connect", connect_too_late)

    error = await failure(caller, "POST", peer.url, b"x")

    assert (error.code, caller.announced) == ("connect_timeout", 0)
    connection = await peer.accept()
    async with asyncio.timeout(10):
        assert await asyncio.get_running_loop().sock_recv(connection, 100) == b""
    connection.close()


def entered_by_hand(timers):
    """What enters a ``Within`` and puts what rings its timer into *timers*, for the test to call."""
    enter = Within.__enter__

    def entered(within):
        enter(within)
        within._next.cancel()
        timers.append(within._ring)
        return within

    return entered


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


async def kept_connection(caller, peer):
    """Make a call, whose connection is kept; return the peer's end of it."""
    answering = asyncio.create_task(peer.answer())
    await caller.post(peer.url)
    [connection] = caller._client._idle
    assert connection.is_usable()
    return await answering


async def test_a_kept_connection_that_was_reset_unseen_is_replaced_before_a_byte_is_sent(caller, peer):
    kept = await kept_connection(caller, peer)
    answering = asyncio.create_task(peer.answer())

    reset(kept)
    exchange = await caller.post(peer.url)  # begins at once: the event loop has not heard of the reset

    assert exchange.status == 200
    assert exchange.phases.connect is not None
    assert caller.announced == 3, "once for the first call, twice for the second"
    (await answering).close()


async def test_a_connection_that_is_being_closed_is_replaced_before_a_byte_is_sent(caller, peer):
    kept = await kept_connection(caller, peer)
    [connection] = caller._client._idle
    answering = asyncio.create_task(peer.answer())

    connection._transport.abort()  # as an error of the transport does; the connection hears of it a little later
    exchange = await caller.post(peer.url)

    assert (exchange.status, caller.announced) == (200, 3)
    for each in (kept, await answering):
        each.close()


async def test_all_kept_connections_that_were_reset_unseen_are_replaced(caller, peer):
    calls = [asyncio.create_task(caller.post(peer.url)) for _ in range(3)]
    kept = [await peer.accept() for _ in calls]
    for connection in kept:
        await peer.answer_on(connection)
    await asyncio.gather(*calls)
    answering = asyncio.create_task(peer.answer())

    for connection in kept:
        reset(connection)
    exchange = await caller.post(peer.url)

    assert (exchange.status, caller.announced) == (200, 3 + 4)
    assert len(caller._client._idle) == 1
    (await answering).close()


async def test_a_kept_connection_that_was_closed_unseen_takes_the_request_once(caller, peer):
    kept = await kept_connection(caller, peer)

    kept.close()  # its end has arrived, but what is written to it is taken all the same
    with pytest.raises(DeliveryError) as caught:
        await caller.post(peer.url)

    assert (caught.value.code, caller.announced) == ("connection_lost", 2)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await peer.accept()


async def test_a_call_that_may_not_start_is_not_sent_on_the_replacement_either(caller, peer):
    kept = await kept_connection(caller, peer)

    def announce():
        caller.announced += 1
        if caller.announced == 3:
            raise LookupError

    caller._announce = announce
    reset(kept)
    with pytest.raises(LookupError):
        await caller.post(peer.url)

    replacement = await peer.accept()
    async with asyncio.timeout(10):
        assert await asyncio.get_running_loop().sock_recv(replacement, 100) == b""
    replacement.close()
