"""Open questions, made known to people."""
