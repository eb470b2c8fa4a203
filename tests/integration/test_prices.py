"""prices.yaml: the App's, the environment's, and one that is wrong."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from llmflow.activities.events.log import EventLog
from llmflow.app import App
from llmflow.config import Settings
from llmflow.errors import ConfigInvalid
from llmflow.providers.models.catalogue import ModelCatalogue, load_model_catalogue
from llmflow.stores.events.places import event_streams
from llmflow.testing import ScriptedProvider, environment
from llmflow.types.models import ModelResponse
from llmflow.types.usage import Usage
from llmflow.worker.apps import app_prices, with_prices
from llmflow.worker.wiring import Given, activities
from tests.integration.hello.app import app
from tests.integration.hello.workflows import Parallel

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def priced(folder: Path, text: str, name: str = "prices.yaml") -> App:
    path = folder / name
    path.write_text(text)
    return replace(app, prices=path)


async def test_a_run_costs_what_the_list_of_its_app_says(temporal: str, tmp_path: Path) -> None:
    """The part from the cache is cheaper, and counted once; what the list does not know is counted as unknown."""
    used = Usage(input_tokens=1_000_000, cache_read_tokens=400_000, output_tokens=1000)
    answers = [ModelResponse(text=name, model=name, usage=used) for name in ("a", "a", "b")]
    served = priced(tmp_path, "scripted:a: {input: 2.5, cached: 0.25, output: 10}\n")
    async with environment(served, ScriptedProvider(answers), address=temporal) as env:
        run = await env.client.start(Parallel.run, ["x", "y", "z"], id=env.id())
        await run.result()
        usage = await run.usage()
    assert usage.by_model["scripted:a"].usd == 2 * Decimal("1.61")
    assert (usage.total.usd, usage.total.unpriced_calls) == (Decimal("3.22"), 1)


def test_the_environment_wins_over_the_app(tmp_path: Path) -> None:
    served = priced(tmp_path, "a:b: {input: 1, output: 1}\n")
    other = tmp_path / "other.yaml"
    other.write_text("a:b: {input: 3, output: 3}\n")
    answer = ModelResponse(text="", model="b", usage=Usage(input_tokens=1_000_000))
    for settings, usd in ((Settings(prices=None), 1), (Settings(prices=other), 3)):
        assert app_prices(served, settings, ModelCatalogue.only("a")).price("a:b", answer, NOW).usd == usd


def test_the_cheapest_is_chosen_by_the_price_where_each_is_asked(tmp_path: Path) -> None:
    """DeepSeek is known by its address, whatever the provider is called; a gateway of one's own is nobody's."""
    path = tmp_path / "models.yaml"
    path.write_text("""
providers:
  openai: {api: responses, key: OPENAI_API_KEY}
  cheapo: {api: chat, base_url: "https://api.deepseek.com/v1"}
  gateway: {api: litellm, base_url: "http://gateway.corp.test"}
models:
  c: {policy: cheapest, candidates: ["gateway:deepseek/deepseek-chat", "openai:gpt-5.4", "cheapo:deepseek-chat"]}
""")
    models = load_model_catalogue(path)
    prices = app_prices(app, Settings(prices=None), models)
    ordered = [candidate.model for candidate in with_prices(models, prices).resolve("c")]
    assert ordered == ["cheapo:deepseek-chat", "openai:gpt-5.4", "gateway:deepseek/deepseek-chat"]


def test_a_wrong_file_stops_the_worker_at_its_start(tmp_path: Path) -> None:
    served = priced(tmp_path, "a:b:\n  inptu: 1\n")
    with pytest.raises(ConfigInvalid, match=r"prices.yaml:2:3: .* has no field 'inptu' \(did you mean `input`\?"):
        settings = Settings(home=tmp_path, models="offline")
        activities([served], Given(settings=settings), EventLog(event_streams(settings.events_url)))
