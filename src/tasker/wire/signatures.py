"""Signatures of webhooks. Source: Standard Webhooks 1.0.0, scheme v1."""

import base64
import hmac
from typing import Final

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"

_SCHEME: Final = "v1,"
_PREFIX: Final = "whsec_"
_LENGTHS: Final = range(24, 65)
"""Bytes that a secret has."""


def signature(key: bytes, webhook_id: str, timestamp: str, body: bytes) -> str:
    """Return one signature of ``webhook-signature``, for this ``webhook-id`` and ``webhook-timestamp``.

    It is good for exactly this *body*.
    """
    content = b"%b.%b.%b" % (webhook_id.encode(), timestamp.encode(), body)
    return _SCHEME + base64.b64encode(hmac.digest(key, content, "sha256")).decode()


def key_of(secret: str) -> bytes:
    """Return the key that *secret*, ``whsec_`` and the base64 of 24 to 64 bytes, stands for.

    Raises:
        ValueError: it is none. The message does not show it.
    """
    encoded = secret.removeprefix(_PREFIX)
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except ValueError:
        decoded = b""
    if encoded == secret or len(decoded) not in _LENGTHS:
        raise ValueError("not a signing secret")
    return decoded
