"""App of the claims desk."""

from pathlib import Path

from llmflow.app import App
from workflows.claims.tools import (
    announce_payment,
    list_letters,
    pay_claim,
    read_letter,
    release_money,
    reserve_money,
    withdraw_letter,
)
from workflows.claims.workflow import ClaimsDesk

HERE = Path(__file__).parent

app = App(
    name="claims",
    workflows=[ClaimsDesk],
    tools=[
        list_letters,
        read_letter,
        reserve_money,
        release_money,
        announce_payment,
        withdraw_letter,
        pay_claim,
    ],
    prompts=HERE / "prompts",
    models=HERE / "models.yaml",
    passthrough=["workflows.claims.schemas"],
)
