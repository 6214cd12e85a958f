"""For receivers: is a call one of tasker's?

::

    from tasker import webhooks

    webhooks.verify(body, request.headers, secret)

tasker signs webhooks as Standard Webhooks 1.0.0 says, with scheme v1. Signatures of other schemes,
which may stand beside, are passed over.
"""

import hmac
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, Protocol

from tasker.errors import TaskerError
from tasker.wire.signatures import ID, SIGNATURE, TIMESTAMP, key_of, signature

TOLERANCE: Final = timedelta(minutes=5)
"""How far away the time of a call may be, in either direction, unless the receiver says otherwise."""

_SECONDS: Final = re.compile("[0-9]{1,11}", re.ASCII)


class Headers(Protocol):
    """The headers of a request, as any framework has them: the case of their names does not count."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Return the names and values."""
        ...


class Webhook(NamedTuple):
    """A call that is genuine."""

    id: str
    """The id of the task: the same at every attempt. Remember those that you have handled."""
    sent_at: datetime
    """When this attempt was made, to the second, in UTC."""


class InvalidSignature(TaskerError):  # noqa: N818 - as the exceptions of the client
    """The call is none of tasker's, was changed on the way, or is too old. Answer with 401, and do nothing."""

    code = "invalid_signature"


def verify(
    body: bytes,
    headers: Headers,
    secrets: str | Iterable[str],
    *,
    tolerance: timedelta = TOLERANCE,
    now: datetime | None = None,
) -> Webhook:
    """Return if a call is genuine: it has a signature by one of the secrets, and its time is near.

    A call may come twice all the same. Remember its ``id`` in the transaction that does the work, and
    if it comes again, answer with 200 and do nothing else.

    Args:
        body: as it arrived, before anything parses it; empty if there is none.
        headers: those of the request.
        secrets: the signing secret, ``whsec_...``; or several, while you change from one to the next.
        tolerance: how far away the time of the call may be.
        now: the time; None: that of this machine.

    Raises:
        InvalidSignature: it is not. The message says why.
        ValueError: a secret is none, or there is none. The message does not show it.
        TypeError: *body* is text: what was parsed or decoded may have other bytes than what was signed.
    """
    if isinstance(body, str):  # nothing else is mistaken so often
        raise TypeError(f"body: expected the bytes as they arrived, got: {type(body).__name__}")
    keys = keys_of([secrets] if isinstance(secrets, str) else secrets)
    webhook_id, timestamp, signatures = _said(headers)
    sent_at = _time(timestamp)
    # All are compared, each in constant time: how long that takes says nothing.
    expected = [signature(key, webhook_id, timestamp, body).encode() for key in keys]
    given = [each.encode() for each in signatures.split(" ")]
    if not sum(hmac.compare_digest(right, each) for right in expected for each in given):
        raise InvalidSignature(
            "no signature is right: the body, the id or the time was changed, or the secret is another"
        )
    # After the signature: what is told of a call that nobody signed is only that.
    if abs((now or datetime.now(UTC)) - sent_at) > tolerance:
        raise InvalidSignature(
            f"the call is of {sent_at.isoformat()}, which is more than {tolerance.total_seconds():g} s away: "
            "it was kept and sent again, or a clock is wrong"
        )
    return Webhook(webhook_id, sent_at)


def keys_of(secrets: Iterable[str]) -> list[bytes]:
    """Return the keys that signing secrets stand for; at least one.

    Raises:
        ValueError: as ``verify``.
    """
    try:
        keys = [key_of(secret) for secret in secrets]
    except ValueError:
        raise ValueError("secrets: expected signing secrets, each whsec_ and the base64 of 24 to 64 bytes") from None
    if not keys:
        raise ValueError("secrets: expected at least one signing secret, got none")
    return keys


def _said(headers: Headers) -> tuple[str, str, str]:
    """Return the id, the time and the signatures that the headers name."""
    found: dict[str, list[str]] = {ID: [], TIMESTAMP: [], SIGNATURE: []}
    for name, value in headers.items():
        if name.lower() in found:
            found[name.lower()].append(value)
    for name, values in found.items():
        if len(values) != 1 or not values[0].isascii() or not values[0]:
            got = f"{len(values)} of it" if len(values) != 1 else "one that is empty or not ASCII"
            raise InvalidSignature(f"expected the header {name} once, got: {got}")
    return found[ID][0], found[TIMESTAMP][0], found[SIGNATURE][0]


def _time(timestamp: str) -> datetime:
    if _SECONDS.fullmatch(timestamp) is not None:
        return datetime.fromtimestamp(int(timestamp), UTC)
    raise InvalidSignature(f"expected the header {TIMESTAMP} to have seconds since 1970")
