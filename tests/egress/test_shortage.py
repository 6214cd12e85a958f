"""When this machine runs out of something, and how few connections are kept so that it does not."""

import asyncio
import errno
import os
import resource
import socket

import pytest
import structlog
from calling import Inside, post
from targets import receive

from tasker.egress import connector, idle_connections, pooled_client, shortage
from tasker.egress.connector import Connector, look_up
from tasker.egress.http_client import DeliveryError, OutOfResourcesError
from tasker.egress.pooled_client import PooledClient
from tasker.egress.shortage import Shortage, lack

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


async def answering(reader, writer):
    while True:
        await receive(reader)
        writer.write(OK)


@pytest.fixture
def new_client(anyio_backend, monkeypatch):
    """Makes clients that do not wait before they give up."""
    monkeypatch.setattr(pooled_client, "PAUSE_SECONDS", 0)
    return PooledClient


@pytest.fixture
async def targets(target):
    """URLs of targets that answer, each at an origin of its own."""
    return [(await target(answering))[0] for _ in range(12)]


@pytest.fixture
def no_descriptors():
    """Leaves the process the descriptors it has and so many more, while it is entered."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = []

    def leave(more):
        while len(held) < 100:  # so that none is free below the limit
            held.append(os.dup(0))
        highest = max(held)
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, before[1]))
        for _ in range(more):
            os.close(held.pop())

    yield leave
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
    for each in held:
        os.close(each)


# How many are kept


async def test_few_connections_are_kept_and_the_one_that_was_idle_longest_makes_way(new_client, targets):
    client = new_client(descriptors=16)

    for url in targets:
        assert await post(client, url) == 200

    kept = list(client._idle)
    assert len(kept) == 4, "a quarter of the descriptors"
    assert kept == sorted(kept, key=lambda connection: connection.idle_since)
    assert [await post(client, url) for url in reversed(targets[-4:])] == [200] * 4
    assert set(client._idle) == set(kept), "the latest four were kept and used again"
    await client.close()


async def test_of_one_origin_fewer_are_kept_so_that_it_leaves_room_for_others(new_client, target):
    together = asyncio.Barrier(8)

    async def serve(reader, writer):
        await receive(reader)
        await together.wait()
        writer.write(OK)
        await reader.read()

    url, _ = await target(serve)
    client = new_client(descriptors=32)

    await asyncio.gather(*(post(client, url) for _ in range(8)))

    assert len(client._idle) == 4, "half of what is kept in all"
    await client.close()


async def test_connections_take_half_of_the_descriptors_and_idle_ones_make_way_for_others(new_client, target, targets):
    url, hanging = await target(lambda reader, _: reader.read())
    client = new_client(descriptors=16)
    for each in targets[:4]:
        await post(client, each)
    calls = [asyncio.create_task(post(client, url)) for _ in range(8)]
    async with asyncio.timeout(10):
        while hanging.connections < 8:  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0)

    assert len(client._idle) == 0
    with pytest.raises(OutOfResourcesError):
        await post(client, targets[0])
    assert client.ailment == "out of file descriptors"

    calls.pop().cancel()
    await asyncio.sleep(0)
    assert await post(client, targets[0]) == 200
    for call in calls:
        call.cancel()
    await client.close()


async def test_the_bounds_come_of_what_the_system_allows(new_client, monkeypatch):
    allowed = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (allowed[-1], allowed[-1]))
    bounds = []
    for each in (2, 256, 1_024, 1_048_576, resource.RLIM_INFINITY):
        allowed.append(each)
        client = new_client()
        assert client._most == shortage.connections_that_fit()
        bounds.append((client._most, client._idle._most, client._idle._most_of_one))
        await client.close()

    assert bounds == [(2, 1, 1), (128, 64, 32), (512, 256, 128), (524_288, 1_024, 512), (524_288, 1_024, 512)]


# How long


async def test_a_connection_is_not_used_beyond_its_life_so_that_a_name_that_moves_is_followed(
    anyio_backend, monkeypatch
):
    monkeypatch.setattr(idle_connections, "LONGEST_LIFE_SECONDS", 0.2)
    async with Inside() as machine:
        place = ["127.0.0.1"]
        client = PooledClient(Connector(lambda _, port: look_up(place[0], port)))
        url = f"http://moving.example:{machine.port}/"
        await post(client, url)
        place[0] = "127.0.0.2"

        async with asyncio.timeout(10):
            while machine.public.connections == 0:
                assert await post(client, url) == 200, "it is used all the time, so it is never idle for long"

        assert machine.internal.connections == 1
        await client.close()


async def test_a_connection_that_is_too_old_when_its_answer_ends_is_closed_at_once(target, monkeypatch):
    monkeypatch.setattr(idle_connections, "LONGEST_LIFE_SECONDS", 0)
    url, target = await target(answering)
    client = PooledClient()

    for _ in range(3):
        assert await post(client, url) == 200
        assert len(client._idle) == 0

    assert target.connections == 3
    await client.close()


async def test_what_nothing_is_sent_on_is_closed_after_a_while(target, monkeypatch):
    monkeypatch.setattr(idle_connections, "KEPT_ALIVE_SECONDS", 0.05)
    url, target = await target(answering)
    client = PooledClient()
    await post(client, url)

    async with asyncio.timeout(10):
        await target.ended.wait()

    assert len(client._idle) == 0
    await client.close()


# What is lacking


async def test_without_a_free_descriptor_idle_connections_make_way(new_client, targets, no_descriptors):
    client = new_client()
    for url in targets[:-1]:
        await post(client, url)
    no_descriptors(0)

    assert await post(client, targets[-1]) == 200

    assert client.ailment is None
    assert len(client._idle) == 6, "half of them, and the new one"
    await client.close()


async def test_without_a_free_descriptor_the_attempt_has_not_begun_and_the_target_is_not_to_blame(
    new_client, targets, no_descriptors
):
    client = new_client()
    no_descriptors(0)

    with structlog.testing.capture_logs() as logged:
        for _ in range(3):
            with pytest.raises(OutOfResourcesError, match="out of file descriptors"):
                await post(client, targets[1])

    assert client.ailment == "out of file descriptors"
    assert [(line["log_level"], line["reason"]) for line in logged] == [("warning", "out of file descriptors")]


async def test_an_attempt_that_cannot_begin_is_given_back_a_moment_later(anyio_backend, monkeypatch):
    waited = []

    async def wait(seconds):
        waited.append(seconds)

    monkeypatch.setattr(pooled_client.asyncio, "sleep", wait)
    monkeypatch.setattr(connector, "start_connection", failing(OSError(errno.EMFILE, "Too many open files")))
    client = PooledClient()

    with pytest.raises(OutOfResourcesError):
        await post(client, "http://127.0.0.1:9/")

    assert waited == [pooled_client.PAUSE_SECONDS]
    await client.close()


def failing(error):
    async def fail(*_, **__):
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "lacking"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "file descriptors"),
        (OSError(errno.ENFILE, "Too many open files in system"), "file descriptors"),
        (OSError(errno.ENOBUFS, "No buffer space available"), "memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory"),
        (OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"), "local ports"),
        (
            OSError("Multiple exceptions: [Errno 111] Connection refused, [Errno 24] Too many open files"),
            "file descriptors",
        ),
        (RuntimeError("can't start new thread"), "threads"),
        (socket.gaierror(socket.EAI_MEMORY, "Memory allocation failure"), "memory"),
    ],
    ids=repr,
)
async def test_what_this_machine_lacks_is_no_fault_of_the_target(new_client, monkeypatch, error, lacking):
    def lookup(*_):
        if isinstance(error, socket.gaierror):
            raise error
        return look_up("127.0.0.1", 9)

    monkeypatch.setattr(connector, "start_connection", failing(error))
    client = new_client(Connector(lookup))

    with pytest.raises(OutOfResourcesError) as caught:
        await post(client, "http://named.example:9/")

    assert caught.value.lack == lacking
    assert client.ailment == f"out of {lacking}"
    await client.close()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
async def test_what_the_lookup_of_a_name_lacks_is_no_fault_of_the_target(new_client, number):
    def lookup(*_):
        raise OSError(number, "lacking")

    client = new_client(Connector(lookup))

    with pytest.raises(OutOfResourcesError):
        await post(client, "http://named.example:9/")

    await client.close()


async def test_threads_that_cannot_be_started_are_no_fault_of_the_target(new_client, monkeypatch):
    def start(_):
        raise RuntimeError("can't start new thread")

    client = new_client(Connector())
    monkeypatch.setattr("threading.Thread.start", start)

    with pytest.raises(OutOfResourcesError, match="out of threads"):
        await post(client, "http://named.example:9/")

    await client.close()


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENETUNREACH, "Network is unreachable"),
        OSError(errno.EACCES, "Permission denied"),
        OSError("Multiple exceptions: [Errno 111] Connection refused, [Errno 101] Network is unreachable"),
        RuntimeError("something else"),
    ],
    ids=repr,
)
async def test_everything_else_is_what_became_of_the_connection(new_client, monkeypatch, error):
    monkeypatch.setattr(connector, "start_connection", failing(error))
    client = new_client()

    with pytest.raises(DeliveryError) as caught:
        await post(client, "http://127.0.0.1:9/")

    assert caught.value.code == "connect_failed"
    assert client.ailment is None
    await client.close()


async def test_an_address_that_cannot_be_called_from_here_at_all_is_no_lack_of_ports(new_client, monkeypatch):
    monkeypatch.setattr(shortage, "_has_a_way", lambda *_: False)  # as with ::1 on a machine without IPv6
    monkeypatch.setattr(
        connector, "start_connection", failing(OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"))
    )
    client = new_client()

    with pytest.raises(DeliveryError) as caught:
        await post(client, "http://[::1]:9/")

    assert caught.value.code == "connect_failed"
    await client.close()


def test_a_name_that_cannot_be_resolved_for_lack_of_descriptors_says_so(no_descriptors):
    error = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    assert lack(error) is None

    no_descriptors(0)

    assert lack(error) == "file descriptors"


async def test_a_shortage_is_told_of_for_a_while_and_logged_now_and_then(anyio_backend, monkeypatch):
    now = [1_000.0]
    short = Shortage()
    monkeypatch.setattr(short, "_loop", type("Loop", (), {"time": lambda _: now[0]})())
    told = []
    with structlog.testing.capture_logs() as logged:
        for moment in (1_000, 1_001, 1_059.9, 1_060, 1_061):
            now[0] = moment
            short.met("memory")
            told.append(short.reason)
    assert told == ["out of memory"] * 5
    assert len(logged) == 2

    now[0] = 1_065.9
    assert short.reason == "out of memory"
    now[0] = 1_066
    assert short.reason is None
