"""What is checked is what is connected to.

Lying name servers, targets that redirect, and addresses in every spelling.
"""

import asyncio
import socket
import ssl

import pytest
from calling import CLOSING, Inside, Sink, failure, new_certificate, new_client, post, refused
from name_server import SERVFAIL, NameServer

from tasker.egress import connector
from tasker.egress.address_policy import EgressPolicy
from tasker.egress.connector import AddressInfo, Connector, Durations, Origin

pytestmark = pytest.mark.anyio

PUBLIC, INTERNAL = "127.0.0.2", "127.0.0.1"
OUTSIDE = EgressPolicy("public", allow=[PUBLIC])
"""As if 127.0.0.2 were a public address."""


@pytest.fixture
async def inside(anyio_backend):
    async with Inside() as inside:
        yield inside


# A name server that lies


async def test_the_address_that_was_checked_is_connected_to_whatever_the_name_resolves_to_afterwards(inside):
    with NameServer(lambda _, before: [PUBLIC] if before == 0 else [INTERNAL]) as names:
        client = new_client(names.look_up, policy=OUTSIDE)

        assert await post(client, f"http://hook.example:{inside.port}/a") == 200
        await client.close()

    assert names.lookups("hook.example") == 1, "a second lookup would have been answered with another address"
    assert inside.internal.connections == 0
    [head] = inside.public.heads
    assert head.startswith("POST /a HTTP/1.1\r\n")
    assert f"\r\nhost: hook.example:{inside.port}\r\n" in head


async def test_a_name_that_moves_to_an_internal_address_is_refused_at_the_next_connection(inside):
    inside.public.answer = CLOSING
    with NameServer(lambda _, before: [PUBLIC] if before == 0 else [INTERNAL]) as names:
        client = new_client(names.look_up, policy=OUTSIDE)
        url = f"http://hook.example:{inside.port}/"

        assert await post(client, url) == 200
        error = await failure(client, url)
        await client.close()

    assert (error.code, error.permanent, error.is_targets_fault) == ("egress_denied", True, False)
    assert (inside.public.connections, inside.internal.connections) == (1, 0)


async def test_a_connection_that_was_kept_goes_where_it_was_checked_to_go_and_asks_nobody(inside):
    with NameServer(lambda _, before: [PUBLIC] if before == 0 else [INTERNAL]) as names:
        client = new_client(names.look_up, policy=OUTSIDE)
        for _ in range(5):
            assert await post(client, f"http://hook.example:{inside.port}/") == 200
        await client.close()

    assert names.lookups("hook.example") == 1
    assert (inside.public.connections, inside.internal.connections) == (1, 0)


