"""Other AI plugins for Temporal on one client with ours: `make test-plugins` has an environment with them."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from llmflow.config import Settings
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.testing import ScriptedProvider
from llmflow.worker import LLMFlowPlugin
from tests.integration.hello.app import app
from tests.integration.hello.workflows import Typed

reason = "another AI plugin is not installed here: `make test-plugins` runs this with it"
pydantic_ai = pytest.importorskip("pydantic_ai.durable_exec.temporal", reason=reason)
openai_agents = pytest.importorskip("temporalio.openai_agents", reason=reason)

Plugins = Callable[[LLMFlowPlugin], list[Any]]  # Any: plugins of other packages, which are not in every environment


@pytest.mark.parametrize(
    "plugins",
    [
        pytest.param(lambda ours: [pydantic_ai.PydanticAIPlugin(), ours], id="pydantic-ai first"),
        pytest.param(lambda ours: [ours, pydantic_ai.PydanticAIPlugin()], id="pydantic-ai second"),
        pytest.param(lambda ours: [openai_agents.OpenAIAgentsPlugin(), ours], id="openai-agents first"),
    ],
)
async def test_a_run_of_ours_beside_another_plugin(
    temporal: str, tmp_path: Path, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "never-used")  # theirs wants one when its worker starts
    model = ScriptedProvider(['{"text": "hello ana", "warmth": 7}'])
    ours = LLMFlowPlugin(
        app, settings=Settings(home=tmp_path), models=ModelCatalogue.only("scripted"), providers={"scripted": model}
    )
    client = await Client.connect(temporal, plugins=plugins(ours))
    queue = str(uuid.uuid4())
    async with Worker(client, task_queue=queue, workflows=app.workflows):
        greeting = await client.execute_workflow(Typed.run, "ana", id=queue, task_queue=queue)
    assert (greeting.text, greeting.warmth) == ("hello ana", 7)


async def test_openai_agents_refuse_ours_before_theirs(temporal: str) -> None:
    with pytest.raises(ValueError, match="must be of type OpenAIPayloadConverter"):
        await Client.connect(temporal, plugins=[LLMFlowPlugin(app), openai_agents.OpenAIAgentsPlugin()])
