"""The I/O side of each verb: thin classes that get providers, prompts and tools by injection."""
