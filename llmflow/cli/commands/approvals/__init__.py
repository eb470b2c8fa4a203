"""`llmflow approvals`: questions of runs to people, and decisions on them."""
