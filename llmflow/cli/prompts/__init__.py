"""`llmflow prompts`: one file per command. Those that read files take the App, the others the name of a prompt."""
