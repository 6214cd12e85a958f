"""Signs webhooks, by which a receiver knows who sent them."""

from collections.abc import Sequence

from tasker.wire.signatures import key_of, signature


class Signer:
    """Signs with every one of its secrets, so that receivers may change from one to the next at a time of their own."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Make a signer.

        Args:
            secrets: at least one, each as ``key_of`` takes it.

        Raises:
            ValueError: one is none.
        """
        self._keys = [key_of(secret) for secret in secrets]

    def signature(self, webhook_id: str, timestamp: str, body: bytes) -> str:
        """Return ``webhook-signature`` for this ``webhook-id`` and ``webhook-timestamp``.

        It is good for exactly this *body*.
        """
        return " ".join([signature(key, webhook_id, timestamp, body) for key in self._keys])
