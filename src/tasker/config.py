"""The settings of a server: each with its meaning, unit and default."""
