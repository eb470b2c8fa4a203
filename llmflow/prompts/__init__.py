"""What a prompt is: its file, front matter, templates and version. No database, no Temporal."""
