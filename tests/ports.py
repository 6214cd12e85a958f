"""Ports for servers that have to know theirs before they start."""

import socket


def free_port():
    """A port of 127.0.0.1 that nobody listened at just now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]
