"""The database: calls and their cost, budgets, versions of prompts. A store knows nothing of Temporal."""
