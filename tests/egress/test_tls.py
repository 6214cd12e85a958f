"""TLS to targets: whom it trusts, what it says when it does not, and how little a target can do before it is secure."""

import asyncio
import contextlib
import socket
import ssl
import subprocess
import threading

import pytest
from calling import CLOSING, Sink, failure, new_certificate, new_client, post
from targets import receive

from tasker.egress import tls
from tasker.egress.connection import Connection
from tasker.egress.connector import Connector
from tasker.egress.tls import HANDSHAKE_LIMIT, SILENT_LIMIT
from tasker.errors import StartError

pytestmark = pytest.mark.anyio

ONE_READ = 256_000
"""Bytes that the event loop hands over at once, at most."""


@pytest.fixture
async def serving(anyio_backend):
    """Starts a target with TLS; ``url = await serving(certificate, key)``. ``context`` changes what it offers."""
    servers = []

    async def start(certificate, key, *, serve=None, change=lambda _: None):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        change(context)
        server = await asyncio.start_server(serve or Sink(CLOSING).serve, "127.0.0.1", 0, ssl=context)
        servers.append(server)
        return f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def trusting(monkeypatch):
    """Makes a client that trusts the certificates in these files alone."""

    def make(*files):
        together = files[0].with_suffix(".all.pem")
        together.write_text("".join(file.read_text() for file in files))
        monkeypatch.setenv("SSL_CERT_FILE", str(together))
        monkeypatch.setenv("SSL_CERT_DIR", str(files[0].parent))
        return new_client()

    return make


