"""The ordinary calls, one file per noun."""
