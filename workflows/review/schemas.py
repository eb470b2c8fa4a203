"""What the review takes, makes and returns."""

from datetime import timedelta

from pydantic import BaseModel, Field


class Notes(BaseModel):
    """The input of a run."""

    text: str = Field(min_length=20, max_length=20_000)
    """What is known: the article says nothing else."""
    brief: str = Field(min_length=3, max_length=2000)
    """What the article has to tell its readers."""
    reviewers: list[str] = Field(default=["ana", "bo", "cy"], min_length=2)
    """Two of them have to agree before it is published."""
    answer_within: timedelta = timedelta(days=3)
    """How long they have."""


class Article(BaseModel):
    """What is published."""

    title: str
    text: str = Field(description="Two or three short paragraphs")


class Verdict(BaseModel):
    """What the judge says of an article."""

    score: int = Field(ge=0, le=10, description="How well it tells what the brief asks for; 10 is as well as can be")
    missing: list[str] = Field(max_length=3, description="What it leaves open; empty if nothing")

    @property
    def feedback(self) -> str:
        """What the writer is told."""
        return "\n".join(["Improve the article, and write all of it again.", *(f"- {one}" for one in self.missing)])


class Publication(BaseModel):
    """Where an article appeared."""

    number: str
    title: str


class Reviewed(BaseModel):
    """The result of a run."""

    article: Article
    publication: Publication
    score: int
    """The judge's, from 0 to 10."""
    approved_by: list[str]
    wishes: list[str]
    """What reviewers asked for before they agreed."""
