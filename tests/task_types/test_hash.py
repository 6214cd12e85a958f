"""Hashes: the function, what may be hashed, and the threads that do it."""

import asyncio
import base64
import hashlib
import os
import sys
import threading

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasker.errors import InvalidTaskError
from tasker.model.attempt import Attempt, Succeeded
from tasker.model.task import Pool, TaskId
from tasker.task_types import hash as hash_module
from tasker.task_types.hash import SALT_LENGTH, SECRET_LIMIT, HashType, phc_string
from tasker.wire.fields import HashFields, RetryFields

SALT = bytes(range(16))


def run(hashes, secret, started=lambda: None):
    """Make one attempt."""
    return hashes.run(an_attempt(secret), HashFields(secret=secret), started)


def an_attempt(secret):
    return Attempt(
        task_id=TaskId("019bbade-01c6-7d11-821f-bc1538901f12"),
        type="hash",
        pool=Pool(2),
        number=1,
        due_at=0,
        execution_at=0,
        fence=1,
        node="019bbade-0000-7d11-821f-bc1538901f12",
        payload=msgspec.json.encode(HashFields(secret=secret)),
    )


@pytest.fixture
async def hashes(anyio_backend):
    hashes = HashType(iterations=1_000, slots=1, salt=lambda length: SALT[:length])
    yield hashes
    await hashes.close()


# The function


@pytest.mark.parametrize(
    ("secret", "salt", "iterations", "expected"),
    [
        (b"passwd", b"salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"),
        (b"Password", b"NaCl", 80_000, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"),
    ],
)
def test_the_vectors_of_rfc_7914(secret, salt, iterations, expected):
    # The RFC's have 64 bytes: a shorter output is the beginning of a longer one.
    assert _digest(phc_string(secret, salt, iterations)).hex() == expected


def test_the_vector_of_rustcrypto():
    secret, salt = b"passwordPASSWORDpassword", b"saltSALTsaltSALTsaltSALTsaltSALTsalt"
    theirs = (
        "$pbkdf2-sha256$i=4096,l=40$c2FsdFNBTFRzYWx0U0FMVHNhbHRTQUxUc2FsdFNBTFRzYWx0"
        "$NIyJ28vTKy8y2BS4EW6EzysXNH68GAAYHE4qH7jdU+HGNVGMfaxH6Q"
    )

    ours = phc_string(secret, salt, 4096)

    assert ours.split("$")[:2] == theirs.split("$")[:2]
    assert ours.split("$")[2:4] == ["i=4096,l=32", theirs.split("$")[3]]
    assert _digest(ours) == _digest(theirs)[:32]


def test_a_hash_with_the_usual_number_of_rounds():
    assert phc_string(b"hunter2", SALT, 600_000) == (
        "$pbkdf2-sha256$i=600000,l=32$AAECAwQFBgcICQoLDA0ODw$DLXc8p3g+YckaHRcQh4U8q/mKKZKG7s9iuMf1yo8U8c"
    )


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=200), st.binary(min_size=SALT_LENGTH, max_size=SALT_LENGTH), st.integers(1, 50))
def test_the_function_is_that_of_the_standard_library(secret, salt, iterations):
    assert _digest(phc_string(secret, salt, iterations)) == hashlib.pbkdf2_hmac("sha256", secret, salt, iterations, 32)


def _digest(phc):
    text = phc.rpartition("$")[2]
    assert "=" not in text, "no padding"
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


# What may be hashed


