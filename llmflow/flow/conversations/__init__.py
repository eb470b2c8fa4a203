"""Conversations in workflow code: they hold the head, and what is new since then."""
