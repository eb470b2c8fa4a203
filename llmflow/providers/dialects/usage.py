"""Token counts as vendors write them, in the one form in which we keep them.

An answer that is paid for must not be lost because its bill is odd: what is no count counts as 0.
"""

import math
from decimal import Decimal
from typing import Annotated, cast

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field

from llmflow.types.usage import Usage


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _amount(value: object) -> Decimal | None:
    if isinstance(value, dict):  # Perplexity: an object with the sum in it
        return _amount(cast(dict[str, object], value).get("total_cost"))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Decimal(str(value)) if 0 <= value < math.inf else None


def _object(value: object) -> object:
    return cast(object, value) if isinstance(value, dict) else {}


_Count = Annotated[int, BeforeValidator(_count)]


class _Writes(BaseModel, frozen=True):  # else pydantic copies it into every answer
    """What was written to the cache, by how long it stays: Anthropic's, in litellm's words."""

    one_hour: _Count = Field(default=0, validation_alias="ephemeral_1h_input_tokens")


class _Details(BaseModel, frozen=True):
    cached_tokens: _Count = 0
    cache_write_tokens: _Count = 0
    writes: Annotated[_Writes, BeforeValidator(_object)] = Field(
        default=_Writes(), validation_alias="cache_creation_token_details"
    )
    audio_tokens: _Count = 0
    reasoning_tokens: _Count = 0


_Both = Annotated[_Details, BeforeValidator(_object)]


class VendorUsage(BaseModel, frozen=True):
    """The `usage` of an answer, under the names of the Responses API or of Chat Completions."""

    input_tokens: _Count = Field(default=0, validation_alias=AliasChoices("input_tokens", "prompt_tokens"))
    output_tokens: _Count = Field(default=0, validation_alias=AliasChoices("output_tokens", "completion_tokens"))
    total_tokens: _Count = 0
    read: _Both = Field(
        default=_Details(), validation_alias=AliasChoices("input_tokens_details", "prompt_tokens_details")
    )
    written: _Both = Field(
        default=_Details(), validation_alias=AliasChoices("output_tokens_details", "completion_tokens_details")
    )
    cost: Annotated[Decimal | None, BeforeValidator(_amount)] = None
    """US dollars, where the vendor says so: OpenRouter, Perplexity."""
    is_byok: bool | None = None
    """OpenRouter, with a key of the user's own: `cost` is then its fee alone."""

    @property
    def normal(self) -> Usage:
        """With cached tokens inside the input, and reasoning inside the output."""
        reasoning, output = self.written.reasoning_tokens, self.output_tokens
        if reasoning and self.total_tokens == self.input_tokens + output + reasoning:  # xAI counts it beside the output
            output += reasoning
        return Usage(
            input_tokens=self.input_tokens,
            output_tokens=output,
            cache_read_tokens=self.read.cached_tokens,
            cache_write_tokens=self.read.cache_write_tokens,
            reasoning_tokens=reasoning,
            input_audio_tokens=self.read.audio_tokens,
            output_audio_tokens=self.written.audio_tokens,
        )

    @property
    def reported_usd(self) -> Decimal | None:
        """What the vendor says that the call cost, where it says all of it."""
        return None if self.is_byok else self.cost


OptionalUsage = Annotated[VendorUsage, BeforeValidator(_object)]
"""Of an answer whose `usage` may be missing, `null`, or something else."""
