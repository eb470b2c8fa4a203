"""The record of calls, with their cost; the journal of paid answers; scores of runs."""
