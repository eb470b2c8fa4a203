"""Prompts: files, front matter, templates and versions. No database, no Temporal."""
