"""Forked runs: recorded results, found in the history of the original run."""
