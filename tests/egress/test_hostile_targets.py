"""Targets that mean harm: whatever they do, a call is over in time, little is read, and other calls are untouched."""

import asyncio
import gzip
import socket
import struct

import pytest
from targets import receive

from tasker.egress.connection import HEAD_LIMIT, Connection
from tasker.egress.http_client import ANSWER_LIMIT, DeliveryError

pytestmark = pytest.mark.anyio

ONE_READ = 256_000
"""Bytes that the event loop hands over at once, at most."""

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.fixture
def read(monkeypatch):
    """How many bytes were read, one number for each read."""
    read = []
    data_received = Connection.data_received

    def counting(connection, data):
        read.append(len(data))
        data_received(connection, data)

    monkeypatch.setattr(Connection, "data_received", counting)
    return read


def at_once(data, *, then_close=True):
    async def serve(reader, writer):
        await receive(reader)
        writer.write(data)
        if not then_close:
            await reader.read()

    return serve


def for_ever(beginning, piece, *, pause=None):
    async def serve(reader, writer):
        await receive(reader)
        writer.write(beginning)
        while not writer.is_closing():
            writer.write(piece)
            await (writer.drain() if pause is None else asyncio.sleep(pause))

    return serve


def resetting(data):
    async def serve(reader, writer):
        await receive(reader)
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(0.05)  # so that it arrives
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return serve


async def silent(reader, writer):
    await reader.read()


async def closing_at_once(reader, writer):
    pass


async def answering_unasked(reader, writer):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    await reader.read()


