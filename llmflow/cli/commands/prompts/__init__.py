"""`llmflow prompts`: one file per command. Those that read files need the App."""
