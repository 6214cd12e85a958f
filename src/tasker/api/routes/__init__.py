"""The ordinary routes, one file per noun. The one hot path is `api/create.py`."""