def run(*command):
    """Run a command and return what it printed."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def new_authority(folder, name="/CN=Our authority"):
    return new_certificate(folder, None, subject=name)


def signed(folder, authority, names, *options, **more):
    """Return the files of a certificate that *authority* has signed, and of its key."""
    certificate, key = authority
    usage = ("-addext", "basicConstraints=critical,CA:FALSE")
    return new_certificate(folder, names, "-CA", certificate, "-CAkey", key, *usage, *options, **more)


def long_ago(folder, authority):
    """Return the files of a certificate for 127.0.0.1 that has expired, and of its key."""
    certificate, key = authority
    _, own_key = new_certificate(folder, "IP:127.0.0.1")
    request, expired, names = (folder / f"expired.{kind}" for kind in ("csr", "pem", "cnf"))
    names.write_text("subjectAltName=IP:127.0.0.1\n")
    run("openssl", "req", "-new", "-key", own_key, "-subj", "/CN=x", "-out", request)
    issue = [
        "openssl",
        "x509",
        "-req",
        "-in",
        request,
        "-CA",
        certificate,
        "-CAkey",
        key,
        "-CAcreateserial",
        "-days",
        "-1",
    ]
    run(*issue, "-extfile", names, "-out", expired)
    return expired, own_key


# Whom it trusts, and what it says


async def test_a_certificate_of_a_trusted_private_authority_is_accepted(tmp_path, serving, trusting):
    authority = new_authority(tmp_path)
    url = await serving(*signed(tmp_path, authority, "IP:127.0.0.1"))
    client = trusting(authority[0])

    assert await post(client, url) == 200
    await client.close()


async def test_a_bundle_trusts_each_of_its_authorities(tmp_path, serving, trusting):
    first, second = new_authority(tmp_path), new_authority(tmp_path, "/CN=Another")
    client = trusting(first[0], second[0])

    for authority in (first, second):
        assert await post(client, await serving(*signed(tmp_path, authority, "IP:127.0.0.1"))) == 200
    await client.close()


async def test_a_certificate_may_be_trusted_itself_or_through_an_authority_in_between(tmp_path, serving, trusting):
    authority = new_authority(tmp_path)
    between = new_certificate(tmp_path, None, "-CA", authority[0], "-CAkey", authority[1], subject="/CN=Between")
    leaf = signed(tmp_path, between, "IP:127.0.0.1")
    url = await serving(*leaf)

    for trusted in (leaf[0], between[0]):
        client = trusting(trusted)
        assert await post(client, url) == 200
        await client.close()


async def test_a_directory_of_authorities_is_read_at_the_start(tmp_path, serving, monkeypatch):
    authority = new_authority(tmp_path)
    url = await serving(*signed(tmp_path, authority, "IP:127.0.0.1"))
    hashed = run("openssl", "x509", "-hash", "-noout", "-in", authority[0])
    folder = tmp_path / "authorities"
    folder.mkdir()
    link = folder / f"{hashed.strip()}.0"
    link.write_bytes(authority[0].read_bytes())
    (folder / "0badbad0.0").write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_DIR", f"{folder}:{tmp_path}")
    client = new_client()
    link.unlink()

    assert await post(client, url) == 200
    await client.close()


@pytest.mark.parametrize(
    ("variable", "says"),
    [("SSL_CERT_FILE", "No such file"), ("SSL_CERT_DIR", "No such file")],
)
async def test_a_variable_that_names_nothing_is_a_reason_not_to_start(tmp_path, monkeypatch, variable, says):
    monkeypatch.setenv(variable, str(tmp_path / "nothing"))

    with pytest.raises(StartError, match=f"{variable} names: {says}"):
        Connector()


async def test_a_file_without_a_certificate_is_a_reason_not_to_start(tmp_path, monkeypatch):
    (tmp_path / "empty.pem").write_text("hello\n")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "empty.pem"))

    with pytest.raises(StartError, match="it holds no certificate"):
        Connector()


async def test_what_is_wrong_with_a_certificate_is_said_and_what_to_do(tmp_path, serving, trusting):
    authority, stranger = new_authority(tmp_path), new_authority(tmp_path, "/CN=Stranger")
    between = new_certificate(tmp_path, None, "-CA", authority[0], "-CAkey", authority[1], subject="/CN=Between")
    faults = {
        "it has to be renewed there": long_ago(tmp_path, authority),
        "signed by itself": new_certificate(tmp_path, "IP:127.0.0.1"),
        "the issuer of the target's certificate is not known here": signed(tmp_path, stranger, "IP:127.0.0.1"),
        "have the target send its intermediate certificates": signed(tmp_path, between, "IP:127.0.0.1"),
        "this address has to be among its alternative names": signed(tmp_path, authority, "IP:127.0.0.2,DNS:127.0.0.1"),
    }
    client = trusting(authority[0])

    for says, files in faults.items():
        error = await failure(client, await serving(*files))
        assert (error.code, error.permanent, error.is_targets_fault) == ("tls_failed", False, True)
        assert says in error.msg
        assert "127.0.0" not in error.msg
    await client.close()


@pytest.mark.parametrize("names", ["DNS:other.example", None, "DNS:*.hook.example", "IP:127.0.0.1"])
async def test_a_common_name_is_no_name_and_another_name_is_said_to_be_one(tmp_path, serving, trusting, names):
    authority = new_authority(tmp_path)
    url = await serving(*signed(tmp_path, authority, names, subject="/CN=localhost"))
    client = trusting(authority[0])

    error = await failure(client, url.replace("127.0.0.1", "localhost"))
    await client.close()

    assert error.code == "tls_failed"
    assert "this host has to be among its alternative names" in error.msg
    assert "localhost" not in error.msg


async def test_a_private_authority_need_not_have_every_extension_whatever_the_python():
    flags = tls.client_context().verify_flags

    assert not flags & ssl.VERIFY_X509_STRICT
    assert flags & ssl.VERIFY_X509_PARTIAL_CHAIN


# What is offered


async def test_tls_1_2_and_1_3_are_spoken_and_http_1_1_is_asked_for(tmp_path, serving, trusting):
    authority = new_authority(tmp_path)
    files = signed(tmp_path, authority, "IP:127.0.0.1")
    client = trusting(authority[0])

    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        chosen = []

        async def serve(reader, writer, chosen=chosen):
            chosen.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
            await receive(reader)
            writer.write(CLOSING)
            writer.close()

        def change(context, version=version):
            context.minimum_version = context.maximum_version = version
            context.set_alpn_protocols(["h2", "http/1.1"])

        assert await post(client, await serving(*files, serve=serve, change=change)) == 200
        assert chosen == ["http/1.1"]
    await client.close()
    assert tls.client_context().minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"\x15\x03\x01\x00\x02\x02\x46", "1.2 is the least"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "refused the TLS handshake"),
        (b"\x15\x03\x03\x00\x02\x02\x70", "serves no host of this name"),
        (b"\x15\x03\x03\x00\x02\x02\x50", "the target's TLS is not acceptable"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak TLS"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not speak TLS"),
        (b"", "closed the connection"),
    ],
)
async def test_what_a_target_has_against_tls_is_said(anyio_backend, target, answer, says):
    async def serve(reader, writer):
        await reader.read(1)
        writer.write(answer)

    url, _ = await target(serve)
    client = new_client()

    error = await failure(client, url.replace("http:", "https:"))
    await client.close()

    assert (error.code, error.permanent, error.is_targets_fault) == ("tls_failed", False, True)
    assert says in error.msg


async def test_a_connection_is_used_again_and_takes_long_bodies_both_ways(tmp_path, serving, trusting):
    authority = new_authority(tmp_path)
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n" + b"x" * 60_000
    sink = Sink(answer)
    client = trusting(authority[0])
    url = await serving(*signed(tmp_path, authority, "IP:127.0.0.1"), serve=sink.serve)

    for length in (1, 5_000_000, 3):
        assert await post(client, url, body=b"x" * length) == 200
    await client.close()

    assert sink.connections == 1
    assert [head.count("x") >= 1 for head in sink.heads] == [True] * 3


async def test_an_answer_that_ends_with_the_connection_ends_with_the_end_of_tls(tmp_path, serving, trusting):
    authority = new_authority(tmp_path)
    client = trusting(authority[0])
    url = await serving(
        *signed(tmp_path, authority, "IP:127.0.0.1"), serve=Sink(b"HTTP/1.0 200 OK\r\n\r\nhello").closing
    )

    assert await post(client, url) == 200
    await client.close()


# Targets that mean harm

HELLO_REQUEST = b"\x16\x03\x03\x00\x04\x00\x00\x00\x00"
"""A record that a client passes over, as often as it comes. Source: RFC 5246, section 7.4.1.1."""

ENDLESS = {
    "requests to say hello": HELLO_REQUEST * 1_000,
    "a certificate": b"\x16\x03\x03\x40\x00" + b"\x0b\xff\xff\xff" + b"x" * 16_380,
    "alerts": b"\x15\x03\x03\x00\x02\x01\x00" * 1_000,
    "empty records": b"\x16\x03\x03\x00\x00" * 1_000,
    "text": b"x" * 1_000,
    "NULs": b"\0" * 1_000,
}


@pytest.mark.parametrize("what", ENDLESS)
async def test_of_what_comes_before_tls_is_established_little_is_read(anyio_backend, target, monkeypatch, what):
    read = []
    real = Connection.data_received

    def counting(connection, data):
        read.append(len(data))
        real(connection, data)

    monkeypatch.setattr(Connection, "data_received", counting)

    async def serve(reader, writer):
        await reader.read(1)
        while not writer.is_closing():
            writer.write(ENDLESS[what])
            await writer.drain()

    url, target = await target(serve)
    client = new_client()

    error = await failure(client, url.replace("http:", "https:"))

    assert error.code == "tls_failed"
    assert ("sends without end" in error.msg) == (what == "requests to say hello"), "what else there is breaks TLS"
    async with asyncio.timeout(10):
        await target.ended.wait()
    assert sum(read) <= HANDSHAKE_LIMIT + ONE_READ
    await client.close()


@pytest.mark.parametrize("serve", ["silent", "dripping"])
async def test_a_handshake_has_a_time_of_its_own(anyio_backend, target, monkeypatch, serve):
    monkeypatch.setattr(tls, "HANDSHAKE_SECONDS", 0.2)

    async def silent(reader, writer):
        await reader.read()

    async def dripping(reader, writer):
        await reader.read(1)
        while not writer.is_closing():
            writer.write(HELLO_REQUEST)
            await asyncio.sleep(0.01)

    url, target = await target({"silent": silent, "dripping": dripping}[serve])
    client = new_client()

    error = await failure(client, url.replace("http:", "https:"), timeout_seconds=3_600)

    assert (error.code, "within 0.2 s" in error.msg) == ("tls_failed", True)
    async with asyncio.timeout(10):
        await target.ended.wait()
    await client.close()


async def test_an_attempt_that_ends_during_the_handshake_closes_the_connection(anyio_backend, target):
    async def serve(reader, writer):
        await reader.read()

    url, target = await target(serve)
    client = new_client()

    assert (await failure(client, url.replace("http:", "https:"), timeout_seconds=0.1)).code == "connect_timeout"
    async with asyncio.timeout(10):
        await target.ended.wait()
    await client.close()


async def test_what_a_target_says_in_tls_that_is_no_answer_is_counted_too(anyio_backend, monkeypatch):
    class Swallowing:
        """Makes nothing of what comes, as OpenSSL does of tickets and new keys."""

        def do_handshake(self):
            pass

        def read(self, _):
            raise ssl.SSLWantReadError

    client_end = tls.Tls(tls.client_context(), "hook.example")
    monkeypatch.setattr(client_end, "_tls", Swallowing())
    client_end.opened(b"x")

    client_end.opened(b"x" * SILENT_LIMIT)
    assert client_end.error is None
    client_end.opened(b"x")
    assert client_end.error.code == "tls_failed"
    assert "sends without end" in client_end.error.msg


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("body", [b"x", b"x" * 20_000_000], ids=["short", "long"])
async def test_a_target_that_asks_for_a_certificate_of_the_client_is_said_to(tmp_path, trusting, version, body):
    authority = new_authority(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*signed(tmp_path, authority, "IP:127.0.0.1"))
    context.minimum_version = context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    client = trusting(authority[0])
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse():  # in TLS 1.3 after the client's end of the handshake is over, maybe in the midst of its request
            with pytest.raises(ssl.SSLError, match="did not return a certificate"):
                context.wrap_socket(listening.accept()[0], server_side=True)

        refusing = asyncio.create_task(asyncio.to_thread(refuse))
        error = await failure(client, f"https://127.0.0.1:{listening.getsockname()[1]}/", body=body)
        await refusing
    await client.close()

    assert error.code == "tls_failed"
    assert "asks for a certificate of the client" in error.msg


@pytest.mark.parametrize("comes", ["before the request", "as the request is written"])
async def test_what_tls_says_before_a_byte_of_the_request_went_out_is_why_it_did_not(
    tmp_path, trusting, monkeypatch, comes
):
    authority = new_authority(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*signed(tmp_path, authority, "IP:127.0.0.1"))
    context.verify_mode = ssl.CERT_REQUIRED
    client = trusting(authority[0])
    refusals, exchange = [], Connection.exchange

    async def exchange_late(connection, request, **options):
        refusals[0].join(10)
        if comes == "before the request":
            connection.data_received(connection._socket.recv(1_000))
        await exchange(connection, request, **options)

    monkeypatch.setattr(Connection, "exchange", exchange_late)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse():
            with contextlib.suppress(ssl.SSLError):
                context.wrap_socket(listening.accept()[0], server_side=True)

        refusals.append(threading.Thread(target=refuse))
        refusals[0].start()
        error = await failure(client, f"https://127.0.0.1:{listening.getsockname()[1]}/")
    await client.close()

    assert error.code == "tls_failed"
    assert "asks for a certificate of the client" in error.msg


async def test_a_target_that_breaks_tls_after_the_handshake_has_no_answer(tmp_path, serving, trusting):
    authority = new_authority(tmp_path)

    async def serve(reader, writer):
        await receive(reader)
        raw = writer.get_extra_info("socket").dup()
        raw.setblocking(True)
        raw.send(b"x" * 100)
        raw.close()
        with contextlib.suppress(ssl.SSLError):  # the client says what it thinks of it
            await reader.read()

    client = trusting(authority[0])
    error = await failure(client, await serving(*signed(tmp_path, authority, "IP:127.0.0.1"), serve=serve))
    await client.close()

    assert error.code == "connection_lost"
