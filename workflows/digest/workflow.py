"""The digest: read every document in parallel, keep what matters, and write one page that also names failures."""

from temporalio import workflow

from llmflow import flow
from llmflow.errors import LLMFlowError
from workflows.digest.schemas import Digest, File, Folder, Note, Points, Report, Unread
from workflows.digest.tools import list_documents, read_document

AT_ONCE = 8
"""Parallel calls, so that a large folder does not exceed the limits of a vendor."""
NOTES = 25
"""Documents of one page; the pages of a larger folder are merged."""


@workflow.defn
class FolderDigest:
    """Summarises the documents of a folder, and names those that it could not read."""

    @workflow.run
    async def run(self, folder: Folder) -> Report:
        """Run the digest. One document that cannot be read does not cost the reader the others."""
        async with flow.step("list"):
            paths = await flow.call_tool(list_documents, folder.documents)
        files = [File(folder=folder, path=path) for path in paths]
        read = await flow.fan_out(files, self.read, limit=AT_ONCE, on_error="collect")
        unread = [Unread(path=paths[one.index], reason=_reason(one.error)) for one in read.failures]
        notes = [note for note in read.values if note.points]
        digest = None
        if notes:
            pages = [notes[first : first + NOTES] for first in range(0, len(notes), NOTES)]

            async def write(page: list[Note]) -> Digest:
                asked = {"question": folder.text, "notes": page}
                return (await flow.complete("digest/write", asked, output=Digest)).output

            async def merge(pages: list[Digest]) -> Digest:
                asked = {"question": folder.text, "pages": pages}
                return (await flow.complete("digest/merge", asked, output=Digest)).output

            digest = await flow.map_reduce(pages, write, merge, limit=AT_ONCE)
        return Report(question=folder.text, documents=len(paths), digest=digest, unread=unread)

    async def read(self, file: File) -> Note:
        """Note what one document says about the question."""
        document = await flow.call_tool(read_document, file.folder.documents, file.path)
        asked = {"question": file.folder.text, "document": document}
        points = await flow.complete("digest/note", asked, output=Points)
        return Note(path=document.path, title=document.title, points=points.output.points)


def _reason(error: Exception | None) -> str:
    """True if a reader can learn something from the notes."""
    return error.message if isinstance(error, LLMFlowError) else f"{error} ({error.__cause__})" if error else ""
