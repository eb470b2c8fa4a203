"""Search attributes that runs upsert."""

from llmflow.types.base import CompactWire


class SearchAttributes(CompactWire):
    """Names of the search attributes that a run upserts; `None` for those it does not. Fixed for the life of the run.

    Upserting an attribute that the namespace lacks would block the run, and workers that disagreed could not replay it.
    """

    cost: str | None = None
    """A Double: US dollars so far."""
    tags: str | None = None
    """A KeywordList: `tag:...`, `tenant:...`, `model:...`, `prompt:...`."""
    approval: str | None = None
    """A Keyword: the approval that the run awaits."""
