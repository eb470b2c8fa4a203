"""The tools of the research assistant: those that ship with llmflow."""

from llmflow.tools import save_file, search_documents

__all__ = ["save_file", "search_documents"]
