"""What shows that somebody was given an attempt: the name of its claim, signed.

Nothing is stored for a token, and it is valid as long as that claim stands.
"""

import base64
import hmac
import re
from typing import Final, NamedTuple

from tasker.model.task import TaskId

KEY_BYTES: Final = 32
"""Length of the key that tokens are signed with. It stands in the store, and the nodes share it."""

_TOKEN: Final = re.compile(
    r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(0|[1-9][0-9]{0,18})\.([A-Za-z0-9_-]{43})", re.ASCII
)


class TokenClaim(NamedTuple):
    """What a token is for."""

    task_id: TaskId
    fence: int
    """The number of the claim."""


def completion_token(key: bytes, claim: TokenClaim) -> str:
    """Return the token of *claim*, which holds no characters but letters, digits, ``.``, ``-`` and ``_``.

    >>> completion_token(bytes(32), TokenClaim(TaskId("01890000-0000-7000-8000-000000000000"), 7))
    '01890000-0000-7000-8000-000000000000.7._nXsCvsETw2ea31v-0qr1005iZimq1d_QY76Zk3QRF8'
    """
    name = f"{claim.task_id}.{claim.fence}"
    return f"{name}.{_signature(key, name)}"


def claim_of(key: bytes, token: str) -> TokenClaim | None:
    """Return what *token* is for; None: it was not made with *key*. Takes as long for any signature."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        return None
    task_id, fence, signature = match.groups()
    if not hmac.compare_digest(signature, _signature(key, f"{task_id}.{fence}")):
        return None
    return TokenClaim(TaskId(task_id), int(fence))


def _signature(key: bytes, name: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(key, name.encode(), "sha256")).decode().rstrip("=")
