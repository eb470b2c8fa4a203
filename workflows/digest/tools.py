"""Tools of the digest: list a folder, and read a document."""

from llmflow.errors import ToolRefused
from llmflow.tools import tool
from workflows.digest.schemas import Document
from workflows.documents import inside, text_of

_SUFFIXES = (".md", ".txt", ".rst")
_MAX_DOCUMENTS = 1000
_MAX_BYTES = 200_000


@tool
def list_documents(folder: str) -> list[str]:
    """List the documents of a folder and of the folders in it, by their paths."""
    root = inside(folder)
    found = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not found or len(found) > _MAX_DOCUMENTS:
        wanted = f"1 to {_MAX_DOCUMENTS} documents ({', '.join(_SUFFIXES)})"
        raise ToolRefused(f"`{folder}` holds {len(found)} documents, a digest needs {wanted}: name another folder")
    return found


@tool
def read_document(folder: str, path: str) -> Document:
    """Read one document."""
    data = inside(f"{folder}/{path}").read_bytes()
    if len(data) > _MAX_BYTES:
        raise ToolRefused(f"it has {len(data)} bytes, at most {_MAX_BYTES} are read")
    text = text_of(data)
    title = text.strip().splitlines()[0].lstrip("# ").strip()
    return Document(path=path, title=title, text=text)
