"""The App of the tests."""

from pathlib import Path

from llmflow.app import App
from tests.integration.hello import tools
from tests.integration.hello.workflows import (
    Asked,
    Both,
    Brood,
    Caught,
    Count,
    Family,
    Heard,
    Impatient,
    Large,
    Long,
    Odd,
    Parallel,
    Patient,
    Pictures,
    Relay,
    Rendered,
    Rounds,
    Steps,
    Sum,
    Tools,
    Typed,
)

HERE = Path(__file__).parent

app = App(
    name="hello",
    workflows=[
        Asked,
        Both,
        Brood,
        Caught,
        Count,
        Family,
        Heard,
        Impatient,
        Rounds,
        Large,
        Long,
        Odd,
        Parallel,
        Patient,
        Pictures,
        Relay,
        Rendered,
        Steps,
        Sum,
        Tools,
        Typed,
    ],
    tools=[
        tools.locate,
        tools.thread_name,
        tools.refuse,
        tools.stumble,
        tools.rant,
        tools.repeat,
        tools.missing_within,
        tools.own_error,
    ],
    prompts=HERE / "prompts",
    models=HERE / "models.yaml",
    passthrough=["tests.integration.hello.schemas"],
)
