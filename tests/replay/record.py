"""Write a history of each recorded workflow: `python -m tests.replay.record`.

Run it when a workflow is new. A history of a released workflow is never written again: it stands for the runs that are
out there. What a release schedules otherwise needs `workflow.patched`, and a second history beside the first.
"""

import asyncio
import json
import tempfile
from contextlib import chdir
from pathlib import Path
from typing import Any

from llmflow.app import App
from llmflow.errors import AuthenticationFailed, RunNotCompleted
from llmflow.providers.offline.provider import Offline
from llmflow.testing import ScriptedProvider, decider, environment, server
from llmflow.types.approvals import Decide
from llmflow.types.providers import Provider
from tests.helpers.chains import chain
from tests.helpers.hasty import hasty_server
from tests.integration.asking import app as asking
from tests.integration.carrying import app as carrying
from tests.integration.fanned import app as fanned
from tests.integration.forking.app import app as forking
from tests.integration.hello.app import app as hello
from tests.integration.machinery import app as machinery
from tests.integration.shapes import app as shapes
from tests.integration.shifts import app as shifts
from tests.integration.trips import app as trips
from tests.integration.watched import app as watched
from workflows.onboarding.app import app as onboarding
from workflows.onboarding.demo import demo as onboarding_demo
from workflows.research.app import app as research
from workflows.review.app import app as review
from workflows.review.demo import demo as review_demo

HISTORIES = Path(__file__).parent / "histories"
GREETING = '{"text": "hello ana", "warmth": 7}'

RECORDED: dict[str, tuple[App, str, object, Provider]] = {
    "typed": (hello, "Typed", "ana", ScriptedProvider([GREETING])),
    "asked-again": (hello, "Typed", "ana", ScriptedProvider(["no json", GREETING])),
    "never-fits": (hello, "Typed", "ana", ScriptedProvider(["no json", "no json"])),
    "next-candidate": (hello, "Caught", None, ScriptedProvider([AuthenticationFailed("no key")])),
    "parallel": (hello, "Parallel", ["ana", "bo", "cy"], ScriptedProvider(lambda request: request.messages[-1].text)),
    "rendered": (hello, "Rendered", "ana", ScriptedProvider([])),
    "steps": (hello, "Steps", "last", ScriptedProvider([])),
    "approvals": (
        asking,
        "AskAll",
        [{"days": 3, "approvers": ["ana", "bo"], "quorum": 2, "with_form": True}, {"name": "pay", "payload": 12}],
        ScriptedProvider([]),
    ),
    "approval-rounds": (asking, "Revise", None, ScriptedProvider([])),
    "saga": (trips, "Trip", ["hotel", "flaky", "full"], ScriptedProvider([])),
    "saga-at-once": (trips, "AtOnce", ["hotel", "late", "full"], ScriptedProvider([])),
    "saga-of-functions": (trips, "Odd", "functions", ScriptedProvider([])),
    "research": (research, "ResearchAssistant", {"text": "What does a saga undo?"}, Offline()),
    "patterns": (shapes, "Shapes", {"shape": "nested", "text": "ana"}, ScriptedProvider(lambda _: "hello")),
    "fan-out": (fanned, "Fan", {"items": 6, "way": "nested", "collect": True, "bad": [3]}, ScriptedProvider([])),
    "fan-out-batches": (fanned, "Fan", {"items": 501, "limit": 40}, ScriptedProvider([])),
    "fan-out-batch": (fanned, "Fan", {"items": 501, "limit": 40}, ScriptedProvider([])),
    "map-reduce": (fanned, "Sum", {"items": 7}, ScriptedProvider([])),
    "fork": (forking, "Article", {"topic": "tea"}, ScriptedProvider(lambda request: request.messages[-1].text)),
    "race": (fanned, "Race", {"limit": 1}, ScriptedProvider([])),
    "guards": (watched, "Watched", {"case": "output", "name": "ana"}, ScriptedProvider(["HEY", "HEY, please"])),
    "review": (review, "Review", review_demo.input, Offline()),
    "machine": (machinery, "Works", {"machine": "laps", "job": {"name": "lap"}}, ScriptedProvider([])),
    "onboarding": (onboarding, "Onboard", onboarding_demo.input, Offline()),
    "carried-pins": (carrying, "Pinned", True, ScriptedProvider(lambda _: GREETING)),
    "carried-addresses": (carrying, "Numbered", True, ScriptedProvider([])),
    "carried-approvals": (carrying, "Asked", True, ScriptedProvider([])),
    "carried-sagas": (carrying, "Undone", True, ScriptedProvider([])),
    "carried-batches": (carrying, "Spread", True, ScriptedProvider(lambda _: GREETING)),
    "carried-machines": (shifts, "Shift", {"names": ["a", "b"], "laps": 3}, ScriptedProvider([])),
    "carried-forks": (carrying, "Pinned", True, ScriptedProvider(lambda _: GREETING)),
}
"""Name of the history -> App, workflow, input, model."""

