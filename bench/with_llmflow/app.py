"""App of the worker with llmflow. `LLMFLOW_MODELS` names its models.yaml, which has the port of the model."""

from pathlib import Path

from bench.with_llmflow.agent import Orders, OrdersHere
from bench.with_llmflow.alone import Ask, Many, Told
from bench.with_llmflow.tools import look_up, look_up_here
from bench.with_llmflow.workflow import Call, Chain, Fan
from llmflow.app import App

app = App(
    name="bench",
    workflows=[Ask, Call, Chain, Fan, Many, Orders, OrdersHere, Told],
    tools=[look_up, look_up_here],
    prompts=Path(__file__).parent / "prompts",
    passthrough=["bench.schemas"],
)
