"""Time: clocks to read, and an alarm to sleep until a moment."""
