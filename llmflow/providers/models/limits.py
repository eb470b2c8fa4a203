"""Limits in models.yaml: requests or tokens per time.

providers:
  openai: {api: responses, key: OPENAI_API_KEY, limits: {requests: 500/minute, tokens: 200000/minute}}
limits:                                                  # of one model
  "openai:gpt-6.1-sol": {requests: [5/second, 1000/day]}
tenants:
  "*": {tokens: 50000/minute}                            # each tenant that is not listed
  acme: {tokens: 500000/minute}
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from llmflow.errors import unknown
from llmflow.yaml import Node

_SECONDS: Mapping[str, int] = MappingProxyType({"second": 1, "minute": 60, "hour": 3600, "day": 86400})
_LIMIT = re.compile(r"(?P<amount>\d{1,15})\s*/\s*(?P<count>\d{1,4})?\s*(?P<unit>[a-z]+?)s?")


@dataclass(frozen=True, kw_only=True)
class Limit:
    """An upper limit for every interval of a length."""

    amount: int
    """Requests or tokens."""
    seconds: int
    """Length of the interval."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """All limits of one provider, model or tenant; none by default."""

    requests: tuple[Limit, ...] = ()
    tokens: tuple[Limit, ...] = ()
    """Limits of input and output tokens together."""

    def __bool__(self) -> bool:
        return bool(self.requests or self.tokens)


NO_LIMITS = Limits()


def read_limits(node: Node) -> Limits:
    """Read `{requests: 500/minute, tokens: [200000/minute, 5000000/day]}`.

    Raises:
        ConfigInvalid: a limit is invalid; the message has `file:line:column` and what is allowed.
    """
    fields = node.mapping("a set of limits", {"requests", "tokens"})
    return Limits(**{name: tuple(_limit(name, one) for one in value.sequence()) for name, value in fields.items()})


def _limit(what: str, node: Node) -> Limit:
    text = node.text(f"a limit of {what}").strip()
    found = _LIMIT.fullmatch(text)
    if found is None or int(found["amount"]) == 0 or found["count"] == "0":
        raise node.error(f"a limit of {what} is written like 500/minute, or 20/10 seconds, not {text!r}")
    if found["unit"] not in _SECONDS:
        raise node.error(f"{text!r}: there is no unit of time {unknown(found['unit'], _SECONDS)}")
    return Limit(amount=int(found["amount"]), seconds=int(found["count"] or 1) * _SECONDS[found["unit"]])
