"""API keys: how they are written, and what is kept of each."""

import hashlib
import re
import zlib
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from tasker.errors import LastAdminKeyError, NoAdminKeyError
from tasker.model.instants import Instant

PREFIX: Final = "tasker"
"""How keys begin, so that those who look for secrets in texts find them."""

SECRET_BYTES: Final = 32
"""Random bytes in a key: so many need no slow hash."""

ID_LENGTH: Final = 8
"""Characters of the id of a key."""

ID_CHARACTERS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_LENGTH: Final = 43
_CHECK_LENGTH: Final = 6
_WRITTEN: Final = re.compile(
    rf"({PREFIX}_[0-9a-z]{{{ID_LENGTH}}}_[0-9A-Za-z]{{{_SECRET_LENGTH}}})_([0-9A-Za-z]{{{_CHECK_LENGTH}}})", re.ASCII
)


class ApiKey(Struct, frozen=True, kw_only=True):
    """What is kept of a key: it cannot be made out of this."""

    id: str
    """The part of the key that is no secret."""
    name: str
    role: str | None
    """None: its scopes are listed."""
    scopes: tuple[str, ...]
    """If it has no role."""
    digest: bytes
    created_at: Instant = 0
    expires_at: Instant | None = None
    """From then on it is not valid."""
    used_at: Instant | None = None
    """When it was last used, to the minute; None: it was not."""

    def is_admin_at(self, now: Instant) -> bool:
        """Return whether it is valid, and its caller may say who may call."""
        is_valid = self.expires_at is None or now < self.expires_at
        return is_valid and "admin" in (self.role, *self.scopes)


class KeyState(Struct, frozen=True, kw_only=True):
    """Who may call, as the store knows it."""

    version: int
    """Another one after every change but of ``used_at``."""
    asks: bool
    """Whether keys are asked for, on every node."""
    salt: bytes
    """Random, and the same as long as the store lives."""
    keys: Sequence[ApiKey]
    """In the order in which they were made."""

    def check_new(self, key: ApiKey, now: Instant) -> None:
        """Return if *key* can be made.

        Raises:
            NoAdminKeyError: from then on keys would be asked for, and nobody could make others.
        """
        if not self.asks and not any(each.is_admin_at(now) for each in (*self.keys, key)):
            raise NoAdminKeyError

    def check_revoked(self, key_id: str, now: Instant) -> None:
        """Return if the key with this id can be revoked, and somebody is left who may make others.

        Raises:
            LastAdminKeyError: nobody is.
        """
        admins = {key.id for key in self.keys if key.is_admin_at(now)}
        if admins == {key_id}:
            raise LastAdminKeyError(key_id)


def in_order(keys: Iterable[ApiKey]) -> list[ApiKey]:
    """Return *keys* in the order in which they were made."""
    return sorted(keys, key=lambda key: (key.created_at, key.id))


def written(key_id: str, secret: bytes) -> str:
    """Return the key with an id and a secret of ``SECRET_BYTES``. Its end tells whether it was mistyped.

    >>> written("0a1b2c3d", bytes(32))
    'tasker_0a1b2c3d_0000000000000000000000000000000000000000000_1hcnMJ'
    """
    begin = f"{PREFIX}_{key_id}_{_in_digits(int.from_bytes(secret), _SECRET_LENGTH)}"
    return f"{begin}_{_check(begin)}"


def is_damaged(text: str) -> bool:
    """Return whether *text* begins as our keys do and cannot be one: a part of it is missing or mistyped.

    >>> is_damaged("tasker_0a1b2c3d_00"), is_damaged("another key")
    (True, False)
    """
    if not text.startswith(f"{PREFIX}_"):
        return False
    match = _WRITTEN.fullmatch(text)
    return match is None or _check(match[1]) != match[2]


def digest_of(key: bytes) -> bytes:
    """Return what a key is known by: its SHA-256. A key of ours has 256 random bits."""
    return hashlib.sha256(key).digest()


def _check(text: str) -> str:
    return _in_digits(zlib.crc32(text.encode()), _CHECK_LENGTH)


def _in_digits(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits
