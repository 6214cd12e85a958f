"""The client: calls a tasker server from Python.

``Client`` and ``AsyncClient`` have the same methods. Both send what ``calls/`` says, by the rules of
``core.py``, which does no input or output.
"""

from tasker.client.answers import Event, Job, Task
from tasker.client.asynchronous.client import AsyncClient
from tasker.client.synchronous.client import Client

__all__ = ["AsyncClient", "Client", "Event", "Job", "Task"]
