"""Command line: one file per command, and shared code in files with an underscore."""
