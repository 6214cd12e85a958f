"""What callers can do: one file per noun.

Every door goes through here, so that all of them validate, store and mask alike.
"""