CARRIED = "carried-"
"""These continue as new: their last run is a second history, whose name ends with `NEXT`."""
NEXT = "-next"
HASTY = {"carried-machines": 20}
"""Name of the history -> events after which its server suggests to continue as new."""

CHILDREN = {"fan-out-batch": "/look_at[0-39]"}
"""Name of the history -> whose it is, where it is of a child."""

FORKED = {"fork": "notes/b", "carried-forks": "book"}
"""Name of the history -> the step from which the run is forked; the history is the fork's."""

DECIDED: dict[str, list[Decide]] = {
    "approvals": [
        Decide(approval="pay", approved=False, by="cy", comment="too much"),
        Decide(approval="publish", approved=True, by="ana", form={"amount": 1}),
        Decide(approval="publish", approved=True, by="bo", form={"amount": 2}),
    ],
    "approval-rounds": [Decide(approval="publish", approved=yes, by="ana") for yes in (False, False, True)],
    "carried-approvals": [
        Decide(approval="plan", approved=True, by="ana"),
        Decide(approval="publish", approved=True, by="ana", form={"amount": 1}),
        Decide(approval="early", approved=True, by="ana"),
        Decide(approval="publish", approved=True, by="bo", form={"amount": 2}),
        Decide(approval="plan#2", approved=False, by="ana"),
        Decide(approval="late", approved=True, by="ana"),
    ],
    "review": [one.decide for one in review_demo.decisions],
    "onboarding": [
        Decide(approval="offer", approved=True, by="mia", form={"needs": ["a laptop"]}),
        Decide(approval="equipment", approved=True, by="ana"),
        Decide(approval="first-week", approved=True, by="mia", form={"missing": []}),
    ],
}
"""Name of the history -> what people say in it."""


def recorded(file: str) -> str:
    """The key of `RECORDED` that the history of that name belongs to."""
    return file.removesuffix(NEXT)


def files(name: str) -> list[str]:
    """The names of the histories of one recording."""
    return [name, name + NEXT] if name.startswith(CARRIED) else [name]


async def record(name: str, address: str) -> list[str]:
    """Run one, and give its histories as JSON."""
    app, workflow, input, model = RECORDED[name]
    async with environment(app, model, address=address) as env:
        started = env.client.start(workflow, input, id=name) if input else env.client.start(workflow, id=name)
        run = await started
        try:
            async with decider(env.client, run, DECIDED.get(name, [])):
                await run.result()
        except RunNotCompleted as error:
            print(f"{name}: {error}")
        if name in FORKED:
            models = {} if name.startswith(CARRIED) else {"fast": "quick"}
            run = await env.client.run(run.id, run.run_id).fork(FORKED[name], id=f"{name}-again", models=models)
            await run.result()
        runs = await chain(
            env, env.client.run(run.id + CHILDREN.get(name, ""), None if name in CHILDREN else run.run_id)
        )
        kept = [runs[0], runs[-1]] if name.startswith(CARRIED) else runs
        histories = [(await one.handle.fetch_history()).to_json_dict() for one in kept]
        return [json.dumps(_without_this_machine(history), indent=1) for history in histories]


def _without_this_machine(part: Any) -> Any:  # Any: JSON
    """Names of hosts and folders say nothing about decisions, and would make every recording another one."""
    if isinstance(part, list):
        return [_without_this_machine(one) for one in part]
    if isinstance(part, dict):
        return {key: _without_this_machine(one) for key, one in part.items() if key not in {"identity", "stackTrace"}}
    return part


async def _write(name: str, address: str) -> None:
    paths = [HISTORIES / f"{file}.json" for file in files(name)]
    if not all(path.exists() for path in paths):
        for path, history in zip(paths, await record(name, address), strict=True):
            path.write_text(history + "\n")


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        documents = Path(folder, "docs")
        documents.mkdir()
        (documents / "sagas.md").write_text("# Sagas\n\nA saga undoes the finished steps of a run in reverse order.\n")
        async with server() as address:
            for name in sorted(RECORDED.keys() - HASTY.keys()):
                await _write(name, address)
        for name, events in HASTY.items():
            async with hasty_server(events) as address:
                await _write(name, address)


if __name__ == "__main__":
    asyncio.run(main())
