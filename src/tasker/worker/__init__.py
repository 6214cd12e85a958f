"""Functions of one's own as tasks: how they are declared and scheduled, and the worker that runs them."""
