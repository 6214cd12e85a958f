"""The task type ``hash``: PBKDF2-HMAC-SHA256 of a secret, as a PHC string.

Sources: RFC 8018, section 5.2 (PBKDF2); the PHC string format; OWASP's Password Storage Cheat Sheet
for 600,000 rounds.
"""

import asyncio
import base64
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

import msgspec
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import PBKDF2
from typing_extensions import override

from tasker.errors import InvalidTaskError
from tasker.interfaces.task_type import TaskType
from tasker.model.attempt import Attempt, Outcome, Succeeded
from tasker.model.gate import Destination, GateKind
from tasker.model.task import Pool
from tasker.timing.giving_way import LOWEST, give_way
from tasker.wire.fields import HashFields, TaskFields

SECRET_LIMIT: Final = 4096
"""Bytes of a secret in UTF-8. A limit keeps a caller from buying much work with one long secret."""

SALT_LENGTH: Final = 16
OUTPUT_LENGTH: Final = 32


class HashType(TaskType):
    """Computes hashes, on threads of its own."""

    name = "hash"
    spellings = ("Hash",)
    pool = Pool(2)
    timeout = timedelta(minutes=5)
    fields = HashFields

    def __init__(self, *, iterations: int, slots: int, salt: Callable[[int], bytes] = secrets.token_bytes) -> None:
        """Make the type.

        Args:
            iterations: rounds of PBKDF2.
            slots: how many hashes are computed at once, each on a thread.
            salt: makes so many random bytes.
        """
        self._slots = slots
        self._iterations = iterations
        self._salt = salt
        self._threads = ThreadPoolExecutor(
            slots,
            thread_name_prefix="tasker-hash",
            initializer=give_way,  # hashes take what time is left, so that busy ones do not make webhooks late
            initargs=(LOWEST,),
        )

    @property
    @override
    def slots(self) -> int:
        return self._slots

    @override
    def prepare(self, request: TaskFields) -> TaskFields:
        assert isinstance(request, HashFields)  # noqa: S101 - the shape was checked when it was decoded
        length = len(request.secret.encode())
        if length > SECRET_LIMIT:
            raise InvalidTaskError("secret", f"expected at most {SECRET_LIMIT} bytes of UTF-8, got: {length} bytes")
        return request

    @override
    def destination(self, fields: TaskFields) -> Destination:
        """All hashes are computed here."""
        del fields
        return Destination(GateKind.TYPE, self.name)

    @override
    async def run(self, attempt: Attempt, fields: TaskFields, started: Callable[[], None]) -> Outcome:
        """The result is a PHC string."""
        assert isinstance(fields, HashFields)  # noqa: S101 - they were read as such
        secret = fields.secret.encode()
        started()  # a slot is a thread: one is free
        computing = self._threads.submit(phc_string, secret, self._salt(SALT_LENGTH), self._iterations)
        hashed = asyncio.wrap_future(computing)
        try:
            return Succeeded(msgspec.json.encode(await asyncio.shield(hashed)))
        except asyncio.CancelledError:
            await asyncio.wait({hashed})  # a thread cannot be stopped: the slot stays taken until it has ended
            raise

    @override
    async def close(self) -> None:
        """Does not wait for a thread that hangs."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def phc_string(secret: bytes, salt: bytes, iterations: int) -> str:
    """Return the hash of *secret* as ``$pbkdf2-sha256$i=...,l=32$salt$hash``, in standard base64 without padding.

    pycryptodome's PBKDF2 takes half the time of hashlib's here, and lets other threads run
    meanwhile.
    """
    digest = PBKDF2(secret, salt, OUTPUT_LENGTH, count=iterations, hmac_hash_module=SHA256)
    return f"$pbkdf2-sha256$i={iterations},l={OUTPUT_LENGTH}${_base64(salt)}${_base64(digest)}"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")
