"""tasker: a durable, exact task scheduler. It runs a task at its time, then and not before."""


def __getattr__(name: str) -> str:
    """Return ``__version__``, the version of the installed package.

    Looked up when it is asked for: that takes a while.
    """
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version  # noqa: PLC0415 - as above

    return version("tasker-server")
