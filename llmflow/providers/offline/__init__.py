"""Answers without a language model: sentences copied from the input."""
