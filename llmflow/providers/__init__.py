"""Providers: they ask vendors' models, classify failures, and price answers. No Temporal here."""
