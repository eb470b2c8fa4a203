"""Histories of runs: the one reader of Temporal's events."""
