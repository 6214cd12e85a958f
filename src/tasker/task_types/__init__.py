"""What tasker can run: one file per task type, and the registry that knows them."""
