"""Input of the workflows."""

from pydantic import BaseModel


class Answer(BaseModel):
    text: str


class Order(BaseModel):
    topic: str
    style: str = "prose"
    parts: tuple[str, ...] = ("a", "b", "c")


class Amount(BaseModel):
    usd: int


class Claim(BaseModel):
    number: str
    text: str = ""
