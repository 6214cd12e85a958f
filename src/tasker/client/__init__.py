"""The client: calls a tasker server from Python.

Programs import ``Client`` and ``AsyncClient`` from ``tasker``. Both have the same methods. They send
what ``calls/`` says, by the rules of ``core.py``, which does no input or output.
"""
