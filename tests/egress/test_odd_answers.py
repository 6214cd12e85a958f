"""Answers that are spelled or framed oddly.

What RFC 9112 lets a client read is read, and the connection is closed after it.
"""

import asyncio

import pytest
from targets import receive

from tasker.egress import odd_head
from tasker.egress.odd_head import Framing, NoAnswerError

pytestmark = pytest.mark.anyio

UNTIL_CLOSED = {
    "a coding that is none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nok",
    "a coding that nobody knows": b"HTTP/1.1 200 OK\r\ntransfer-encoding: xchunked\r\n\r\nok",
    "chunks and another coding": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: gzip\r\n\r\nok",
    "no coding at all": b"HTTP/1.1 200 OK\r\ntransfer-encoding:\r\n\r\nok",
    "a folded header": b"HTTP/1.1 200 OK\r\nserver: a\r\n b\r\n\r\nok",
    "bare newlines": b"HTTP/1.1 200 OK\nserver: a\n\nok",
    "an old protocol": b"HTTP/1.0 200 OK\r\n\r\nok",
}
FRAMED = {
    "the name of a coding that is none, and a length": b"transfer-encoding: Identity\r\ncontent-length: 2\r\n\r\nok",
    "a length and chunks": b"content-length: 7\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "a bad length and chunks": b"transfer-encoding: chunked\r\ncontent-length: x\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "a length twice": b"content-length: 2\r\ncontent-length: 2\r\n\r\nok",
    "a list of one length": b"content-length: 2, 2\r\n\r\nok",
    "a folded header": b"server: a\r\n  \tb\r\ncontent-length: 2\r\n\r\nok",
    "a folded length": b"content-length:\r\n 2\r\n\r\nok",
    "folded headers and chunks": b"server: a\r\n\tb\r\ntransfer-encoding: gzip,\r\n Chunked \r\n\r\n"
    b"2 ;x=y\r\nok\r\n0\r\n\r\n",
    "a folded line after nothing": b" x: y\r\ncontent-length: 2\r\n\r\nok",
    "a blank before the colon": b"content-length : 2\r\n\r\nok",
    "a name that is no token": b"a b: c\r\n continued\r\n\xe4: c\r\n: d\r\ncontent-length: 2\r\n\r\nok",
    "a line that is no header": b"hello\r\ncontent-length: 2\r\n\r\nok",
    "control characters in a value": b"x: \0a\x01\rb\r\ncontent-length: 2\r\n\r\nok",
    "some bare newlines": b"server: a\ncontent-length: 2\n\r\nok",
}
WELL = {
    "blanks after the size of a chunk": b"transfer-encoding: chunked\r\n\r\n2 \t\r\nok\r\n0 \r\n\r\n",
    "blanks before the extension of a chunk": b"transfer-encoding: chunked\r\n\r\n2 ;a=b\r\nok\r\n0\r\n\r\n",
    "codings in several headers": b"transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "a length with zeros before it": b"content-length: 02\r\n\r\nok",
}
BEGINNINGS = {
    "another minor version": b"HTTP/1.2 200 OK\r\n",
    "several blanks": b"HTTP/1.1  \t200   OK\r\n",
    "a bare newline": b"HTTP/1.1 200 OK\n",
    "no reason": b"HTTP/1.1 200\n",
    "odd interim answers": b"HTTP/1.1 100 Continue\n\nHTTP/1.1 103 -\r\n x\r\n\r\nHTTP/1.1 200 OK\r\n",
    "an odd answer after an interim one": b"HTTP/1.1 103 -\r\nserver: early\r\n\r\nHTTP/1.1 200 OK\n",
    "empty lines": b"\r\n\n\r\nHTTP/1.1  200 OK\r\n",
}


def answering(data, *, piece=None, then_close=False):
    """A target that answers each request with *data*, a *piece* at a time if that is given."""

    async def serve(reader, writer):
        while not reader.at_eof():
            await receive(reader)
            for begin in range(0, len(data), piece or len(data)):
                writer.write(data[begin : begin + (piece or len(data))])
                await writer.drain()
                if piece is not None:
                    await asyncio.sleep(0.001)  # so that it goes out by itself
            if then_close:
                return

    return serve


async def twice(caller, url):
    """Call twice; return the exchanges."""
    return [await caller.post(url) for _ in range(2)]


@pytest.mark.parametrize("what", UNTIL_CLOSED)
async def test_a_body_goes_on_until_the_connection_ends_if_nothing_readable_says_otherwise(caller, target, what):
    url, target = await target(answering(UNTIL_CLOSED[what], then_close=True))

    for exchange in await twice(caller, url):
        assert (exchange.status, exchange.body, exchange.note) == (200, "ok", None)

    assert target.connections == 2


@pytest.mark.parametrize("piece", [None, 1], ids=["at once", "byte by byte"])
@pytest.mark.parametrize("what", FRAMED)
async def test_an_odd_answer_is_read_and_nothing_follows_on_its_connection(caller, target, what, piece):
    url, target = await target(answering(b"HTTP/1.1 200 OK\r\n" + FRAMED[what], piece=piece))

    for exchange in await twice(caller, url):
        assert (exchange.status, exchange.body, exchange.note) == (200, "ok", None)

    assert target.connections == 2


