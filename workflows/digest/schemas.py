"""Data of the digest."""

from pydantic import BaseModel, Field


class Folder(BaseModel):
    """The input of a run."""

    documents: str
    """Folder of documents, as the worker sees it."""
    text: str = Field(default="What was decided, and what is still open?", min_length=3, max_length=500)
    """Question of the reader."""


class File(BaseModel):
    """One document to read, with the data of the folder that a child of the run needs."""

    folder: Folder
    path: str
    """Path relative to the folder."""


class Document(BaseModel):
    """A document, word for word."""

    path: str
    """Path relative to the folder."""
    title: str
    text: str


class Points(BaseModel):
    """Statements of one document."""

    points: list[str] = Field(max_length=3, description="What it says about the question, a sentence each")


class Note(BaseModel):
    """Notes on one document."""

    path: str
    title: str
    points: list[str]


class Section(BaseModel):
    """A part of the digest."""

    heading: str
    text: str = Field(description="One to four sentences")
    sources: list[str] = Field(min_length=1, description="Paths of the documents it rests on, without brackets")


class Digest(BaseModel):
    """The page as the model writes it."""

    summary: str = Field(description="The answer in one paragraph")
    sections: list[Section] = Field(min_length=1, max_length=5)


class Unread(BaseModel):
    """A document that could not be read, and the reason: the reader must know what the page lacks."""

    path: str
    reason: str


class Report(BaseModel):
    """The result of a run."""

    question: str
    documents: int
    """Number of documents, the unread ones included."""
    digest: Digest | None
    """`None` if not one document could be read."""
    unread: list[Unread]
