"""What a task is and what may happen to it: rules only. Nothing here waits, reads a clock or draws a random number."""
