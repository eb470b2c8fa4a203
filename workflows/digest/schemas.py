"""What the digest takes, makes and returns."""

from pydantic import BaseModel, Field


class Folder(BaseModel):
    """The input of a run."""

    documents: str
    """Folder of documents, as the worker sees it."""
    text: str = Field(default="What was decided, and what is still open?", min_length=3, max_length=500)
    """What the reader wants to know."""


class File(BaseModel):
    """One document that is to be read, with what a child of the run needs to know of the folder."""

    folder: Folder
    path: str
    """Relative to the folder."""


class Document(BaseModel):
    """A document, word for word."""

    path: str
    """Relative to the folder."""
    title: str
    text: str


class Points(BaseModel):
    """What one document says."""

    points: list[str] = Field(max_length=3, description="What it says about the question, a sentence each")


class Note(BaseModel):
    """What is kept of one document."""

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
    """A document that could not be read, and why: the reader must know what the page does not say."""

    path: str
    reason: str


class Report(BaseModel):
    """The result of a run."""

    question: str
    documents: int
    """How many there are, the unread ones included."""
    digest: Digest | None
    """`None` if not one document could be read."""
    unread: list[Unread]
