"""OpenAI's two APIs, for every server that implements one of them."""