@pytest.mark.parametrize("what", BEGINNINGS)
async def test_an_odd_status_line_is_read(caller, target, what):
    url, target = await target(answering(BEGINNINGS[what] + b"content-length: 2\r\n\r\nok"))

    for exchange in await twice(caller, url):
        assert (exchange.status, exchange.body, exchange.note) == (200, "ok", None)
        assert exchange.headers == {"content-length": "2"}

    assert target.connections == 2


@pytest.mark.parametrize("what", WELL)
async def test_what_is_odd_but_means_one_thing_keeps_its_connection(caller, target, what):
    url, target = await target(answering(b"HTTP/1.1 200 OK\r\n" + WELL[what]))

    for exchange in await twice(caller, url):
        assert (exchange.status, exchange.body, exchange.note) == (200, "ok", None)

    assert target.connections == 1


async def test_chunks_of_a_protocol_that_has_none_are_read_and_nothing_follows(caller, target):
    url, target = await target(
        answering(
            b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
        )
    )

    for exchange in await twice(caller, url):
        assert (exchange.status, exchange.body, exchange.note) == (200, "ok", None)

    assert target.connections == 2


async def test_an_odd_answer_to_head_ends_with_its_head(caller, target):
    url, target = await target(answering(b"HTTP/1.1 200 OK\ncontent-length: 2\n\n"))

    for _ in range(2):
        exchange = await caller.send("HEAD", url)
        assert (exchange.status, exchange.body, exchange.note) == (200, "", None)

    assert target.connections == 2


@pytest.mark.parametrize("status", [101, 204, 304])
async def test_an_odd_answer_that_has_no_body_ends_with_its_head(caller, target, status):
    url, target = await target(answering(b"HTTP/1.1 %d -\nserver: s\n\n" % status))

    for exchange in await twice(caller, url):
        assert (exchange.status, exchange.headers, exchange.note) == (status, {"server": "s"}, None)

    assert target.connections == 2


async def test_the_parts_of_a_folded_value_are_joined_by_a_blank(caller, target):
    url, _ = await target(answering(b"HTTP/1.1 200 OK\r\nserver:\t a \r\n \t b\r\n\tc \r\ncontent-length: 0\r\n\r\n"))

    assert (await caller.post(url)).headers["server"] == "a b c"


# The reading itself


@pytest.mark.parametrize(
    ("data", "framing"),
    [
        (b"", Framing.UNTIL_CLOSED),
        (b"content-length: 0\n", 0),
        (b"content-length: 007\n", 7),
        (b"content-length: 9999999999999999999999\n", 10**19),
        (b"content-length: %b\n" % (b"9" * 9_000), 10**19),
        (b"content-length:\n", Framing.UNKNOWN),
        (b"content-length: -1\n", Framing.UNKNOWN),
        (b"content-length: +1\n", Framing.UNKNOWN),
        (b"content-length: 1 1\n", Framing.UNKNOWN),
        (b"content-length: 1, 2\n", Framing.UNKNOWN),
        (b"content-length: 1\ncontent-length: 2\n", Framing.UNKNOWN),
        (b"content-length: \xb2\n", Framing.UNKNOWN),
        (b"transfer-encoding: a, CHUNKED\n", Framing.CHUNKED),
        (b"transfer-encoding: chunked, a\n", Framing.UNTIL_CLOSED),
        (b"transfer-encoding: identity, identity\ncontent-length: 3\n", 3),
        (b"transfer-encoding: a\ncontent-length: 3\n", Framing.UNTIL_CLOSED),
    ],
)
def test_where_the_body_ends_is_what_the_head_says(data, framing):
    assert odd_head.read(b"HTTP/1.1 200 OK\n" + data + b"\nbody").framing == framing


@pytest.mark.parametrize("size", range(len(b"\r\nHTTP/1.1 200 OK\r\na: b\r\n\r")))
def test_of_a_head_that_is_not_complete_more_is_awaited(size):
    assert odd_head.read(b"\r\nHTTP/1.1 200 OK\r\na: b\r\n\r"[:size]) is None


@pytest.mark.parametrize(
    "data", [b"h", b"http/1.1 200 OK\n", b"HTTP/2", b"HTTP/1.1 OK\n", b"HTTP/1.1 099 -\n", b"HTTP/1.1 200OK\n"]
)
def test_what_is_no_status_line_is_refused_as_soon_as_that_is_clear(data):
    with pytest.raises(NoAnswerError):
        odd_head.read(data)


@pytest.mark.parametrize("data", [b"", b"\r\n", b"HTTP/1", b"HTTP/1.1 200 OK"])
def test_without_a_whole_status_line_there_is_no_status(data):
    with pytest.raises(NoAnswerError):
        odd_head.read(data, is_over=True)


def test_of_a_head_that_breaks_off_the_whole_lines_count():
    head = odd_head.read(b"HTTP/1.1 410 Gone\r\na: b\r\n c\r\nd: e\r\nf: g", is_over=True)

    assert (head.status, head.fields) == (410, [(b"a", b"b c"), (b"d", b"e")])
