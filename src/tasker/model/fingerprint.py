"""What makes two failures the same: the fingerprint that they share."""

import hashlib
import re
from functools import lru_cache
from typing import Final

import msgspec

LENGTH: Final = 16
"""Hexadecimal digits of a fingerprint."""

LONGEST_GIST: Final = 500
"""Characters that are looked at, so that no message takes long."""

_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`|“[^”]*”|«[^»]*»")
_UUID: Final = re.compile(r"\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b", re.IGNORECASE)
_ID: Final = re.compile(r"\b(?=[0-9a-z_-]*[0-9])(?=[0-9_-]*[a-z])[0-9a-z_-]{8,}\b", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\d+(?:[.,:]\d+)*")
_BLANKS: Final = re.compile(r"\s+")


def gist(msg: str) -> str:
    """Return what of *msg* is the same each time: it without quoted text, ids and numbers.

    An id is a UUID, or a word of eight characters or more with letters and digits.

    >>> gist("order 17 of 'Smith & Sons' (01a20f5f-cad1-7ddf-9a84-7874a503bf14) took 2.5 s")
    'order # of "…" (<id>) took # s'
    """
    msg = _QUOTED.sub('"…"', msg[:LONGEST_GIST])
    msg = _ID.sub("<id>", _UUID.sub("<id>", msg))
    return _BLANKS.sub(" ", _NUMBER.sub("#", msg)).strip()


@lru_cache(maxsize=1_024)
def fingerprint_of(type_: str, code: str, status: int | None, msg: str) -> str:
    """Return the fingerprint of a failure: the same for the same type, code, status and gist of the message.

    It is the same on every node, at every start and in every version: it is stored.

    Args:
        status: of the answer, if the attempt was a call and there was one.
    """
    said = msgspec.json.encode([type_, code, status, gist(msg)])
    return hashlib.sha256(said).hexdigest()[:LENGTH]