REBOUND = [
    [INTERNAL],
    ["::1"],
    ["::ffff:127.0.0.1"],
    ["64:ff9b::7f00:1"],
    ["0.0.0.0"],
    ["::"],
    ["169.254.169.254", "fe80::1"],
    ["10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "fd00::1"],
    [INTERNAL, "::1"],
]


@pytest.mark.parametrize("internal", REBOUND, ids=", ".join)
async def test_a_name_that_changes_with_every_answer_never_leads_inside(inside, internal):
    inside.public.answer = CLOSING
    with NameServer(lambda _, before: [PUBLIC] if before % 2 else internal) as names:
        client = new_client(names.look_up, policy=OUTSIDE)
        url = f"http://hook.example:{inside.port}/"
        outcomes = [
            await post(client, url) if number % 2 else (await failure(client, url)).code for number in range(20)
        ]
        await client.close()

    assert outcomes == ["egress_denied", 200] * 10
    assert names.lookups("hook.example") == 20, "once for each attempt"
    assert (inside.public.connections, inside.internal.connections) == (10, 0)


@pytest.mark.parametrize("internal", REBOUND, ids=", ".join)
async def test_of_an_answer_with_inner_and_outer_addresses_the_outer_ones_alone_are_called(inside, internal):
    inside.public.answer = CLOSING
    with NameServer(lambda _, before: [PUBLIC, *internal] if before % 2 else [*internal, PUBLIC]) as names:
        client = new_client(names.look_up, policy=OUTSIDE)
        for _ in range(4):
            assert await post(client, f"http://hook.example:{inside.port}/") == 200
        await client.close()

    assert (inside.public.connections, inside.internal.connections) == (4, 0)


@pytest.mark.parametrize("answer", [None, SERVFAIL, []], ids=["none", "an error", "no address"])
async def test_a_lookup_that_fails_is_a_refusal(inside, answer):
    with NameServer(lambda *_: answer) as names:
        error = await refused(
            "hook.example", inside.port, lookup=names.look_up, policy=EgressPolicy("any", allow=["0.0.0.0/0"])
        )

    assert (error.code, error.permanent) == ("dns_failed", False)
    assert (inside.public.connections, inside.internal.connections) == (0, 0)


async def test_a_lookup_that_finds_nothing_is_a_refusal():
    assert (await refused("hook.example", lookup=lambda *_: [])).code == "dns_failed"


async def test_the_systems_own_lookup_is_asked_once(inside, monkeypatch):
    asked = []
    real = socket.getaddrinfo

    def counting(host, *arguments, flags=0, **options):
        if not flags & socket.AI_NUMERICHOST:
            asked.append(host)
        return real(host, *arguments, flags=flags, **options)

    monkeypatch.setattr(socket, "getaddrinfo", counting)
    client = new_client(policy=EgressPolicy("lan"))

    assert await post(client, f"http://localhost:{inside.port}/") == 200
    await client.close()

    assert asked == ["localhost"]


async def test_a_denied_name_is_not_even_looked_up():
    with NameServer(lambda *_: [PUBLIC]) as names:
        policy = EgressPolicy("any", deny=["hook.example"])
        assert (await refused("hook.example", lookup=names.look_up, policy=policy)).code == "egress_denied"
        assert (await refused("HOOK.example.", lookup=names.look_up, policy=policy)).code == "egress_denied"

    assert names.queries == []


# The other end of the connection


@pytest.mark.parametrize("level", ["public", "lan", "any"])
async def test_a_connection_that_leads_elsewhere_than_was_checked_is_closed_before_a_byte_is_sent(
    inside, monkeypatch, level
):
    real = connector.start_connection

    async def elsewhere(_, **options):
        info: AddressInfo = (socket.AF_INET, socket.SOCK_STREAM, 0, "", (INTERNAL, inside.port))
        return await real([info], **options)

    monkeypatch.setattr(connector, "start_connection", elsewhere)
    policy = EgressPolicy(level, allow=[PUBLIC], deny=[INTERNAL])
    client = new_client(policy=policy)

    error = await failure(client, f"http://{PUBLIC}:{inside.port}/")
    await client.close()

    assert (error.code, error.permanent, error.is_targets_fault) == ("egress_denied", True, False)
    assert inside.internal.heads == []


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:{port}/x",
        "//127.0.0.1:{port}/x",
        "http://[::1]:{port}/",
    ],
)
async def test_a_redirect_into_the_inside_is_an_answer_and_not_a_way(inside, status, location):
    head = f"HTTP/1.1 {status} Elsewhere\r\nlocation: {location.format(port=inside.port)}\r\ncontent-length: 0\r\n\r\n"
    inside.public.answer = head.encode()
    client = new_client(policy=OUTSIDE)

    assert await post(client, f"http://{PUBLIC}:{inside.port}/") == status
    await client.close()

    assert len(inside.public.heads) == 1
    assert inside.internal.connections == 0


# Spellings

