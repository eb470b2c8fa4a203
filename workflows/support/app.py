"""App of customer support."""

from pathlib import Path

from llmflow.app import App
from workflows.support.tools import find_order, pay_refund, search_handbook
from workflows.support.workflow import CustomerSupport

HERE = Path(__file__).parent

app = App(
    name="support",
    workflows=[CustomerSupport],
    tools=[search_handbook, find_order, pay_refund],
    prompts=HERE / "prompts",
    models=HERE / "models.yaml",
    passthrough=["workflows.support.schemas"],
)
