"""A request that may be sent again, and the answer that is kept of it."""

from collections.abc import Callable
from typing import Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")
U = TypeVar("U")


class KeptAnswer(Struct, frozen=True):
    """The answer to the first request with an idempotency key."""

    fingerprint: bytes
    """Of that request: see ``Repeatable``."""
    answer: bytes


class Repeatable(Struct, Generic[T], frozen=True, kw_only=True):
    """A request with an idempotency key: however often it is sent, it makes something once."""

    id: bytes
    """32 bytes that stand for the key and for whose it is."""
    fingerprint: bytes
    """SHA-256 of the request. A request with the same ``id`` and another fingerprint is another
    one."""
    answer: Callable[[T], bytes]
    """Says what to keep, of what was made. Pure: a store may call it on a thread of its own, and
    more than once."""
    retention: int
    """Microseconds for which the answer is kept, from now or from the latest execution time of what
    was made, whichever is later."""

    def of(self, view: Callable[[U], T]) -> "Repeatable[U]":
        """Return the same request for a store that makes a ``U``: the answer is said of what *view* returns of that."""
        answer = self.answer
        return Repeatable(
            id=self.id,
            fingerprint=self.fingerprint,
            answer=lambda made: answer(view(made)),
            retention=self.retention,
        )
