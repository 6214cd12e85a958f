"""The benchmark: every figure beside its limit, both taken in the same run. ``make bench`` runs it."""
