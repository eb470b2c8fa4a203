"""Data of the letters desk."""

from typing import Literal

from pydantic import BaseModel, Field

Kind = Literal["question", "complaint", "other"]


class Letter(BaseModel):
    """The input of a run."""

    text: str = Field(min_length=3, max_length=4000)
    """The letter, as it came."""
    facts: str = Field(min_length=3)
    """Facts that the desk may answer from."""


class Subject(BaseModel):
    """Subject of the reply."""

    subject: str = Field(max_length=80, description="Topic of the letter in a few words")


class Sorted(BaseModel):
    """A letter, with its kind and its subject."""

    letter: Letter
    kind: Kind
    subject: str


class Plan(BaseModel):
    """Work that a letter asks for."""

    requests: list[str] = Field(
        min_length=1, max_length=5, description="A quote for each thing that the letter wants to know"
    )


class Request(BaseModel):
    """One question of a letter."""

    question: str
    facts: str


class Answer(BaseModel):
    """Answer to one question."""

    text: str = Field(description="One or two sentences, from the facts alone")


class Verdict(BaseModel):
    """Judgement of an answer."""

    score: int = Field(ge=0, le=10, description="How well it answers the question")
    feedback: str = Field(description="What the answer lacks")


class Reply(BaseModel):
    """The result of a run."""

    subject: str = ""
    text: str
    rounds: list[int] = []
    """Drafts of each answer, in the order of the plan."""
    unsure: int = 0
    """Answers that the judge does not find good enough."""
    colleague: str = ""
    """Reason for which a person answers; empty if the text is the reply."""
