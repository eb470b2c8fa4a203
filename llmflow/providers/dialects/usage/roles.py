"""Roles of a vendor's counts. A table maps the path of a field in `usage` to its role.

A role is a field of `Usage`, or one of these. Of several fields with one role the largest counts: vendors repeat
themselves.
"""

from collections.abc import Mapping

TOTAL = "total"
"""Sum of input and output, which shows if a part was counted beside its whole."""
REST = "rest"
"""Not billed by itself: the rest of a whole, a copy of another field, a time, a rate, or a part at the same price."""
MINUTES = "cache_write_minutes"
"""Part of the cache writes at their standard price."""
BESIDE = "beside "
"""Prefix: part of the input that is counted beside `input_tokens`, though inside `prompt_tokens`."""

Table = Mapping[str, str]
"""Roles by dotted path, with `[]` for the items of a list."""


def within(parents: tuple[str, ...], fields: Table) -> dict[str, str]:
    """Return the roles of fields below each of several parents, because the two APIs of OpenAI name them differently.

    Args:
        parents: Paths of the parents.
        fields: Roles by the path below a parent.
    """
    return {f"{parent}.{path}": role for parent in parents for path, role in fields.items()}


INPUT_DETAILS = ("input_tokens_details", "prompt_tokens_details")
OUTPUT_DETAILS = ("output_tokens_details", "completion_tokens_details")
