"""Answers out of the input: words, sentences and passages are found, chosen and copied, never made up."""
