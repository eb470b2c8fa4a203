"""Upper bounds of what a request can be billed."""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

import pytest
import tiktoken
from pydantic import JsonValue
from tokenizers import Tokenizer  # pyright: ignore[reportMissingTypeStubs]  it has none

from llmflow.providers.pricing.bounds import DEFAULT_LIMIT, Bound, bound_of, limited
from llmflow.providers.pricing.price_list import load_price_list
from llmflow.providers.pricing.prices import Prices
from llmflow.types.messages import Audio, File, Image, Message, Part, Text, ToolCall, ToolResult
from llmflow.types.models import ModelOptions, ModelRequest, OutputSchema
from llmflow.types.tools import ToolSpec
from llmflow.types.usage import Usage

NOW = datetime(2026, 7, 1, tzinfo=UTC)
Count = Callable[[str], int]


def request(*parts: str | Part, model: str = "m", options: Mapping[str, object] = MappingProxyType({})) -> ModelRequest:
    return ModelRequest(model=model, messages=(Message.user(*parts),), options=ModelOptions.model_validate(options))


@pytest.fixture
def tokenizers(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Count]:
    """The public tokenizers that litellm ships: three of OpenAI, one of Claude 2, one of DeepSeek."""
    litellm = find_spec("litellm")
    assert litellm and litellm.origin
    folder = Path(litellm.origin).parent / "litellm_core_utils" / "tokenizers"
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
    openai = {name: tiktoken.get_encoding(name) for name in ("p50k_base", "cl100k_base", "o200k_base")}
    others = {name: Tokenizer.from_file(str(folder / f"{name}_tokenizer.json")) for name in ("anthropic", "deepseek")}
    return {
        **{name: lambda text, its=its: len(its.encode(text, disallowed_special=())) for name, its in openai.items()},
        **{name: lambda text, its=its: len(its.encode(text).ids) for name, its in others.items()},
    }


