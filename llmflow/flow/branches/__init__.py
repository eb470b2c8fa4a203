"""Concurrent branches of a run: fan-out, its batches, and races."""
