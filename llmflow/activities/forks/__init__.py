"""Forked runs: the results that an earlier run recorded, found in its history."""
