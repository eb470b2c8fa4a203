"""Run events of a worker: those of its calls, and those that its workflow code tells."""
