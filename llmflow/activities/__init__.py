"""Activities, the I/O side of the verbs: thin classes with injected providers, prompts and tools."""
