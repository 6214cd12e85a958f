"""How requests come in and answers go out: HTTP/1.1 on ``httptools``.

It is made for clients that are slow, send nonsense or hang up.
"""

from tasker.api.receiving.connection import HANG_UP, receiving_protocol

__all__ = ["HANG_UP", "receiving_protocol"]