LOOPBACK = [
    *(
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "0177.0.0.01",
        "0x7f.0.0.1",
        "0x7f000001",
    ),
    *("0X7F000001", "0x7F.1", "127.0x1", "0177.1", "127.000.000.001", "127.255.255.254"),
    *("::1", "0:0:0:0:0:0:0:1", "0000:0000:0000:0000:0000:0000:0000:0001", "::0.0.0.1"),
    *(
        "::ffff:127.0.0.1",
        "::ffff:7f00:1",
        "::FFFF:7F00:0001",
        "0:0:0:0:0:ffff:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::7f00:1",
    ),
]
PRIVATE = [
    *(
        "10.0.0.1",
        "10.1",
        "167772161",
        "012.0.0.1",
        "0xa.0.0.1",
        "0x0a000001",
        "192.168.257",
        "0xc0a80101",
        "172.16.1",
        "2886729729",
    ),
    *("100.64.0.1", "0x64400001", "fd00::1", "fc00::1", "::ffff:10.0.0.1", "::ffff:a00:1", "64:ff9b::a00:1"),
]
NEVER = [
    *(
        "169.254.169.254",
        "0xa9fea9fe",
        "0XA9FEA9FE",
        "0xa9.254.0xa9.0xfe",
        "169.254.43518",
        "2852039166",
        "0251.0376.0251.0376",
    ),
    *("::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "::169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe"),
    *(
        "2002:a9fe:a9fe::",
        "2001:0:a9fe:a9fe::1",
        "fe80::1%lo",
        "fe80::a9fe:a9fe%lo",
        "fe80::1",
        "fd00:ec2::254",
        "fd20:ce::254",
    ),
    *(
        "0",
        "0.0.0.0",
        "0x0",
        "00",
        "0.1",
        "::",
        "224.0.0.1",
        "0xe0000001",
        "255.255.255.255",
        "4294967295",
        "240.0.0.1",
        "ff02::1%lo",
    ),
    *("100.100.100.200", "0x646464c8", "168.63.129.16", "2822734096", "192.0.0.192"),
]


@pytest.mark.parametrize("host", [*LOOPBACK, *PRIVATE])
@pytest.mark.parametrize("is_secure", [False, True], ids=["http", "https"])
async def test_an_inner_address_is_refused_at_public_in_every_spelling(host, is_secure):
    error = await refused(host, policy=EgressPolicy("public", allow=["example.org"]), port=8080, is_secure=is_secure)

    assert (error.code, error.permanent, error.is_targets_fault) == ("egress_denied", True, False)
    assert "--egress lan or an --allow-target for it allows it" in error.msg
    assert host not in error.msg


@pytest.mark.parametrize("level", ["public", "lan", "any"])
@pytest.mark.parametrize("host", NEVER)
async def test_a_metadata_address_and_its_like_are_refused_at_every_level_in_every_spelling(host, level):
    error = await refused(host, policy=EgressPolicy(level), port=8080)

    assert (error.code, error.permanent, error.is_targets_fault) == ("egress_denied", True, False)
    assert "never called unless an --allow-target names it" in error.msg


@pytest.mark.parametrize(
    "host", [host for host in LOOPBACK if host not in ("127.255.255.254", "64:ff9b::127.0.0.1", "64:ff9b::7f00:1")]
)
async def test_loopback_is_called_at_lan_in_every_spelling(host, anyio_backend):
    family = (
        socket.AF_INET6
        if host in ("::1", "0:0:0:0:0:0:0:1", "0000:0000:0000:0000:0000:0000:0000:0001", "::0.0.0.1")
        else socket.AF_INET
    )
    try:
        listening = socket.create_server(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), family=family)
    except OSError:
        pytest.skip("this machine has no IPv6")
    connecting = Connector(policy=EgressPolicy("lan"))
    with listening:
        connection = await connecting.connect(Origin(host, listening.getsockname()[1], is_secure=False), Durations())
        connection.close()
    connecting.close()


async def test_a_refusal_does_not_tell_where_a_name_leads():
    with NameServer(lambda *_: ["10.20.30.40"]) as names:
        error = await refused("hook.example", lookup=names.look_up, policy=EgressPolicy("public"))

    advice = "--egress lan or an --allow-target for it allows it"
    assert error.msg == f"the target is a private address, which --egress public refuses; {advice}"


# TLS


