"""Data of the workflows that the tests run."""

from typing import Any

from pydantic import BaseModel, field_validator


class Ask(BaseModel):
    prompt: str = "hello/greet"
    model: str | None = None
    variables: dict[str, str] = {"name": "ana"}
    repairs: int = 1
    attempts: int = 1
    seconds: float = 60
    heartbeat: float = 30


class Load(BaseModel):
    count: int
    size: int


class Use(BaseModel):
    tool: str
    arguments: dict[str, Any] = {}  # Any: right and wrong ones


class Picky(BaseModel):
    text: str

    @field_validator("text")
    @classmethod
    def _look_up(cls, text: str) -> str:
        return {"a": "b"}[text]


class Greeting(BaseModel):
    text: str
    warmth: int
