"""Notifications of open questions."""
