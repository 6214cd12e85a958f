"""Signatures of webhooks, by which a receiver knows who sent them. Source: Standard Webhooks 1.0.0, scheme v1."""

import base64
import hmac
from collections.abc import Sequence
from typing import Final

_PREFIX: Final = "whsec_"
_LENGTHS: Final = range(24, 65)
"""Bytes that a secret has."""


class Signer:
    """Signs with every one of its secrets, so that receivers may change from one to the next at a time of their own."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Make a signer.

        Args:
            secrets: at least one, each as ``key`` takes it.

        Raises:
            ValueError: one is none.
        """
        self._keys = [key(secret) for secret in secrets]

    def signature(self, webhook_id: str, timestamp: str, body: bytes) -> str:
        """Return ``webhook-signature`` for this ``webhook-id`` and ``webhook-timestamp``.

        It is good for exactly this *body*.
        """
        content = b"%b.%b.%b" % (webhook_id.encode(), timestamp.encode(), body)
        return " ".join(
            ["v1," + base64.b64encode(hmac.digest(each, content, "sha256")).decode() for each in self._keys]
        )


def key(secret: str) -> bytes:
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
