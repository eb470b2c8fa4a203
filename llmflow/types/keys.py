"""Idempotency keys: one name for one effect, however often it is tried."""

KEY = "llmflow.key"
"""The header of an activity that has one from its workflow: an action and its compensation share it."""
