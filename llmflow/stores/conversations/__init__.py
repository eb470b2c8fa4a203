"""Conversations: chains of entries by branch and position, and the texts that tools answered."""
