"""Ledger: the record of calls with their cost, the journal of paid answers, and scores of runs."""
