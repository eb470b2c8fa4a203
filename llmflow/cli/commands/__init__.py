"""Commands of `llmflow`: one file for each, or a folder for a group of them."""
