"""The App of the tests."""

from pathlib import Path

from llmflow.app import App
from tests.integration.hello.workflows import (
    Asked,
    Caught,
    Large,
    Parallel,
    Patient,
    Pictures,
    Rendered,
    Steps,
    Typed,
)

HERE = Path(__file__).parent

app = App(
    name="hello",
    workflows=[Asked, Caught, Large, Parallel, Patient, Pictures, Rendered, Steps, Typed],
    prompts=HERE / "prompts",
    models=HERE / "models.yaml",
    passthrough=["tests.integration.hello.schemas"],
)
