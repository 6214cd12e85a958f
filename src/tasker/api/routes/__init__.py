"""The calls and their handlers: one file per noun."""
