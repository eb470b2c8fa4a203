"""A tool whose annotations are strings at run time."""

from __future__ import annotations

from pydantic import BaseModel

from llmflow.tools import tool


class Spot(BaseModel):
    x: int


@tool
async def find(place: Spot) -> Spot:
    """Find a spot."""
    return place
