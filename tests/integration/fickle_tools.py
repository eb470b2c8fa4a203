"""A tool, and a counter: the sandbox shares a module of tools between all runs of a process."""

import itertools

from llmflow.tools import tool

TURNS = itertools.count()


@tool
async def look() -> str:
    """Look around."""
    return "nothing"
