"""``tasker doctor``: what is wrong, what follows from that, and what mends it. One file for each kind of check."""
