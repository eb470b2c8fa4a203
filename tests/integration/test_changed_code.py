"""Workflow code that changes while a run is open: docs/versioning.md says which changes the run replays."""

import pytest
from temporalio.client import WorkflowHistory

from llmflow.testing import ScriptedProvider, activities_of, approve_when_asked, assert_replays, environment
from tests.helpers.waiting import until
from tests.integration.changing import SAFE, UNSAFE, Before, PatchedCall, app_of


@pytest.fixture(scope="module")
async def open_run(temporal: str) -> WorkflowHistory:
    """The history of a run that has made three calls and waits for people."""
    async with environment(app_of(Before), ScriptedProvider(lambda _: "hello"), address=temporal) as env:
        run = await env.client.start(Before.run, id=env.id())

        async def asked() -> bool:
            return bool((await run.approvals()).questions)

        await until(asked)
        return await run.handle.fetch_history()


@pytest.mark.parametrize("kind", SAFE)
async def test_an_open_run_replays_with_a_safe_change(open_run: WorkflowHistory, kind: type) -> None:
    await assert_replays(open_run, app_of(kind))


@pytest.mark.parametrize("kind", UNSAFE)
async def test_an_open_run_does_not_replay_with_another_order_or_other_addresses(
    open_run: WorkflowHistory, kind: type
) -> None:
    with pytest.raises(AssertionError, match=r"Nondeterminism|draft/complete#1: the answer does not fit"):
        await assert_replays(open_run, app_of(kind))


async def test_a_new_run_makes_the_call_behind_a_patch(temporal: str) -> None:
    app = app_of(PatchedCall)
    async with environment(app, ScriptedProvider(lambda _: "hello"), address=temporal) as env:
        run = await env.client.start(PatchedCall.run, id=env.id())
        await approve_when_asked(run, "publish", by="ana")
        assert await run.result() == "hello, hello, hello, hello"
        assert (await activities_of(run))[:2] == ["complete#1", "draft/complete#1"]
        await assert_replays(run, app)
