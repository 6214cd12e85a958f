"""Cookies, as they are read and written."""

from collections.abc import Mapping
from typing import Any


def cookie_in(request: Mapping[str, Any], name: str) -> str:
    """Return what a cookie of an ASGI scope says; empty: there is none of this name. Of several the first counts.

    >>> cookie_in({"headers": [(b"cookie", b"a=1; b=2"), (b"cookie", b"c=3")]}, "c")
    '3'
    """
    sent = ";".join(value.decode("latin-1") for header, value in request["headers"] if header == b"cookie")
    parts = (part.strip().partition("=") for part in sent.split(";"))
    return next((value for key, _, value in parts if key == name), "")


def set_cookie(name: str, value: str, *, path: str, is_secure: bool, same_site: str, max_age: int | None = None) -> str:
    """Return the header ``Set-Cookie`` of a cookie that scripts cannot read.

    Args:
        max_age: seconds; 0: the browser is to forget it; None: until it is closed.

    >>> set_cookie("a", "1", path="/ui", is_secure=False, same_site="Strict")
    'a=1; Path=/ui; HttpOnly; SameSite=Strict'
    """
    parts = [f"{name}={value}", f"Path={path}", "HttpOnly", f"SameSite={same_site}"]
    if is_secure:
        parts.append("Secure")
    if max_age is not None:
        parts.append(f"Max-Age={max_age}")
    return "; ".join(parts)
