"""The command line: one module per command group.

``root.py`` has the table of commands, ``process.py`` what comes first, and ``server/`` the commands
that need the server.
"""

import sys

from tasker import __version__
from tasker.cli import process


def main() -> None:
    """Run the command ``tasker`` and end the process."""
    process.prepare()
    if sys.argv[1:] in (["--version"], ["-V"]):  # asked by scripts, in loops: nothing else is imported
        sys.stdout.write(f"tasker {__version__}\n")
        return
    try:
        from tasker.cli import root  # noqa: PLC0415 - signals count from the first moment on; imports take a while
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.stderr.write(
            "tasker: commands need packages that are not installed; run: pip install 'tasker-client[cli]'\n"
        )
        sys.exit(2)
    root.main()
