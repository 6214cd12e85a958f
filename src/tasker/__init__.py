"""tasker: a durable, exact task scheduler. It runs a task at its time, then and not before."""

from importlib.metadata import version

__version__ = version("tasker-server")