ENGLISH = (Path(__file__).parents[4] / "docs" / "concepts.md").read_text()
CODE = Path(__file__).read_text()
CHINESE = "人工智能是研究、开发用于模拟、延伸和扩展人的智能的理论、方法、技术及应用系统的一门新的技术科学。" * 9
RANDOM = random.Random(13)
TEXTS = {
    "english": ENGLISH,
    "code": CODE,
    "chinese": CHINESE,
    "emoji": "\N{GRINNING FACE}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}" * 50,
    "ligatures": "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 50,
    "control characters": "".join(chr(RANDOM.randrange(32)) for _ in range(500)),
    "any characters": "".join(
        chr(
            RANDOM.choice(
                [RANDOM.randrange(32, 127), RANDOM.randrange(160, 0xD800), RANDOM.randrange(0x10000, 0x1FFFF)]
            )
        )
        for _ in range(3000)
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_no_tokenizer_makes_more_tokens_of_a_text(tokenizers: Mapping[str, Count], name: str) -> None:
    text = TEXTS[name]
    bound = bound_of(request(text)).input_tokens - bound_of(request("")).input_tokens
    counted = {which: count(text) for which, count in tokenizers.items()}
    assert max(counted.values()) <= bound
    if name in {"english", "code", "chinese"}:  # documented
        assert bound <= 6 * counted["o200k_base"]


def test_everything_that_is_sent_is_counted() -> None:
    schema: dict[str, JsonValue] = {"type": "object", "description": "x" * 4000}
    plain = request("hi")
    none = bound_of(plain).input_tokens
    found = File(name="a.txt", media_type="text/plain", data=b"y" * 5000)
    more = {
        "tools": (ToolSpec(name="find", description="d" * 1000, json_schema=schema),),
        "output": OutputSchema(name="plan", json_schema=schema),
        "messages": (
            *plain.messages,
            Message.assistant(ToolCall(id="1", name="find", arguments="z" * 3000)),
            Message.user(ToolResult(id="1", text="r" * 2000), found, Image(url="https://pictures.test/1.png")),
        ),
    }
    least = {"tools": 5000, "output": 4000, "messages": 3000 + 2000 + 5000 + 16_384}
    for field, value in more.items():
        bound = bound_of(plain.model_copy(update={field: value})).input_tokens
        assert least[field] <= bound - none <= least[field] + 400, field
    paper = request(File(name="a.pdf", url="https://papers.test/a.pdf"))
    assert bound_of(paper).input_tokens > 2_000_000
    small = request(Image(url="https://pictures.test/1.png"), model="gpt-4o-mini-2024-07-18")
    assert bound_of(small).input_tokens > 48_169


@pytest.mark.parametrize(
    ("api", "options", "sent", "output"),
    [
        ("chat", {}, DEFAULT_LIMIT, DEFAULT_LIMIT),
        ("chat", {"max_output_tokens": 100}, 100, 100),
        ("chat", {"extra": {"max_tokens": 9000}}, None, 9000),
        ("chat", {"max_output_tokens": 100, "extra": {"max_completion_tokens": 9000}}, 100, 9000),
        ("responses", {"extra": {"max_output_tokens": 9000}}, None, 9000),
        ("responses", {"extra": {"max_tokens": 100}}, DEFAULT_LIMIT, DEFAULT_LIMIT),  # no limit there
        ("litellm", {"extra": {"max_tokens": 100}}, None, 100),
        (None, {"extra": {"max_tokens": 100}}, None, 100),
        ("chat", {"max_output_tokens": 100, "extra": {"n": 3}}, 100, 300),
    ],
)
def test_every_request_has_a_limit(api: str | None, options: dict[str, object], sent: int | None, output: int) -> None:
    asked = limited(request("hi", options=options), api)
    assert asked.options.max_output_tokens == sent
    bound = bound_of(asked)
    assert (bound.output_tokens, bound.unbounded) == (output, None)


@pytest.mark.parametrize(
    "extra",
    [
        {"max_tokens": None},
        {"max_tokens": "many"},
        {"n": True},
        {"n": None},
        {"tools": [{"type": "web_search"}]},
        {"tools": [{"type": "function", "name": "f"}, {"type": "file_search"}]},
        {"web_search_options": {}},
        {"plugins": [{"id": "web"}]},
        {"model": "another"},
        {"messages": []},
        {"background": True},
    ],
    ids=str,
)
def test_what_nobody_can_bound_is_named(extra: dict[str, JsonValue]) -> None:
    [*_, name] = extra
    assert bound_of(limited(request("hi", options={"extra": extra}), "chat")).unbounded == f"`extra.{name}`"


@pytest.mark.parametrize("model", ["gpt-4o-search-preview", "gpt-5-search-api", "groq/compound", "compound-beta"])
def test_models_that_search_unasked_have_no_bound(model: str) -> None:
    assert bound_of(limited(request("hi", model=model), "chat")).unbounded == "a search that the model makes unasked"
    assert bound_of(limited(request("hi", model="gpt-5-search"), "chat")).unbounded is not None
    assert bound_of(limited(request("hi", model="researcher-1"), "chat")).unbounded is None


def test_harmless_fields_are_counted_as_text() -> None:
    extra: dict[str, JsonValue] = {"seed": 1, "instructions": "x" * 500, "tools": [{"type": "function", "name": "f"}]}
    bound = bound_of(limited(request("hi", options={"extra": extra}), "responses"))
    assert bound.unbounded is None
    assert bound.input_tokens >= bound_of(request("hi")).input_tokens + 500


@pytest.fixture
def prices(tmp_path: Path) -> Prices:
    path = tmp_path / "prices.yaml"
    path.write_text(
        "v:m:\n  input: 1\n  cached: 0.1\n  cache_write: 1.25\n  output: 10\n  reasoning: 12\n  tiers:\n"
        "    flex: {input: 0.5, cached: 0.05, cache_write: 0.6, output: 5, reasoning: 5}\n"
        "    priority: {input: 2, cached: 0.2, cache_write: 2.5, output: 20, reasoning: 24}\n"
        "v:plain: {input: 1, output: 10}\n"
    )
    return Prices(load_price_list(path))


@pytest.mark.parametrize(
    ("model", "tier", "usd"),
    [
        ("v:m", "default", "13.25"),  # all written to the cache, all reasoning
        ("v:m", "flex", "13.25"),  # it may be answered as standard
        ("v:m", "priority", "26.5"),
        ("v:m", None, "26.5"),  # the project's own setting decides
        ("v:m", "auto", "26.5"),
        ("v:m", "scale", None),
        ("v:plain", None, "11"),
        ("v:plain", "flex", None),
        ("v:other", None, None),
    ],
)
def test_the_dearest_way_to_bill_it_counts(prices: Prices, model: str, tier: str | None, usd: str | None) -> None:
    many = 2**20
    cost = prices.at_most(model, Bound(input_tokens=many, output_tokens=many, tier=tier, cached_for_an_hour=False), NOW)
    assert cost.usd == (None if usd is None else Decimal(usd) * many / 10**6)


@pytest.mark.parametrize("tokens", [0, 1, 127, 128, 129, 4097, 99_999, 10**6 + 1])
def test_counts_are_rounded_up_by_little(prices: Prices, tokens: int) -> None:
    bound = Bound(input_tokens=tokens, output_tokens=1, tier="default", cached_for_an_hour=False)
    usd = (prices.at_most("v:plain", bound, NOW).usd or Decimal(0)) - Decimal("0.00001")
    assert tokens <= usd * 10**6 <= tokens * Decimal("1.016")


def test_a_file_may_fill_the_context_window(prices: Prices) -> None:
    paper = request(File(name="a.pdf", data=b"%PDF"))
    known = Prices().at_most("anthropic:claude-sonnet-4-5", bound_of(paper), NOW).usd
    unknown = prices.at_most("v:plain", bound_of(paper), NOW).usd
    assert known and known < 5
    assert unknown and unknown > 2


def test_an_image_that_the_model_makes_costs_more_than_text() -> None:
    def usd(model: str) -> Decimal:
        bound = Bound(input_tokens=1, output_tokens=2**20, tier="default", cached_for_an_hour=False)
        return Prices().at_most(model, bound, NOW).usd or Decimal(0)

    assert usd("google:gemini-2.5-flash-image") > 10 * usd("google:gemini-2.5-flash")


def test_a_cache_for_an_hour_costs_more() -> None:
    def usd(ttl: str) -> Decimal:
        asked = request("x" * 10_000, options={"extra": {"cache_control": {"type": "ephemeral", "ttl": ttl}}})
        return Prices().at_most("anthropic:claude-sonnet-4-5", bound_of(asked), NOW).usd or Decimal(0)

    assert usd("1h") - usd("5m") >= Decimal("0.0225")  # $6 and $3.75 for a million


def test_each_kind_of_part_is_bounded(prices: Prices) -> None:
    plain = bound_of(request("hi"))
    sound = bound_of(request("hi", Audio(data=b"x" * 5000)))
    assert (sound.input_tokens >= plain.input_tokens + 5000, sound.audio, sound.unsized) == (True, True, False)
    for unsized in (Audio(url="https://x.test/a.wav"), File(name="a", file_id="f", media_type="text/plain")):
        assert bound_of(request(unsized)).unsized
    seen = ToolResult(id="1", text="", parts=(File(name="a.pdf", data=b"%PDF"), Image(file_id="f")))
    assert bound_of(request(seen)).unsized
    assert bound_of(request(seen)).input_tokens > 2**21 + 16_384
    for marked in (Text(text="hi", cache="1h"), ToolResult(id="1", text="", cache="1h")):
        assert bound_of(request(marked)).cached_for_an_hour
    assert not bound_of(request(Text(text="hi", cache="5m"))).cached_for_an_hour


def test_audio_has_its_own_price(tmp_path: Path) -> None:
    (path := tmp_path / "prices.yaml").write_text("v:m: {input: 1, audio_input: 40, output: 10}\n")
    listed = Prices(load_price_list(path))
    bound = bound_of(limited(request(Audio(data=b"x" * 5000), options={"max_output_tokens": 1}), "chat"))
    spoken = Usage(input_tokens=5000, input_audio_tokens=5000, output_tokens=1)
    assert (listed.at_most("v:m", bound, NOW).usd or 0) >= (listed.expected("v:m", spoken, NOW).usd or 1)


def test_tools_of_the_vendor_have_no_bound() -> None:
    own = {"hosted_tools": [{"type": "web_search"}]}
    assert bound_of(limited(request("hi", options=own), "chat")).unbounded == "`web_search` of `hosted_tools`"
