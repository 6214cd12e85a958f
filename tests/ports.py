"""Ports for servers that have to know theirs before they start."""

import secrets
import socket
from contextlib import suppress

_FIRST, _END = 20_000, 32_768
"""Systems give out none of these by themselves, to servers that take any port and to clients: so nobody else takes one
between this and the start of the server."""


def free_port():
    """A port of 127.0.0.1 that nobody listened at just now."""
    while True:  # by secrets: several processes of tests may have the same seed
        port = _FIRST + secrets.randbelow(_END - _FIRST)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
