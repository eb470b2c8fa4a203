"""Attacks by area: inputs in tables that others can extend, and the right value for each."""
