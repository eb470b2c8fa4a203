"""App of the letters desk."""

from pathlib import Path

from llmflow.app import App
from workflows.patterns.workflow import LettersDesk

HERE = Path(__file__).parent

app = App(
    name="patterns",
    workflows=[LettersDesk],
    prompts=HERE / "prompts",
    models=HERE / "models.yaml",
    passthrough=["workflows.patterns.schemas"],
)
