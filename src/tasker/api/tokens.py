"""The token of an attempt, which lets in whoever reports of it."""

from collections.abc import Iterable

from tasker.errors import InvalidTokenError


def token_in(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the token that a request shows; whether it is one is not known yet.

    Raises:
        InvalidTokenError: it shows none.
    """
    authorization = dict(headers).get(b"authorization", b"")
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != b"bearer" or not token.strip():
        raise InvalidTokenError
    return str(token.strip().decode("latin-1"))