async def test_tls_is_for_the_name_although_the_address_is_connected_to(inside, certificate, monkeypatch):
    file, key = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file, key)
    asked_for = []
    context.sni_callback = lambda _, name, __: asked_for.append(name)
    server = await asyncio.start_server(inside.public.serve, PUBLIC, 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    with NameServer(lambda *_: [PUBLIC]) as names:
        client = new_client(names.look_up, policy=OUTSIDE)

        assert await post(client, f"https://hook.example:{port}/") == 200
        assert (await failure(client, f"https://other.example:{port}/")).code == "tls_failed"
        assert (await failure(client, f"https://{PUBLIC}:{port}/")).code == "tls_failed"
        await client.close()
    server.close()

    assert asked_for == ["hook.example", "other.example", None]
    assert [f"\r\nhost: hook.example:{port}\r\n" in head for head in inside.public.heads] == [True]


@pytest.mark.parametrize("host", ["hook.example", "HOOK.Example", "hook.example.", "Hook.EXAMPLE."])
async def test_a_name_in_every_spelling_is_one_certificate_and_one_connection(inside, certificate, monkeypatch, host):
    file, key = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file, key)
    told, asked = [], []
    context.sni_callback = lambda _, name, __: told.append(name)
    server = await asyncio.start_server(inside.public.serve, PUBLIC, 0, ssl=context)
    port = server.sockets[0].getsockname()[1]

    def lookup(name, port):
        asked.append(name)
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (PUBLIC, port))]

    client = new_client(lookup, policy=OUTSIDE)
    assert await post(client, f"https://{host}:{port}/") == 200
    assert await post(client, f"https://hook.example:{port}/") == 200
    await client.close()
    server.close()

    assert asked == ["hook.example." if host.endswith(".") else "hook.example"], "a final dot means: no search domain"
    assert told == ["hook.example"]
    assert inside.public.connections == 1
    assert f"\r\nhost: {host}:{port}\r\n" in inside.public.heads[0]


async def test_the_zone_of_an_address_goes_to_the_socket_alone(anyio_backend):
    sink = Sink()
    try:
        server = await asyncio.start_server(sink.serve, "::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6")
    port = server.sockets[0].getsockname()[1]
    client = new_client(policy=EgressPolicy("lan"))

    assert await post(client, f"http://[::1%251]:{port}/") == 200
    await client.close()
    server.close()

    [head] = sink.heads
    assert f"\r\nhost: [::1]:{port}\r\n" in head


@pytest.mark.parametrize(
    ("level", "code"), [("public", "egress_denied"), ("any", "egress_denied"), (None, "connect_failed")]
)
async def test_an_address_with_a_zone_that_this_machine_does_not_know_is_never_looked_up(level, code):
    policy = EgressPolicy("lan", allow=["fe80::/10"]) if level is None else EgressPolicy(level)
    asked = []

    error = await refused("fe80::1%nosuch", policy=policy, lookup=lambda *name: asked.append(name))

    assert (error.code, asked) == (code, [])


@pytest.mark.parametrize("host", ["127.0.0.2", "127.2", "0x7f000002"])
async def test_an_address_in_every_spelling_is_told_to_nobody_and_certified_as_itself(
    inside, tmp_path, monkeypatch, host
):
    file, key = new_certificate(tmp_path, "IP:127.0.0.2")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file, key)
    told = []
    context.sni_callback = lambda _, name, __: told.append(name)
    server = await asyncio.start_server(inside.public.serve, PUBLIC, 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    client = new_client(policy=OUTSIDE)

    assert await post(client, f"https://{host}:{port}/") == 200
    await client.close()
    server.close()

    assert told == [None]


async def test_proxy_variables_of_the_environment_are_ignored_at_every_level(inside, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://{INTERNAL}:{inside.port}")
    for level in ("public", "lan", "any"):
        client = new_client(policy=EgressPolicy(level, allow=[PUBLIC]))
        assert await post(client, f"http://{PUBLIC}:{inside.port}/") == 200
        await client.close()

    assert (inside.public.connections, inside.internal.connections) == (3, 0)
