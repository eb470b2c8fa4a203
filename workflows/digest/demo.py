"""`llmflow demo digest`: documents are read in parallel, and the one that cannot be read is named."""

from collections.abc import Mapping

from llmflow.dev.demos import Demo
from workflows import documents
from workflows.digest.app import HERE, app
from workflows.digest.schemas import Folder, Report
from workflows.digest.workflow import FolderDigest


def show(report: Report) -> str:
    """Render the page, and the documents that it lacks."""
    read = report.documents - len(report.unread)
    lines = [f"# {report.question}", "", f"From {read} of {report.documents} documents.", ""]
    if report.digest:
        lines += [report.digest.summary, ""]
        for section in report.digest.sections:
            lines += [f"## {section.heading}", "", f"{section.text} ({', '.join(dict.fromkeys(section.sources))})", ""]
    if report.unread:
        lines += ["## Not read", "", *(f"- {one.path}: {one.reason}" for one in report.unread)]
    return "\n".join(lines) + "\n"


def prepare(folder: Folder) -> tuple[Folder, Mapping[str, str]]:
    """Return the folder by its absolute path, which the worker may read."""
    path, environ = documents.allow(folder.documents)
    return folder.model_copy(update={"documents": path}), environ


demo = Demo(
    app=app,
    about="Every document of a folder is read in parallel; one of them is broken, and the digest says so",
    workflow=FolderDigest.run,
    input=Folder(documents=str(HERE / "documents")),
    options={"question": "text"},
    prepare=prepare,
    show=show,
)
