"""``python -m tasker`` is the command ``tasker``."""

from tasker.cli import main

main()
