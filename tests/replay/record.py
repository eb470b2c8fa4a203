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
from llmflow.providers.base import Provider
from llmflow.providers.offline import Offline
from llmflow.testing import ScriptedProvider, environment, server
from tests.integration.hello.app import app as hello
from workflows.research.app import app as research

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
    "research": (research, "ResearchAssistant", {"text": "What does a saga undo?"}, Offline()),
}
"""Name of the history -> App, workflow, input, model."""


async def record(name: str, address: str) -> str:
    """Run one, and give its history as JSON."""
    app, workflow, input, model = RECORDED[name]
    async with environment(app, model, address=address) as env:
        started = env.client.start(workflow, input, id=name) if input else env.client.start(workflow, id=name)
        run = await started
        try:
            await run.result()
        except RunNotCompleted as error:
            print(f"{name}: {error}")
        return json.dumps(_without_this_machine((await run.handle.fetch_history()).to_json_dict()), indent=1)


def _without_this_machine(part: Any) -> Any:  # Any: JSON
    """Names of hosts and folders say nothing about decisions, and would make every recording another one."""
    if isinstance(part, list):
        return [_without_this_machine(one) for one in part]
    if isinstance(part, dict):
        return {key: _without_this_machine(one) for key, one in part.items() if key not in {"identity", "stackTrace"}}
    return part


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        documents = Path(folder, "docs")
        documents.mkdir()
        (documents / "sagas.md").write_text("# Sagas\n\nA saga undoes the finished steps of a run in reverse order.\n")
        async with server() as address:
            for name in RECORDED:
                path = HISTORIES / f"{name}.json"
                if not path.exists():
                    path.write_text(await record(name, address) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
