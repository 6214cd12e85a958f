"""Names whose servers do not answer hold up nobody else, and nobody is blamed for what is waited for here."""

import asyncio
import subprocess
import sys
import threading

import pytest
from calling import CLOSING, Inside, failure, new_client, post
from name_server import NameServer

from tasker.egress.address_policy import EgressPolicy
from tasker.egress.http_client import OutOfResourcesError
from tasker.egress.lookups import GIVEN_UP_AT_MOST, GIVEN_UP_PER_DOMAIN

pytestmark = pytest.mark.anyio

PUBLIC = "127.0.0.2"
OUTSIDE = EgressPolicy("public", allow=[PUBLIC])


@pytest.fixture
async def inside(anyio_backend):
    async with Inside() as inside:
        inside.public.answer = CLOSING
        yield inside


@pytest.fixture
def names():
    """A name server that never answers for names with ``silent`` in them, and whose clients wait for a minute."""
    with NameServer(lambda name, _: None if "silent" in name else [PUBLIC], patience=60) as names:
        yield names


async def give_up(client, names, port):
    """Let an attempt for each of *names* end before its name is looked up."""
    outcomes = await asyncio.gather(*(failure(client, f"http://{name}:{port}/", timeout_seconds=0.3) for name in names))
    assert {error.code for error in outcomes} == {"dns_failed"}


async def test_names_that_nobody_answers_for_do_not_hold_up_the_others(inside, names):
    client = new_client(names.look_up, policy=OUTSIDE)
    silent = [
        asyncio.create_task(failure(client, f"http://hook.silent{number}.example:{inside.port}/", timeout_seconds=60))
        for number in range(300)
    ]
    await asyncio.sleep(0)

    async with asyncio.timeout(30):
        for number in range(5):
            assert await post(client, f"http://hook{number}.example:{inside.port}/") == 200

    assert not any(task.done() for task in silent)
    for task in silent:
        task.cancel()
    await asyncio.gather(*silent, return_exceptions=True)
    await client.close()


async def test_what_was_given_up_has_a_share_of_its_own_beyond_which_names_wait_that_are_not_known_to_answer(
    inside, names
):
    client = new_client(names.look_up, policy=OUTSIDE)
    assert await post(client, f"http://known.example:{inside.port}/") == 200
    await give_up(client, [f"hook.silent{number}.example" for number in range(GIVEN_UP_AT_MOST)], inside.port)

    assert await post(client, f"http://known.example:{inside.port}/") == 200
    error = await failure(client, f"http://new.example:{inside.port}/", timeout_seconds=0.1)

    assert (error.code, error.permanent, error.is_targets_fault) == ("dns_busy", False, False)
    assert error.exchange.phases.dns is None
    assert "0.1 s" in error.msg
    assert names.lookups("new.example") == 0

    waiting = asyncio.create_task(post(client, f"http://patient.example:{inside.port}/"))
    await asyncio.sleep(0)
    names.give_in_once()
    assert await waiting == 200
    await client.close()


async def test_the_names_of_one_domain_take_a_part_of_that_share(inside, names):
    client = new_client(names.look_up, policy=OUTSIDE)
    await give_up(client, [f"hook{number}.silent.example" for number in range(GIVEN_UP_PER_DOMAIN)], inside.port)

    error = await failure(client, f"http://one-more.silent.example:{inside.port}/", timeout_seconds=0.1)
    assert (error.code, error.is_targets_fault) == ("dns_busy", False)
    assert names.lookups("one-more.silent.example") == 0
    assert await post(client, f"http://new.example:{inside.port}/") == 200
    await client.close()


async def test_a_name_whose_lookup_was_given_up_is_not_looked_up_beside_it(inside, names):
    client = new_client(names.look_up, policy=OUTSIDE)

    for _ in range(5):
        await give_up(client, ["hook.silent.example"], inside.port)

    assert names.lookups("hook.silent.example") == 1
    assert client._connector._lookups._given_up.total() == 1
    names.give_in()
    error = await failure(client, f"http://hook.silent.example:{inside.port}/")
    assert error.msg == "the target's host name cannot be resolved"
    assert client._connector._lookups._given_up.total() == 0
    await client.close()


async def test_attempts_at_the_same_moment_share_one_lookup_and_each_goes_to_its_own_port(inside):
    async with Inside() as other:
        other.public.answer = CLOSING
        with NameServer(lambda *_: [PUBLIC], patience=60) as names:
            client = new_client(names.look_up, policy=OUTSIDE)
            urls = [f"http://hook.example:{place.port}/" for place in (inside, other)] * 10

            assert await asyncio.gather(*(post(client, url) for url in urls)) == [200] * 20
            assert names.lookups("hook.example") == 1
            assert await post(client, urls[0]) == 200
            assert names.lookups("hook.example") == 2, "what was found is not kept"
            await client.close()

        assert (inside.public.connections, other.public.connections) == (11, 10)


async def test_each_attempt_checks_what_a_shared_lookup_has_found(inside):
    with NameServer(lambda *_: ["127.0.0.1", "10.0.0.1"], patience=60) as names:
        client = new_client(names.look_up, policy=EgressPolicy("public", allow=["127.0.0.1:1"]))

        errors = await asyncio.gather(*(failure(client, f"http://hook.example:{inside.port}/") for _ in range(10)))
        await client.close()

    assert {error.code for error in errors} == {"egress_denied"}
    assert names.lookups("hook.example") == 1
    assert inside.internal.connections == 0


async def test_one_attempt_that_ends_leaves_the_lookup_to_the_others(inside):
    answered = threading.Event()

    def lookup(name, port):
        answered.wait()
        return [(2, 1, 6, "", (PUBLIC, port))]

    client = new_client(lookup, policy=OUTSIDE)
    patient = asyncio.create_task(post(client, f"http://hook.example:{inside.port}/"))
    await failure(client, f"http://hook.example:{inside.port}/", timeout_seconds=0.1)
    answered.set()

    assert await patient == 200
    await client.close()


async def test_threads_are_used_again_and_let_go_of(inside):
    before = set(threading.enumerate())
    with NameServer(lambda *_: [PUBLIC], patience=60) as names:
        client = new_client(names.look_up, policy=OUTSIDE)
        for _ in range(20):
            assert await post(client, f"http://hook.example:{inside.port}/") == 200
        threads = [thread for thread in set(threading.enumerate()) - before if thread.name == "tasker-dns"]
        assert len(threads) == 1
        await client.close()

    threads[0].join(10)
    assert not threads[0].is_alive()


async def test_a_machine_without_a_thread_left_is_no_fault_of_the_target(anyio_backend, monkeypatch):
    def start(_):
        raise RuntimeError("can't start new thread")

    client = new_client(lambda *_: [])
    monkeypatch.setattr(threading.Thread, "start", start)

    with pytest.raises(OutOfResourcesError, match="out of threads"):
        await post(client, "http://hook.example/")
    await client.close()


def test_a_process_ends_while_a_lookup_hangs():
    script = """
import asyncio, threading
from tasker.egress.connector import Connector, Durations, Origin

async def main():
    connector = Connector(lambda *_: threading.Event().wait())
    try:
        async with asyncio.timeout(0.1):
            await connector.connect(Origin("hook.example", 80, False), Durations())
    except TimeoutError:
        connector.close()

asyncio.run(main())
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
