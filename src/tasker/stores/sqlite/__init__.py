"""The store on one SQLite file: one process, nothing to run beside it."""
