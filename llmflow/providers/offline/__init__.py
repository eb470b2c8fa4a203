"""Answers without a language model: sentences of the input, found and copied."""
