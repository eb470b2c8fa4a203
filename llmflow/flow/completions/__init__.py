"""Completions: one paid model call with a typed answer."""
