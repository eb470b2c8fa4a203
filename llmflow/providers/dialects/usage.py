"""Token counts in vendors' formats, converted to `Usage`.

Counts that are not numbers are read as 0, and with a number that cannot be true the usage is unknown, and so the price:
an odd bill must not lose a paid answer.
"""

from decimal import Decimal
from typing import Annotated, cast

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field

from llmflow.types.usage import Usage

MAX_TOKENS = 10**9
"""Tokens of one call that a vendor is believed."""
MAX_USD = 10**6
"""US dollars of one call that a vendor is believed."""
_ABSURD = -1


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if 0 <= value <= MAX_TOKENS and value == int(value) else _ABSURD


def _amount(value: object) -> Decimal | None:
    if isinstance(value, dict):  # Perplexity sends an object with the sum
        return _amount(cast(dict[str, object], value).get("total_cost"))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Decimal(str(value)) if 0 <= value <= MAX_USD else None


def _object(value: object) -> object:
    return cast(object, value) if isinstance(value, dict) else {}


_Count = Annotated[int, BeforeValidator(_count)]


class _Writes(BaseModel, frozen=True):  # else pydantic copies it into every answer
    """Cache writes by lifetime: Anthropic's, in litellm's format."""

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
    """The `usage` of an answer, in the format of the Responses API or of Chat Completions."""

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
    """US dollars, reported by OpenRouter and Perplexity."""
    is_byok: bool | None = None
    """True for OpenRouter with the user's own vendor key: `cost` is then only its fee."""

    @property
    def normal(self) -> Usage:
        """`Usage` with cached tokens as part of the input, reasoning of the output; empty if it is absurd."""
        if self._is_absurd:
            return Usage()
        reasoning, output = self.written.reasoning_tokens, self.output_tokens
        if reasoning and self.total_tokens == self.input_tokens + output + reasoning:  # xAI excludes it from the output
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
    def cache_write_1h_tokens(self) -> int:
        """Part of the cache writes that stays for an hour."""
        return 0 if self._is_absurd else self.read.writes.one_hour

    @property
    def _is_absurd(self) -> bool:
        counts = (self.input_tokens, self.output_tokens, self.total_tokens, self.read.writes.one_hour)
        details = (*dict(self.read).values(), *dict(self.written).values())
        return _ABSURD in counts or _ABSURD in details

    @property
    def reported_usd(self) -> Decimal | None:
        """Cost reported by the vendor, if it is the whole cost."""
        return None if self.is_byok else self.cost


OptionalUsage = Annotated[VendorUsage, BeforeValidator(_object)]
"""`VendorUsage` that may be missing, `null`, or of another type."""
