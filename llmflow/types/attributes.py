"""Search attributes: what of a run Temporal can find runs by."""

from llmflow.types.base import CompactWire


class SearchAttributes(CompactWire):
    """Names under which a run writes what; `None` for what it does not write. Decided at its start, to its end.

    A run that wrote an attribute that its namespace does not have would get stuck, and one whose workers disagreed
    could not be replayed.
    """

    cost: str | None = None
    """A Double: US dollars so far."""
    tags: str | None = None
    """A KeywordList: `tag:...`, `tenant:...`, `model:...`, `prompt:...`."""
    approval: str | None = None
    """A Keyword: the approval that the run waits for."""
