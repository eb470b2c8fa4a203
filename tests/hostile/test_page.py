"""A run whose every text is a stranger's: its page in the Web UI, its inbox and its questions, on a real server."""

from collections.abc import AsyncIterator

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata

from llmflow.testing import Environment, ScriptedProvider, assert_replays, environment
from tests.helpers.waiting import until
from tests.hostile.strangers import Asks, app

from .test_text import acts, html
from .texts import ACTS, MARKDOWN, MARKUP

LONE = "\ud800"
"""No JSON has it, so no payload arrives with it."""


@pytest.fixture(scope="module")
async def env(temporal: str) -> AsyncIterator[Environment]:
    async with environment(app, ScriptedProvider([]), address=temporal) as opened:
        yield opened


@pytest.mark.parametrize("text", [one for one in (*MARKUP, *ACTS, *MARKDOWN) if LONE not in one])
async def test_the_page_and_the_question_of_a_run(env: Environment, text: str) -> None:
    run = await env.client.start(Asks.run, text, id=env.id())

    async def details() -> str:
        found = await run.handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
        return found.current_details

    page = await until(details)
    assert not [one for one in page if acts(one)]
    shown = html(page)
    assert not [tag for tag in ("<a ", "<img", "<textarea", "<script", "<!--") if tag in shown]
    assert "llmflow approvals approve" in shown

    [question] = (await run.approvals()).questions
    assert question.payload == {"mail": text}
    await run.decide("send#1", approved=True, by=question.approvers[0], id="1")
    assert await run.result()
    await assert_replays(run, app)
