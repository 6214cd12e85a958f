# Made of ../asynchronous/__init__.py by make client. Change that file.
"""The synchronous client. The synchronous one is made of it by ``make client``."""
