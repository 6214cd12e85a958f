"""The clients of this process: one for each server and key, whichever thread or request asks.

Django makes a backend anew for each thread, and under ASGI for each request. A client keeps
connections, so it is worth keeping.
"""

import os
from threading import Lock

from tasker.client.synchronous.client import Client
from tasker.django.options import Options

_clients: dict[tuple[int, str | None, str | None], Client] = {}
_lock = Lock()


def client_of(options: Options) -> Client:
    """Return the client for *options*. It may be used by several threads, and is never closed.

    A process that was forked gets its own: connections cannot be shared.
    """
    wanted = (os.getpid(), options.url, options.key)
    with _lock:
        if wanted not in _clients:
            _clients[wanted] = Client(options.url, options.key)
        return _clients[wanted]
