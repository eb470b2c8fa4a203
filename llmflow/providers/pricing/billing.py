"""Facts that determine a call's price, and prices per million tokens; used by every price list."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

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
    cache_write_1h_tokens: int = 0
    """Part of `usage.cache_write_tokens` that is cached for an hour, at a higher price."""

    @property
    def provider(self) -> str:
        """The part of `asked` before the colon."""
        return ModelRef.parse(self.asked).provider

    @property
    def names(self) -> tuple[str, ...]:
        """The model that answered and the requested one, because gateways rename models."""
        return tuple(dict.fromkeys((self.answered, ModelRef.parse(self.asked).model)))

    @property
    def vendors(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Vendors whose price may apply, each with its names of the model.

        The first is named like the provider. If a library chose the address, the second is the prefix of the model:
        `anthropic` of `anthropic/claude-opus`.
        """
        vendor, slash, _ = self.names[-1].partition("/")
        if self.base_url is not None or not slash:
            return ((self.provider, self.names),)
        bare = tuple(dict.fromkeys(name.removeprefix(f"{vendor}/") for name in self.names))
        return (self.provider, self.names), (vendor, bare)

    def cost(self, usd: Decimal, source: str, matched: str | None = None, since: date | None = None) -> Cost:
        """Make the cost of this call; `matched` is the list's name of the model, if it differs."""
        return Cost(usd=frozen(usd), source=source, matched=matched, tier=self.tier, price_date=since)


@dataclass(frozen=True, kw_only=True)
class TokenPrices:
    """US dollars per million tokens of each kind. A part without its own price has the price of the whole."""

    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    cache_write: Decimal | None = None
    audio_input: Decimal | None = None
    reasoning: Decimal | None = None
    audio_output: Decimal | None = None

    def usd(self, usage: Usage) -> Decimal:
        """Compute the cost of a call's tokens, each counted once.

        Raises:
            LookupError: there is no usage, or the counts contradict each other; the text says which.
        """
        free = not any(vars(self).values())
        if not free and not usage.input_tokens and not usage.output_tokens:
            raise LookupError("the vendor reported no usage")
        return (
            _whole(
                ("input_tokens", usage.input_tokens, self.input),
                ("cache_read_tokens", usage.cache_read_tokens, self.cached),
                ("cache_write_tokens", usage.cache_write_tokens, self.cache_write),
                ("input_audio_tokens", usage.input_audio_tokens, self.audio_input),
            )
            + _whole(
                ("output_tokens", usage.output_tokens, self.output),
                ("reasoning_tokens", usage.reasoning_tokens, self.reasoning),
                ("output_audio_tokens", usage.output_audio_tokens, self.audio_output),
            )
        ).scaleb(-6)


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
