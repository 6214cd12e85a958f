"""The commands of the server: what the distribution ``tasker-server`` adds to the command ``tasker``.

One module per command group; ``commands.py`` has their options. Nothing in ``tasker.cli`` imports
these: its table of commands names them.
"""