@pytest.mark.parametrize(
    "secret",
    [
        "x",
        " ",
        "\0",
        "a\0b",
        "ü" * 10,
        "\U0001f511",
        "x" * SECRET_LIMIT,
        "ü" * (SECRET_LIMIT // 2),
        "\u20ac" * (SECRET_LIMIT // 3) + "x" * (SECRET_LIMIT % 3),
        "\U0001f511" * (SECRET_LIMIT // 4),
    ],
    ids=lambda secret: repr(secret[:10]),
)
@pytest.mark.anyio
async def test_a_secret_up_to_the_limit_is_hashed_whole(hashes, secret):
    assert len(secret.encode()) <= SECRET_LIMIT
    request = HashFields(secret=secret, retry=RetryFields(max_attempts=2))
    assert hashes.prepare(request) == request

    outcome = await run(hashes, secret)

    digest = hashlib.pbkdf2_hmac("sha256", secret.encode(), SALT, 1_000, 32)
    assert isinstance(outcome, Succeeded)
    assert _digest(msgspec.json.decode(outcome.result)) == digest


@pytest.mark.parametrize(
    "secret",
    [
        "s" * (SECRET_LIMIT + 1),
        "ß" * (SECRET_LIMIT // 2) + "s",
        "\U0001f511" * (SECRET_LIMIT // 4) + "\0",
        "s" * 1_000_000,
    ],
    ids=lambda secret: f"{len(secret)} characters",
)
@pytest.mark.anyio
async def test_a_longer_secret_is_refused_without_showing_it(hashes, secret):
    with pytest.raises(InvalidTaskError) as refused:
        hashes.prepare(HashFields(secret=secret))

    assert refused.value.field == "secret"
    assert refused.value.problem == f"expected at most 4096 bytes of UTF-8, got: {len(secret.encode())} bytes"


@pytest.mark.anyio
async def test_every_hash_has_a_salt_of_its_own_of_16_bytes():
    hashes = HashType(iterations=1_000, slots=1)
    outcomes = [await run(hashes, "same") for _ in range(3)]
    await hashes.close()

    salts = {msgspec.json.decode(outcome.result).split("$")[3] for outcome in outcomes}
    assert len(salts) == 3
    assert {len(base64.b64decode(salt + "==", validate=True)) for salt in salts} == {16}


# The threads


@pytest.fixture
def held(monkeypatch):
    """Hashing begins, tells so, and ends when it is let go."""

    class Held:
        def __init__(self):
            self.begun, self.let_go = threading.Semaphore(0), threading.Event()
            self.running = []
            """The threads, and their priorities."""

        def phc_string(self, *_):
            self.running.append((threading.get_native_id(), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))
            self.begun.release()
            assert self.let_go.wait(10)
            return "$hash"

        async def wait(self):
            assert await asyncio.to_thread(self.begun.acquire, timeout=10)

    held = Held()
    monkeypatch.setattr(hash_module, "phc_string", held.phc_string)
    yield held
    held.let_go.set()


@pytest.mark.anyio
async def test_the_attempt_starts_before_the_first_round(hashes, held):
    starts = []
    running = asyncio.create_task(run(hashes, "x", lambda: starts.append(len(held.running))))
    await held.wait()
    held.let_go.set()
    await running

    assert starts == [0]


@pytest.mark.anyio
async def test_as_many_hashes_as_there_are_slots_are_computed_at_once_beside_the_event_loop(held):
    hashes = HashType(iterations=1_000, slots=3)
    assert hashes.slots == 3
    running = [asyncio.create_task(run(hashes, "x")) for _ in range(3)]
    for _ in range(3):
        await held.wait()

    assert len({thread for thread, _ in held.running} - {threading.get_native_id()}) == 3

    held.let_go.set()
    assert await asyncio.gather(*running) == [Succeeded(b'"$hash"')] * 3
    await hashes.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a priority belongs to the whole process")
@pytest.mark.anyio
async def test_hashes_have_the_lowest_priority_and_the_rest_of_the_process_keeps_its_own(hashes, held):
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    running = asyncio.create_task(run(hashes, "x"))
    await held.wait()

    assert [priority for _, priority in held.running] == [19]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before

    held.let_go.set()
    await running


@pytest.mark.anyio
async def test_a_cancelled_hash_ends_only_when_its_thread_has_ended(hashes, held):
    running = asyncio.create_task(run(hashes, "x"))
    await held.wait()

    running.cancel()
    for _ in range(10):
        await asyncio.sleep(0)  # turns of the loop in which it could end
    assert not running.done(), "its thread is still busy, and so is its slot"

    held.let_go.set()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.anyio
async def test_a_hash_that_is_cancelled_before_it_has_a_thread_is_not_computed(hashes, held):
    first, second = (asyncio.create_task(run(hashes, "x")) for _ in range(2))
    await held.wait()

    closing = asyncio.create_task(hashes.close())
    await closing  # does not wait for the thread, and lets the second one go
    with pytest.raises(asyncio.CancelledError):
        await second
    held.let_go.set()
    await first

    assert len(held.running) == 1
