"""Facts that determine a call's price, and prices per million tokens; used by every price list."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

from llmflow.types.model_names import are_same
from llmflow.types.refs import ModelRef
from llmflow.types.usage import Cost, Usage


def frozen(usd: Decimal) -> Decimal:
    """Round to trillionths of a dollar, the unit of the ledger, so that history and ledger agree."""
    return usd.scaleb(12).to_integral_value().scaleb(-12).normalize()


@dataclass(frozen=True, kw_only=True)
class PaidCall:
    """Facts about a call for price lists. They contain no text of the call, so the ledger can keep them."""

    asked: str
    """`provider:model`."""
    answered: str
    """The model that answered, as the vendor names it, without the provider."""
    usage: Usage
    at: datetime
    """Time of the call, with a time zone."""
    tier: str | None = None
    """The paid service tier, as the vendor names it; `None` for the standard one."""
    base_url: str | None = None
    """Base URL that answered; `None` if a library chose it by the model's name."""
    region: str | None = None
    """Region that the answer names."""

    @property
    def provider(self) -> str:
        """The part of `asked` before the colon."""
        return ModelRef.parse(self.asked).provider

    @property
    def asked_model(self) -> str:
        """The part of `asked` after the colon."""
        return ModelRef.parse(self.asked).model

    @property
    def names(self) -> tuple[str, ...]:
        """The model that answered, and the requested one if only a date, a path or a region is different.

        A gateway may drop a region (`eu.anthropic.claude...`), so a name with more of it comes first.
        """
        if not are_same(self.asked_model, self.answered):
            return (self.answered,)
        both = (self.answered, self.asked_model)
        longer = self.asked_model.lower().rpartition("/")[2].endswith(f".{self.answered.lower()}")
        return tuple(dict.fromkeys(reversed(both) if longer else both))

    @property
    def vendors(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Vendors whose price may apply, each with its names of the model.

        The first is named like the provider. If a library chose the address, the second is the prefix of the model:
        `anthropic` of `anthropic/claude-opus`.
        """
        vendor, slash, _ = self.asked_model.partition("/")
        if self.base_url is not None or not slash:
            return ((self.provider, self.names),)
        bare = tuple(dict.fromkeys(name.removeprefix(f"{vendor}/") for name in self.names))
        return (self.provider, self.names), (vendor, bare)

    def cost(self, usd: Decimal, source: str, matched: str | None = None, since: date | None = None) -> Cost:
        """Make the cost of this call; `matched` is the list's name of the model, if it differs."""
        return Cost(
            usd=frozen(usd), source=source, matched=matched, tier=self.tier, region=self.region, price_date=since
        )


@dataclass(frozen=True, kw_only=True)
class TokenPrices:
    """US dollars per million tokens of each kind. A part without its own price has the price of the whole."""

    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    audio_input: Decimal | None = None
    image_input: Decimal | None = None
    reasoning: Decimal | None = None
    audio_output: Decimal | None = None
    image_output: Decimal | None = None
    fees: Mapping[str, Decimal] = field(default_factory=lambda: MappingProxyType[str, Decimal]({}))
    """US dollars for each of another count: `web_searches`, or one that llmflow does not read, by its name."""

    def usd(self, usage: Usage) -> Decimal:
        """Compute the cost of a call, each token counted once.

        Raises:
            LookupError: there is no usage, a count has no price, or the counts contradict each other; the text says
                which.
        """
        if not usage.input_tokens and not usage.output_tokens and not self.is_free:
            raise LookupError("the vendor reported no usage")
        if self.cache_write is not None and self.cache_write_1h is None and usage.cache_write_1h_tokens:
            raise LookupError("it has no price for one-hour cache writes")
        hour = usage.cache_write_1h_tokens if self.cache_write_1h is not None else 0
        written = usage.cache_write_tokens - hour
        return (
            _whole(
                ("input_tokens", usage.input_tokens, self.input),
                ("cache_read_tokens", usage.cache_read_tokens, self.cached),
                ("cache_write_tokens", written, self.cache_write),
                ("cache_write_1h_tokens", hour, self.cache_write_1h),
                ("input_audio_tokens", usage.input_audio_tokens, self.audio_input),
                ("input_image_tokens", usage.input_image_tokens, self.image_input),
            )
            + _whole(
                ("output_tokens", usage.output_tokens, self.output),
                ("reasoning_tokens", usage.reasoning_tokens, self.reasoning),
                ("output_audio_tokens", usage.output_audio_tokens, self.audio_output),
                ("output_image_tokens", usage.output_image_tokens, self.image_output),
            )
        ).scaleb(-6) + self._fees(usage)

    @property
    def is_free(self) -> bool:
        """True if nothing of a call costs anything."""
        return not any(price for name, price in vars(self).items() if name != "fees") and not any(self.fees.values())

    def _fees(self, usage: Usage) -> Decimal:
        if self.is_free:
            return Decimal(0)
        total = Decimal(0)
        for name, count in counted(usage).items():
            if name not in self.fees:
                raise LookupError(f"it has no price of {name} ({count})")
            total += self.fees[name] * Decimal(str(count))
        return total


PARTS = tuple(part.name for part in fields(TokenPrices) if part.name != "fees")
"""Kinds of tokens with a price."""


def counted(usage: Usage) -> dict[str, float]:
    """Return the counts of a call that are no tokens: searches, and what llmflow does not read."""
    searches = {"web_searches": usage.web_searches, "file_searches": usage.file_searches}
    return {**{name: count for name, count in searches.items() if count}, **usage.unread}


def _whole(whole: tuple[str, int, Decimal], *parts: tuple[str, int, Decimal | None]) -> Decimal:
    """Subtract only parts with a price from the whole, because parts may overlap, such as cached audio."""
    name, tokens, price = whole
    apart = [(count, own) for _, count, own in parts if own is not None]
    rest = tokens - sum(count for count, _ in apart)
    if rest < 0 or any(count > tokens for _, count, _ in parts):
        raise LookupError(f"{_listed(parts)} cannot exceed {name} ({tokens})")
    return rest * price + sum((count * own for count, own in apart), Decimal(0))


def _listed(parts: Iterable[tuple[str, int, Decimal | None]]) -> str:
    return " + ".join(f"{name} ({count})" for name, count, _ in parts if count)
