"""Approvals: a question to people, and their decision."""
