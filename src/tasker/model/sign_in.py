"""Sign-ins of the dashboard: what is kept of each."""

import hashlib
from datetime import timedelta
from typing import Final

from msgspec import Struct

from tasker.model.instants import Instant

LASTS: Final = timedelta(hours=12)
"""How long a sign-in is good, if its key is."""

TOKEN_BYTES: Final = 32
"""Random bytes that a browser shows: so many need no slow hash."""


class SignIn(Struct, frozen=True, kw_only=True):
    """A browser that has shown a key. Neither the key nor what the browser shows now can be made out of this."""

    digest: bytes
    """Of what the browser shows: see ``digest_of``."""
    key_id: str
    """Of a key of the store, or of a node's file."""
    ends_at: Instant
    """From then on it is not good."""


def digest_of(token: str) -> bytes:
    """Return what a token is known by: its SHA-256."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
