"""Policies of budgets: people are warned by the webhook, and a cheaper model is asked when a dear one does not fit."""

import base64
import logging
import uuid
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook as Receiver
from temporalio.worker import Worker

from llmflow.client import Client, connect
from llmflow.config import Settings
from llmflow.errors import BudgetExceeded, RunNotCompleted
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.stores.budgets.balances import put_budget
from llmflow.stores.database import Database
from llmflow.testing import ScriptedProvider, activities_of, assert_replays
from llmflow.types.budgets import Budget, BudgetName
from llmflow.types.models import Candidate, ModelRequest, ModelResponse
from llmflow.types.usage import Usage
from llmflow.worker import LLMFlowPlugin
from tests.helpers.model_server import ModelServer, Reply
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Ask
from tests.integration.hello.workflows import Asked

SECRET = f"whsec_{base64.b64encode(b'planted secret, 32 bytes of it..').decode()}"
MODELS = ModelCatalogue(providers={}, aliases={"smart": (Candidate(model="dear:m"), Candidate(model="cheap:m"))})
PRICES = "dear:m: {input: 0, output: 100}\ncheap:m: {input: 0, output: 20}\n"  # at most $0.4096 and $0.08192


def _bill(usd: str) -> ScriptedProvider:
    def answer(request: ModelRequest) -> ModelResponse:
        return ModelResponse(text="hi", model="m", usage=Usage(input_tokens=1), reported_usd=Decimal(usd))

    return ScriptedProvider(answer)


async def test_a_tenant_is_warned_of_and_goes_to_a_cheaper_model(
    temporal: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "llmflow.budgets")
    (tmp_path / "prices.yaml").write_text(PRICES)
    store = str(tmp_path / "llmflow.db")
    async with Database(store) as database:
        acme = Budget(usd="0.50", full="cheaper")
        await put_budget(database, BudgetName(scope="tenant", name="acme", period="month"), acme)
    async with ModelServer(Reply.json({})) as receiver:
        settings = Settings(
            home=tmp_path, store=store, webhook=f"{receiver.url}/hook", webhook_secret=SecretStr(SECRET)
        )
        providers = {"dear": _bill("0.40"), "cheap": _bill("0.08")}
        priced = replace(app, prices=tmp_path / "prices.yaml")
        plugin = LLMFlowPlugin(priced, settings=settings, models=MODELS, providers=providers)
        connected = await connect(address=temporal, plugin=plugin)
        queue = f"budgets-{uuid.uuid4()}"
        async with Worker(connected.temporal, task_queue=queue, workflows=app.workflows):
            client = Client(connected.temporal, queue)
            for scheduled, model in ((["complete#1"], "dear:m"), (["complete#1", "complete#2"], "cheap:m")):
                run = await client.start(Asked.run, Ask(), id=str(uuid.uuid4()), tenant="acme")
                assert (await run.result())["model"] == model
                assert await activities_of(run) == scheduled
                await assert_replays(run, app)
            last = await client.start(Asked.run, Ask(), id=str(uuid.uuid4()), tenant="acme")
            with pytest.raises(RunNotCompleted, match=r"budget of \$0\.50 a month for tenant acme") as failed:
                await last.result()
            assert isinstance(failed.value.__cause__, BudgetExceeded)
            await receiver.arrived(1)
        told = [Receiver(SECRET).verify(one.body, dict(one.headers)) for one in receiver.requests]
    assert told == [
        {
            "event": "budget",
            "scope": "tenant",
            "name": "acme",
            "period": "month",
            "percent": 80,
            "usd": "0.5",
            "spent": "0.4",
        }
    ]
    assert "budget of tenant acme per month: 80 % is spent, $0.40 of $0.50" in caplog.text
