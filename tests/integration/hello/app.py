"""The App of the tests."""

from pathlib import Path

from llmflow.app import App
from tests.integration.hello import tools
from tests.integration.hello.workflows import (
    Asked,
    Both,
    Caught,
    Family,
    Large,
    Long,
    Odd,
    Parallel,
    Patient,
    Pictures,
    Rendered,
    Steps,
    Tools,
    Typed,
)

HERE = Path(__file__).parent

app = App(
    name="hello",
    workflows=[
        Asked,
        Both,
        Caught,
        Family,
        Large,
        Long,
        Odd,
        Parallel,
        Patient,
        Pictures,
        Rendered,
        Steps,
        Tools,
        Typed,
    ],
    tools=[
        tools.locate,
        tools.thread_name,
        tools.refuse,
        tools.stumble,
        tools.repeat,
        tools.missing_within,
        tools.own_error,
    ],
    prompts=HERE / "prompts",
    models=HERE / "models.yaml",
    passthrough=["tests.integration.hello.schemas"],
)
