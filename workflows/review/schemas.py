"""Data of the review."""

from datetime import timedelta

from pydantic import BaseModel, Field


class Notes(BaseModel):
    """The input of a run."""

    text: str = Field(min_length=20, max_length=20_000)
    """Known facts: the article contains nothing else."""
    brief: str = Field(min_length=3, max_length=2000)
    """Message of the article to its readers."""
    reviewers: list[str] = Field(default=["ana", "bo", "cy"], min_length=2)
    """Reviewers, of whom two must approve before it is published."""
    answer_within: timedelta = timedelta(days=3)
    """Deadline of the reviewers."""


class Article(BaseModel):
    """Article to publish."""

    title: str
    text: str = Field(description="Two or three short paragraphs")


class Verdict(BaseModel):
    """Judgement of an article."""

    score: int = Field(ge=0, le=10, description="How well it tells what the brief asks for; 10 is as well as can be")
    missing: list[str] = Field(max_length=3, description="What it leaves open; empty if nothing")

    @property
    def feedback(self) -> str:
        """Instructions to the writer."""
        return "\n".join(["Improve the article, and write all of it again.", *(f"- {one}" for one in self.missing)])


class Publication(BaseModel):
    """Publication of an article."""

    number: str
    title: str


class Reviewed(BaseModel):
    """The result of a run."""

    article: Article
    publication: Publication
    score: int
    """Score by the judge, from 0 to 10."""
    approved_by: list[str]
    wishes: list[str]
    """Requests of reviewers before they approved."""
