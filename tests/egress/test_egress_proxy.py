"""Calls through a proxy: names are its business, addresses are checked here.

What it refuses is not the target's fault.
"""

import asyncio
import base64
import socket
import ssl

import pytest
from calling import OK, Sink, failure, new_client, post, refused
from forward_proxy import ForwardProxy

from tasker.egress import connector
from tasker.egress.address_policy import EgressPolicy
from tasker.egress.egress_proxy import HEAD_LIMIT, EgressProxy, read_proxy

pytestmark = pytest.mark.anyio


def looking_up_nothing(host, port):
    raise AssertionError(f"{host} was looked up here")


def through(forward, **options):
    """Return the options of a connector that goes through *forward*."""
    return {
        "proxy": EgressProxy("127.0.0.1", forward.port),
        "policy": EgressPolicy("public"),
        "lookup": looking_up_nothing,
        **options,
    }


@pytest.fixture
async def sink(anyio_backend):
    sink = Sink()
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0)
    sink.port = server.sockets[0].getsockname()[1]
    yield sink
    server.close()


async def test_a_name_is_handed_to_the_proxy_as_it_is_and_the_connection_used_again(sink):
    async with ForwardProxy({"hook.example:80": sink.port}) as proxy:
        client = new_client(**through(proxy))
        for _ in range(3):
            assert await post(client, "http://hook.example/path?query") == 200
        await client.close()

    assert proxy.requests == ["CONNECT hook.example:80 HTTP/1.1\r\nhost: hook.example:80\r\n\r\n"]
    assert [head.split("\r\n")[:2] for head in sink.heads] == [["POST /path?query HTTP/1.1", "host: hook.example"]] * 3


async def test_user_and_password_are_told_to_the_proxy_and_to_nobody_else(sink):
    async with ForwardProxy({"hook.example:8080": sink.port}) as proxy:
        there = read_proxy(f"http://us%40er:p4ss%3A@127.0.0.1:{proxy.port}")
        client = new_client(**through(proxy, proxy=there))
        assert await post(client, "http://hook.example:8080/") == 200
        await client.close()

    expected = base64.b64encode(b"us@er:p4ss:").decode()
    assert f"\r\nproxy-authorization: Basic {expected}\r\n" in proxy.requests[0]
    assert "authorization" not in sink.heads[0]
    assert "p4ss" not in repr(there)
    assert str(there) == f"127.0.0.1:{proxy.port}"


async def test_tls_goes_through_the_tunnel_to_the_target_whose_certificate_counts(
    anyio_backend, certificate, monkeypatch
):
    file, key = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file, key)
    sink = Sink()
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    async with ForwardProxy({"hook.example:443": port, "other.example:443": port}) as proxy:
        client = new_client(**through(proxy))
        assert await post(client, "https://hook.example/") == 200
        assert (await failure(client, "https://other.example/")).code == "tls_failed"
        await client.close()
    server.close()

    assert proxy.asked_for() == ["hook.example:443", "other.example:443"]
    assert len(sink.heads) == 1


async def test_a_proxy_that_does_not_take_the_connection_in_the_time_of_the_attempt_is_to_blame_itself(
    anyio_backend, deaf_port
):
    client = new_client(proxy=EgressProxy("127.0.0.1", deaf_port), lookup=looking_up_nothing)

    error = await failure(client, "http://hook.example/", timeout_seconds=0.2)
    await client.close()

    assert (error.code, error.is_targets_fault) == ("proxy_failed", False)


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("93.184.216.34", "93.184.216.34:8080"),
        ("1572395042", "93.184.216.34:8080"),
        ("0x5d.184.55330", "93.184.216.34:8080"),
        ("2606:4700:0:0::1111", "[2606:4700::1111]:8080"),
    ],
)
async def test_an_address_is_asked_for_in_the_spelling_that_was_checked(host, place):
    async with ForwardProxy() as proxy:
        assert (await refused(host, **through(proxy))).code == "proxy_refused"

    assert proxy.asked_for() == [place]


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "10.0.0.1",
        ),
        *(
            "169.254.169.254",
            "0xa9fea9fe",
            "::ffff:a9fe:a9fe",
            "fe80::1%lo",
            "fd00:ec2::254",
            "0.0.0.0",
            "2002:7f00:1::",
        ),
    ],
)
async def test_an_address_that_may_not_be_called_is_refused_before_the_proxy_hears_of_it(host):
    async with ForwardProxy() as proxy:
        error = await refused(host, **through(proxy))

    assert (error.code, error.permanent) == ("egress_denied", True)
    assert proxy.requests == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1.",
        "0x7f000001.",
        "%31%32%37.0.0.1",
        "127.0.0.1%0",
        "a\r\nx: y",
        "hook.example:80",
        "a b",
        "1.2.3.4.5",
        "256.1.1.1",
        "a/b",
    ],
)
async def test_a_host_that_the_proxy_might_take_for_something_else_is_not_handed_to_it(host):
    async with ForwardProxy() as proxy:
        error = await refused(host, **through(proxy))

    assert (error.code, error.permanent) == ("invalid_url", True)
    assert proxy.requests == []


