"""The command line: one module per command group.

``commands.py`` defines the commands, ``process.py`` what comes first.
"""

from tasker.cli import process


def main() -> None:
    """Run the command ``tasker`` and end the process."""
    process.prepare()

    from tasker.cli import commands  # noqa: PLC0415 - signals count from the first moment on; imports take a while

    commands.main()
