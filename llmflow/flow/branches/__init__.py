"""Branches of a run that work at the same time: fan-out, its batches, and races."""