async def test_names_and_ports_that_are_denied_are_refused_here():
    async with ForwardProxy() as proxy:
        policy = EgressPolicy("public", deny=["hook.example"])
        assert "--deny-target" in (await refused("Hook.example.", **through(proxy, policy=policy))).msg
        assert "a port of another protocol" in (await refused("other.example", 25, **through(proxy))).msg

    assert proxy.requests == []


@pytest.mark.parametrize(
    ("status", "code", "is_targets_fault"),
    [
        *((status, "proxy_refused", False) for status in (400, 403, 407, 429, 500, 503)),
        *((status, "connect_failed", True) for status in (502, 504)),
        (301, "proxy_refused", False),
    ],
)
async def test_what_the_proxy_does_not_do_is_tried_again(status, code, is_targets_fault):
    async with ForwardProxy(answer=f"HTTP/1.1 {status} p4ss\r\ncontent-length: 4\r\n\r\np4ss".encode()) as proxy:
        error = await refused("hook.example", **through(proxy))

    assert (error.code, error.permanent, error.is_targets_fault) == (code, False, is_targets_fault)
    assert str(status) in error.msg
    assert "p4ss" not in error.msg


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 2000\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"\x05\x00\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * HEAD_LIMIT + b"\r\n",
    ],
    ids=lambda answer: repr(answer[:40]),
)
async def test_a_proxy_that_does_not_answer_as_one_has_failed(answer):
    async with ForwardProxy(answer=answer) as proxy:
        error = await refused("hook.example", **through(proxy))

    assert (error.code, error.permanent, error.is_targets_fault) == ("proxy_failed", False, False)


async def test_an_answer_of_the_proxy_that_comes_byte_by_byte_is_read(sink, target):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        for byte in b"HTTP/1.0 200 OK\r\nx: y\r\n\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await reader.read()

    url, _ = await target(serve)
    client = new_client(proxy=read_proxy(url), lookup=looking_up_nothing)
    assert await post(client, "http://hook.example/") == 200
    await client.close()


async def test_a_proxy_that_cannot_be_reached_has_failed(anyio_backend):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        proxy = EgressProxy("127.0.0.1", held.getsockname()[1], b"user:p4ss")
        error = await refused("hook.example", proxy=proxy)

    assert (error.code, error.permanent, error.is_targets_fault) == ("proxy_failed", False, False)
    assert "p4ss" not in f"{error}"


async def test_a_proxy_whose_name_cannot_be_resolved_has_failed(anyio_backend):
    def nowhere(host, port):
        assert host == "proxy.internal"
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    error = await refused("hook.example", proxy=EgressProxy("proxy.internal", 4750), lookup=nowhere)

    assert (error.code, error.is_targets_fault) == ("proxy_failed", False)


async def test_a_proxy_that_takes_no_connections_has_failed_before_the_target_is_blamed(monkeypatch, deaf_port):
    monkeypatch.setattr(connector, "CONNECT_SECONDS", 0.2)

    error = await refused("hook.example", proxy=EgressProxy("127.0.0.1", deaf_port))

    assert (error.code, error.is_targets_fault) == ("proxy_failed", False)


async def test_a_proxy_that_says_nothing_uses_up_the_time_of_the_attempt(target):
    async def serve(reader, _):
        await reader.read()

    url, silent = await target(serve)
    client = new_client(proxy=read_proxy(url))
    error = await failure(client, "http://hook.example/", timeout_seconds=0.2)
    await client.close()

    assert error.code == "connect_timeout"
    async with asyncio.timeout(10):
        await silent.ended.wait()


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://proxy.internal:4750", "proxy.internal:4750"),
        ("http://proxy.internal:4750/", "proxy.internal:4750"),
        ("HTTP://PROXY:80", "proxy:80"),
        ("http://user@10.0.0.1:3128", "10.0.0.1:3128"),
        ("http://user:pass@[0:0::1]:3128", "[::1]:3128"),
        ("http://user:a:b%2F@proxy:1", "proxy:1"),
    ],
)
def test_the_url_of_a_proxy_is_read(url, place):
    assert str(read_proxy(url)) == place


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "proxy:80",
            "http://",
            "http://proxy",
            "http://:80",
            "http://proxy:",
            "http://proxy:0",
            "http://proxy:65536",
            "http://proxy:x",
        ),
        *(
            "https://proxy:443",
            "socks5://proxy:1080",
            "http://proxy:80/path",
            "http://proxy:80?x",
            "http://proxy:80#x",
            "http://a b:80",
        ),
        *(
            "http://a@b@proxy:80",
            "http://user:pa/ss@proxy:80",
            "http://127.1:80",
            "http://[proxy]:80",
            "http://::1:80",
            "http://@proxy:80",
        ),
    ],
)
def test_what_is_no_url_of_a_proxy_is_refused_without_being_shown(url):
    with pytest.raises(ValueError, match=r"^not a URL of a proxy$"):
        read_proxy(url)
