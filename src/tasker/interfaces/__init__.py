"""What the engine needs from outside: a store and task types. Both can be implemented from the docstrings here."""
