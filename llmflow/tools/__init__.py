"""`@tool`, and the shipped tools: typed functions without knowledge of Temporal."""

from llmflow.tools.charges import charge
from llmflow.tools.decorator import tool
from llmflow.tools.documents import Passage, SearchResult, SkippedFile, search_documents, search_folder
from llmflow.tools.files import SavedFile, save_file, write_file
from llmflow.tools.function import FunctionTool, run_tool
from llmflow.tools.keys import idempotency_key
from llmflow.tools.web import FetchedPage, fetch_page, fetch_url

__all__ = [
    "FetchedPage",
    "FunctionTool",
    "Passage",
    "SavedFile",
    "SearchResult",
    "SkippedFile",
    "charge",
    "fetch_page",
    "fetch_url",
    "idempotency_key",
    "run_tool",
    "save_file",
    "search_documents",
    "search_folder",
    "tool",
    "write_file",
]
