"""The App of the tests of forks."""

from pathlib import Path

from llmflow.app import App
from tests.integration.forking.tools import publish
from tests.integration.forking.workflows import Article, Chapters, Many, Plain, Relay, Waiting, Write

app = App(
    name="forking",
    workflows=[Article, Chapters, Many, Plain, Relay, Waiting, Write],
    tools=[publish],
    prompts=Path(__file__).parent / "prompts",
    passthrough=["tests.integration.forking.schemas"],
)
