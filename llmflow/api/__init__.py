"""HTTP servers of llmflow."""
