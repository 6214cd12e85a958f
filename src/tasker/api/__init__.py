"""The REST door: HTTP in, JSON out."""
