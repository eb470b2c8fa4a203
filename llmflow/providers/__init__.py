"""Vendors of models: one request in, one answer out, failures classified, answers priced. No Temporal here."""
