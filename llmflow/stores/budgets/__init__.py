"""Budgets: money is reserved before a call, and settled when the call has ended."""