ENDLESS = {
    "headers": for_ever(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 1_000),
    "one header": for_ever(b"HTTP/1.1 200 OK\r\nx: ", b"x" * 4_096),
    "a header's name": for_ever(b"HTTP/1.1 200 OK\r\n", b"x" * 4_096),
    "a kept header again and again": for_ever(b"HTTP/1.1 200 OK\r\n", b"server: x\r\n" * 1_000),
    "interim answers": for_ever(b"", b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 100),
    "blank lines": for_ever(b"", b"\r\n" * 1_000),
    "NULs": for_ever(b"", b"\0" * 1_000),
    "a body": for_ever(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 4_096),
    "a body of a huge length": for_ever(
        b"HTTP/1.1 200 OK\r\ncontent-length: 9223372036854775807\r\n\r\n", b"x" * 4_096
    ),
    "one chunk": for_ever(CHUNKED + b"7fffffffffffffff\r\n", b"x" * 4_096),
    "tiny chunks": for_ever(CHUNKED, b"1\r\nx\r\n" * 1_000),
    "a chunk's size": for_ever(CHUNKED, b"0" * 4_096),
    "a chunk's extension": for_ever(CHUNKED + b"1;", b"x" * 4_096),
    "trailers": for_ever(CHUNKED + b"0\r\n", b"x: y\r\n" * 1_000),
    "a status line": for_ever(b"HTTP/1.1 200 ", b"x" * 4_096),
}
NO_ANSWER = {
    "another protocol": at_once(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "HTTP/0.9": at_once(b"<html>hello</html>"),
    "HTTP/2": at_once(b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0d", then_close=False),
    "HTTP/2 in clear letters": at_once(b"HTTP/2 200 OK\r\n\r\n", then_close=False),
    "a status of two digits": at_once(b"HTTP/1.1 20 OK\r\n\r\n", then_close=False),
    "a status of four digits": at_once(b"HTTP/1.1 2000 OK\r\n\r\n", then_close=False),
    "a status line without an end": at_once(b"HTTP/1.1 200 OK"),
    "a reset in the status line": resetting(b"HTTP/1.1 200 O"),
    "an interim answer alone": at_once(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "an interim answer that breaks off": at_once(b"HTTP/1.1 103 Early Hints\r\nlink"),
    "an odd interim answer alone": at_once(b"HTTP/1.1 103 Early Hints\n\n"),
    "an end before the answer": closing_at_once,
}
BROKEN = {
    "a chunk of a negative size": at_once(CHUNKED + b"-1\r\nx\r\n0\r\n\r\n"),
    "a chunk size that overflows": at_once(CHUNKED + b"f" * 17 + b"\r\nx\r\n0\r\n\r\n"),
    "a chunk size that is no number": at_once(CHUNKED + b"0x1\r\nx\r\n0\r\n\r\n"),
    "a chunk longer than it says": at_once(CHUNKED + b"1\r\nxx\r\n0\r\n\r\n"),
    "chunks without their end": at_once(CHUNKED + b"1\r\nx\r\n"),
    "a length that overflows": at_once(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\nx"),
    "a length that is no number": at_once(b"HTTP/1.1 200 OK\r\ncontent-length: 0x1\r\n\r\nx", then_close=False),
    "a length and chunks that are none": at_once(
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\nx", then_close=False
    ),
    "two lengths": at_once(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx", then_close=False),
    "a length that is longer than the body": at_once(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"),
    "a header without an end": at_once(b"HTTP/1.1 200 OK\r\nx"),
    "nothing but a status line": at_once(b"HTTP/1.1 200 OK\r\n"),
    "a folded header and a body that breaks off": at_once(
        b"HTTP/1.1 200 OK\r\nserver: a\r\n b\r\ncontent-length: 5\r\n\r\nx"
    ),
    "bare newlines and a body that breaks off": at_once(b"HTTP/1.1 200 OK\ncontent-length: 9\n\nx"),
    "a head that breaks off in an odd line": at_once(b"HTTP/1.1 200 OK\r\n folded\r\ncontent-le"),
    "a reset in the head": resetting(b"HTTP/1.1 200 OK\r\nserver"),
    "a reset in the body": resetting(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"),
    "a reset in an endless body": resetting(b"HTTP/1.1 200 OK\r\n\r\nx"),
    "a reset in chunks": resetting(CHUNKED + b"5\r\nxx"),
}
SLOW = {
    "nothing": silent,
    "a head, a byte at a time": for_ever(b"HTTP/1.1 200 OK\r\nx: ", b"x", pause=0.01),
    "a body, a byte at a time": for_ever(b"HTTP/1.1 200 OK\r\n\r\n", b"x", pause=0.01),
    "chunks, a byte at a time": for_ever(CHUNKED, b"1\r\nx\r\n", pause=0.01),
    "interim answers, one at a time": for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.01),
    "a body that stops": at_once(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx", then_close=False),
}
NO_STATUS = ("nothing", "interim answers, one at a time")
METHODS = ("POST", "HEAD")


async def call(caller, url, method, **options):
    """The answer's status, or the error's code."""
    try:
        return (await caller.send(method, url, b"x", **options)).status
    except DeliveryError as error:
        return error.code


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("what", ENDLESS)
async def test_of_what_never_ends_little_is_read(caller, target, read, method, what):
    url, target = await target(ENDLESS[what])

    assert await call(caller, url, method) in (200, "bad_response")

    async with asyncio.timeout(10):
        await target.ended.wait()
    assert sum(read) <= max(HEAD_LIMIT, ANSWER_LIMIT) + 2 * ONE_READ
    assert len(caller._client._idle) == 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("what", NO_ANSWER)
async def test_what_says_no_status_is_no_answer_and_is_not_asked_again(caller, target, what, method):
    url, target = await target(NO_ANSWER[what])

    assert await call(caller, url, method) in ("bad_response", "connection_lost")

    assert (caller.announced, target.connections) == (1, 1)
    assert len(caller._client._idle) == 0


@pytest.mark.parametrize("what", BROKEN)
async def test_what_is_broken_after_the_status_is_noted_and_the_status_stands(caller, target, what):
    url, target = await target(BROKEN[what])

    exchange = await caller.post(url)

    assert exchange.status == 200
    assert exchange.note
    assert (caller.announced, target.connections) == (1, 1)
    assert len(caller._client._idle) == 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("what", SLOW)
async def test_what_is_slow_is_over_when_its_time_is(caller, target, method, what):
    url, target = await target(SLOW[what])
    began = asyncio.get_running_loop().time()

    outcome = await call(caller, url, method, timeout_seconds=0.3)

    assert outcome == ("timeout" if what in NO_STATUS else 200)
    assert asyncio.get_running_loop().time() - began < 1.3
    async with asyncio.timeout(10):
        await target.ended.wait()


async def test_a_target_that_takes_a_request_slowly_does_not_extend_the_time(caller, target):
    async def serve(reader, writer):
        while await reader.read(1):  # noqa: ASYNC110 - it is slow on purpose
            await asyncio.sleep(0.01)

    url, target = await target(serve, limit=1)

    with pytest.raises(DeliveryError) as caught:
        await caller.post(url, b"x" * 20_000_000, timeout_seconds=0.3)

    assert caught.value.code == "timeout"
    assert caught.value.exchange.phases.total < 1.3


async def test_an_answer_is_taken_once_even_if_it_came_before_its_request(caller, target):
    url, _ = await target(answering_unasked)

    outcomes = [await call(caller, url, "POST", timeout_seconds=0.3) for _ in range(2)]

    assert outcomes in (
        [200, "timeout"],
        [200, "connection_lost"],
        ["connection_lost"] * 2,
        ["connection_lost", 200],
    ), outcomes


async def test_a_compressed_answer_stays_small(caller, target):
    bomb = gzip.compress(bytes(50 << 20))
    assert len(bomb) < ANSWER_LIMIT
    url, _ = await target(
        at_once(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n%b" % (len(bomb), bomb))
    )

    exchange = await caller.post(url)

    assert exchange.status == 200
    assert len(exchange.body) <= 1_024


async def test_other_calls_are_untouched(caller, target, sink):
    urls = [
        (await target(serve))[0] for serve in (*ENDLESS.values(), *NO_ANSWER.values(), *BROKEN.values(), *SLOW.values())
    ]
    hostile = [asyncio.create_task(call(caller, url, method, timeout_seconds=30)) for url in urls for method in METHODS]
    await asyncio.sleep(0)

    for _ in range(20):
        phases = [exchange.phases for exchange in await asyncio.gather(*(caller.post(sink.url()) for _ in range(10)))]
        assert max(phase.total for phase in phases) < 5

    assert len(sink.deliveries()) == 200
    assert not all(each.done() for each in hostile), "the slow ones go on"
    for each in hostile:
        each.cancel()
    await asyncio.gather(*hostile, return_exceptions=True)
    assert (await caller.post(sink.url())).status == 200
