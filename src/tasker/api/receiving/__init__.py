"""How requests come in and answers go out: HTTP/1.1 on ``httptools``.

It is made for clients that are slow, send nonsense or hang up.
"""

from tasker.api.receiving.connection import CUT, HANG_UP, LEFT, PEER, PUSH, receiving_protocol
from tasker.api.receiving.descriptors import waiters_that_fit

__all__ = ["CUT", "HANG_UP", "LEFT", "PEER", "PUSH", "receiving_protocol", "waiters_that_fit"]
