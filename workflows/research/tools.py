"""The tools of the research assistant."""

from llmflow.tools import SearchResult, save_file, search_folder, tool
from workflows.documents import readable

__all__ = ["save_file", "search_documents"]


@tool
def search_documents(query: str, folder: str, limit: int) -> SearchResult:
    """Find the passages of a folder of documents that fit a query, best first."""
    return search_folder(query, folder, limit=limit, root=readable())
