"""`--log-level` of `llmflow worker` and `llmflow dev`: what is logged, and that it never shows a key."""

import signal
from pathlib import Path
from uuid import uuid4

import pytest

from llmflow.client import Client, connect
from tests.helpers.command_line import ROOT, environ, started
from tests.helpers.model_server import ModelServer, Reply
from tests.integration.errands import Errand, Greet

APP = "tests.integration.errands:app"
KEY = "sk-planted-0a4b7723e1"
MODELS = """
providers:
  openai: {api: chat, key: OPENAI_API_KEY, base_url: "URL"}
models:
  smart: ["openai:gpt-5.4"]
  fast: smart
"""
REQUEST = "openai:gpt-5.4 answered in"
END = "finishing in-flight calls"


@pytest.mark.parametrize(
    ("options", "request_is_said", "end_is_said"),
    [
        (("--log-level", "debug"), True, True),
        (("--log-level", "INFO"), True, True),
        ((), False, True),
        (("--log-level", "error"), False, False),
    ],
)
async def test_levels(
    temporal: str, tmp_path: Path, options: tuple[str, ...], request_is_said: bool, end_is_said: bool
) -> None:
    queue = f"logs-{uuid4()}"
    async with ModelServer(Reply.text("hello")) as vendor:
        (tmp_path / "models.yaml").write_text(MODELS.replace("URL", vendor.url))
        env = environ(
            TEMPORAL_ADDRESS=temporal,
            LLMFLOW_HOME=str(tmp_path),
            LLMFLOW_MODELS=str(tmp_path / "models.yaml"),
            OPENAI_API_KEY=KEY,
        )
        async with started("worker", "--app", APP, "--task-queue", queue, *options, cwd=ROOT, env=env) as worker:
            await worker.says("Ctrl-C stops it")
            client = Client((await connect(address=temporal)).temporal, queue)
            await (await client.start(Greet.run, Errand(who="ana"), id=str(uuid4()))).result()
            done = await worker.done(signal.SIGTERM)
    assert vendor.count == 1
    assert (done.code, done.out) == (0, "")
    assert (REQUEST in done.err) is request_is_said
    assert (END in done.err) is end_is_said
    assert ("DEBUG" in done.err) is ("debug" in options)
    assert KEY not in done.err
