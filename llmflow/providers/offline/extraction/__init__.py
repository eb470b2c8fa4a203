"""Extracts answers from the input: it chooses and copies words, sentences and passages, and invents nothing."""
