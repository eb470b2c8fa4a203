"""Cache marks on parts of a request."""

import re
from typing import Literal

from llmflow.providers.openai.body import Json
from llmflow.types.messages import Cache

Marks = Literal["cache_control", "prompt_cache_breakpoint"]
"""Anthropic's field, which gateways pass on, and OpenAI's."""

_BREAKPOINTS = re.compile(r"gpt-?(5\.([6-9]|\d\d)|[6-9]|\d\d)")
"""OpenAI's models that take marks: its SDK says GPT-5.6 and later. The others refuse them."""


def marked(said: Json, cache: Cache | None, marks: Marks | None, model: str) -> Json:
    """Add a mark to a part of the request, if the model takes any.

    OpenAI keeps what is marked for 30 minutes or more. Its longer time is not asked for: an API that lacks it would
    refuse the request, and a mark is only a wish.
    """
    if cache is None or marks is None:
        return said
    if marks == "prompt_cache_breakpoint":
        return {**said, marks: {"mode": "explicit"}} if _BREAKPOINTS.search(model) else said
    return {**said, marks: {"type": "ephemeral", **({"ttl": cache} if cache == "1h" else {})}}
