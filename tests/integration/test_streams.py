"""A streamed answer, from models.yaml to the ledger."""

from pathlib import Path
from uuid import uuid4

from temporalio.worker import Worker

from llmflow.client import Client, connect
from llmflow.config import Settings
from llmflow.providers.models.catalogue import load_model_catalogue
from llmflow.providers.openai.responses import ResponsesProvider
from llmflow.stores.database import Database
from llmflow.stores.reports.comparison import compare
from llmflow.testing import activities_of, assert_replays
from llmflow.types.providers import ProviderSettings
from llmflow.types.reports import CallFilter
from llmflow.worker import LLMFlowPlugin
from tests.helpers.model_server import ModelServer
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Ask
from tests.integration.hello.workflows import Asked

MODELS = """
providers:
  openai: {api: responses, key: OPENAI_API_KEY}
models:
  smart: {model: "openai:gpt-5.4", stream: true}
  fast: smart
"""


async def test_the_ledger_knows_the_time_to_the_first_token(temporal: str, tmp_path: Path) -> None:
    (tmp_path / "models.yaml").write_text(MODELS)
    settings = Settings(home=tmp_path, store=str(tmp_path / "llmflow.db"))
    async with ModelServer() as server:
        provider = ResponsesProvider(ProviderSettings(name="openai", base_url=server.url, key="sk-x"))
        models = load_model_catalogue(tmp_path / "models.yaml")
        plugin = LLMFlowPlugin(app, settings=settings, models=models, providers={"openai": provider})
        connected = await connect(address=temporal, plugin=plugin)
        queue = f"streams-{uuid4()}"
        async with Worker(connected.temporal, task_queue=queue, workflows=app.workflows):
            run = await Client(connected.temporal, queue).start(Asked.run, Ask(), id=queue)
            assert (await run.result())["text"] == "ok"
            assert await activities_of(run) == ["complete#1"]
            await assert_replays(run, app)
        await provider.close()
    assert [request.json["stream"] for request in server.requests] == [True]
    async with Database(settings.store_url) as database:
        [row] = (await compare(database, "hello/greet", CallFilter())).rows
    assert row.first_token_p50 is not None
    assert row.latency_p50 is not None
    assert 0 <= row.first_token_p50 <= row.latency_p50
