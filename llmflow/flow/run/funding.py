"""Funding: questions of a run for more money."""

import asyncio

from llmflow.flow.run.part import Part


class Funding(Part):
    """Raised and refused budgets of this run. One question is open at a time, however many branches have no room."""

    def __init__(self) -> None:
        self.asking = asyncio.Lock()
        """Held by the branch that asks."""
        self.raises = 0
        """Number of budgets that people have raised, so that a branch notices an answer to another one's question."""
        self._refused: set[str] = set()

    def refuse(self, id: str) -> None:
        """Note that a person has refused more money of a budget."""
        self._refused.add(id)

    def is_refused(self, id: str) -> bool:
        """Return True if a person has refused more money of a budget: the run asks once."""
        return id in self._refused
