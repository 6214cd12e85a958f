"""The calls of the API, as requests that are not sent yet: one file per noun."""
