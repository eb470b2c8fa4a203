"""Prompts in the database: every version served, and the targets of labels and rollouts."""
