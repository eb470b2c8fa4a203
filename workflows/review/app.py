"""App of the review."""

from pathlib import Path

from llmflow.app import App
from workflows.review.tools import publish
from workflows.review.workflow import Review

HERE = Path(__file__).parent

app = App(
    name="review",
    workflows=[Review],
    tools=[publish],
    prompts=HERE / "prompts",
    models=HERE / "models.yaml",
    passthrough=["workflows.review.schemas"],
)
