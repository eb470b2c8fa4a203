"""Conversion of payloads and failures on their way through Temporal."""
