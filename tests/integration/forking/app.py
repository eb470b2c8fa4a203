"""The App of the tests of forks."""

from pathlib import Path

from llmflow.app import App
from tests.integration.forking.tools import archive, pay, publish, refund, release, reserve
from tests.integration.forking.workflows import (
    Article,
    Chapters,
    Claims,
    Hesitant,
    Many,
    Payout,
    Plain,
    Relay,
    Rounds,
    Transfer,
    Waiting,
    Write,
)

app = App(
    name="forking",
    workflows=[Article, Chapters, Claims, Hesitant, Many, Payout, Plain, Relay, Rounds, Transfer, Waiting, Write],
    tools=[archive, pay, publish, refund, release, reserve],
    prompts=Path(__file__).parent / "prompts",
    passthrough=["tests.integration.forking.schemas"],
)
