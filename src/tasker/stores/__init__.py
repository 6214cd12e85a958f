"""Where tasks are kept: one folder per store, beside what stores share."""
