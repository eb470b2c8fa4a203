"""What outlives a run: prompts. A store knows its own format and nothing of Temporal."""
