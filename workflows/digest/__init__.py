"""The digest: every document of a folder is read, and one page says what matters in them."""
