"""App of the travel agent."""

from pathlib import Path

from llmflow.app import App
from workflows.travel.tools import (
    book_car,
    book_flight,
    book_hotel,
    cancel_car,
    cancel_flight,
    cancel_hotel,
    find_offers,
)
from workflows.travel.workflow import TravelAgent

HERE = Path(__file__).parent

app = App(
    name="travel",
    workflows=[TravelAgent],
    tools=[find_offers, book_flight, cancel_flight, book_hotel, cancel_hotel, book_car, cancel_car],
    prompts=HERE / "prompts",
    models=HERE / "models.yaml",
    passthrough=["workflows.travel.schemas"],
)
