"""Workflow code of today still makes the decisions of every stored history."""

import json

import pytest
from temporalio.client import WorkflowHistory

from llmflow.testing import assert_replays
from tests.replay.record import HISTORIES, RECORDED, files, recorded


def stored(name: str) -> WorkflowHistory:
    return WorkflowHistory.from_json(recorded(name), (HISTORIES / f"{name}.json").read_text())


@pytest.mark.parametrize("name", sorted(path.stem for path in HISTORIES.glob("*.json")))
async def test_it_replays(name: str) -> None:
    await assert_replays(stored(name), RECORDED[recorded(name)][0])


def test_every_workflow_that_is_recorded_has_its_history() -> None:
    assert sorted(file for name in RECORDED for file in files(name)) == sorted(
        path.stem for path in HISTORIES.glob("*.json")
    )


async def test_a_history_of_other_decisions_does_not_replay() -> None:
    history = json.loads((HISTORIES / "typed.json").read_text())
    for event in history["events"]:
        if scheduled := event.get("activityTaskScheduledEventAttributes"):
            scheduled["activityId"] = "greeting/complete#2"
    with pytest.raises(AssertionError, match=r"typed does not replay: .*Nondeterminism"):
        await assert_replays(WorkflowHistory.from_json("typed", history), RECORDED["typed"][0])
