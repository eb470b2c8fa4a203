"""Data of the workflows that the tests run."""

from typing import Any

from pydantic import BaseModel


class Ask(BaseModel):
    prompt: str = "hello/greet"
    model: str | None = None
    variables: dict[str, str] = {"name": "ana"}
    repairs: int = 1
    attempts: int = 1
    seconds: float = 60


class Load(BaseModel):
    count: int
    size: int


class Use(BaseModel):
    tool: str
    arguments: dict[str, Any] = {}  # Any: right and wrong ones


class Greeting(BaseModel):
    text: str
    warmth: int
