"""Benchmarks of llmflow next to plain temporalio and openai code that does the same: `python -m bench`."""
