"""Payloads and failures on their way through Temporal."""
