"""Time: clocks to read, an alarm to sleep until a moment, and deadlines."""
