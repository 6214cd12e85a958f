"""What runs tasks at their time: one background job per file."""
