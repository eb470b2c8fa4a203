"""Other AI plugins for Temporal on one client with ours: `make test-plugins` has an environment with them."""

import re

import pytest
from temporalio.client import Client

from llmflow.errors import ConfigInvalid
from llmflow.plugin import LLMFlowPlugin

reason = "another AI plugin is not installed here: `make test-plugins` runs this with it"
pydantic_ai = pytest.importorskip("pydantic_ai.durable_exec.temporal", reason=reason)
openai_agents = pytest.importorskip("temporalio.openai_agents", reason=reason)


@pytest.mark.parametrize("other", [pydantic_ai.PydanticAIPlugin, openai_agents.OpenAIAgentsPlugin])
async def test_a_converter_before_ours_is_refused_by_its_name(temporal: str, other: type) -> None:
    words = re.compile(r"\w+PayloadConverter cannot be combined with llmflow")
    with pytest.raises(ConfigInvalid, match=words):
        await Client.connect(temporal, plugins=[other(), LLMFlowPlugin()])


async def test_openai_agents_refuse_ours_before_theirs(temporal: str) -> None:
    with pytest.raises(ValueError, match="must be of type OpenAIPayloadConverter"):
        await Client.connect(temporal, plugins=[LLMFlowPlugin(), openai_agents.OpenAIAgentsPlugin()])
