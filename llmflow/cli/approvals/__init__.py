"""`llmflow approvals`: what runs ask people, and answering it."""
