"""Data of the research assistant."""

import re
from collections.abc import Iterator

from pydantic import BaseModel, Field

_IN_BRACKETS = re.compile(r"\[([^\[\]]+#\d+)\]")


class Question(BaseModel):
    """The input of a run."""

    text: str = Field(min_length=3, max_length=2000)
    documents: str = "docs"
    """Folder of documents, as the worker sees it."""


class Plan(BaseModel):
    """Search plan for a question."""

    topic: str = Field(description="The subject of the question, in a few words")
    queries: list[str] = Field(min_length=1, max_length=4, description="Search queries of two to five keywords each")


class Source(BaseModel):
    """A passage that was retrieved, and that may be cited by its id."""

    id: str
    path: str
    title: str
    line: int
    text: str


class Summary(BaseModel):
    """Statements of one passage about the question."""

    relevant: bool = Field(description="Whether the passage helps to answer the question")
    points: list[str] = Field(max_length=3, description="What it says about the question, a sentence each")


class Finding(BaseModel):
    """One finding."""

    statement: str = Field(description="One sentence")
    sources: list[str] = Field(min_length=1, description="Ids of the passages that say so, without brackets")


class Reasoning(BaseModel):
    """Conclusion from the findings."""

    answer: str = Field(description="The answer in one to three sentences")
    findings: list[Finding] = Field(min_length=1, max_length=6)
    gaps: list[str] = Field(max_length=3, description="What the passages leave open; empty if nothing")


class Section(BaseModel):
    """A part of the report."""

    heading: str
    text: str = Field(description="Two to five sentences")
    sources: list[str] = Field(min_length=1, description="Ids of the passages it rests on, without brackets")


class Report(BaseModel):
    """The report as the model writes it."""

    title: str
    summary: str = Field(description="The answer in one paragraph")
    sections: list[Section] = Field(min_length=1, max_length=5)

    def cited(self) -> Iterator[str]:
        """Return every source that the sections list or that is in a text as `[path#number]`, in order, each once."""
        listed = (source for section in self.sections for source in section.sources)
        texts = (self.summary, *(section.text for section in self.sections))
        groups = (group for text in texts for group in _IN_BRACKETS.findall(text))
        yield from dict.fromkeys((*listed, *(source for group in groups for source in re.split(r"[,;]\s*", group))))


class Answer(BaseModel):
    """The result of a run."""

    report: Report | None
    """`None` if no passage of the documents fits the question."""
    sources: list[Source]
    """Passages that the report cites."""
    saved: str | None
    """Path of the stored report, as the worker sees it."""
