"""Prompts in the database: every version served, and where labels and rollouts point."""
