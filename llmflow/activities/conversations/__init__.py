"""Conversations on the worker's side: what a call reads of one, and what it appends."""
