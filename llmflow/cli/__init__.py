"""People's door on a terminal: one file per command, and what they share in files with an underscore."""
