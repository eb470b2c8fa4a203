"""App of onboardings."""

from pathlib import Path

from llmflow.app import App
from workflows.onboarding.tools import create_account, order_equipment, send_mail
from workflows.onboarding.workflow import Onboard

HERE = Path(__file__).parent

app = App(
    name="onboarding",
    workflows=[Onboard],
    tools=[send_mail, create_account, order_equipment],
    prompts=HERE / "prompts",
    models=HERE / "models.yaml",
    passthrough=["workflows.onboarding.schemas"],
)
