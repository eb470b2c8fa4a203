"""The travel agent: three bookings that all stand, or are all undone."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from llmflow.client import Run
from llmflow.errors import RunNotCompleted, ToolRefused
from llmflow.testing import ScriptedProvider, activities_of, assert_replays, environment
from llmflow.types.models import ModelRequest
from tests.helpers.waiting import until
from workflows.travel import vendors
from workflows.travel.app import app
from workflows.travel.schemas import Choice, Itinerary, Trip
from workflows.travel.workflow import TravelAgent

PORTO = Trip(traveller="Mia", destination="Porto", text="A quiet week by the river.")
LISBON = PORTO.model_copy(update={"destination": "Lisbon"})
BOOKED = ["book/book_flight/book_flight#1", "book/book_hotel/book_hotel#1"]

Rows = Callable[[], dict[str, str]]


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rows:
    """Offer -> status, as the vendors have it."""
    monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path))

    def read() -> dict[str, str]:
        with closing(sqlite3.connect(tmp_path / "travel.db")) as file:
            found = file.execute("SELECT offer, status FROM bookings").fetchall()
        assert len(dict(found)) == len(found), "an offer is booked once"
        return dict(found)

    return read


def first_offer(request: ModelRequest) -> Choice:
    """Chooses the first of the offers."""
    found = re.search(r"\[(\S+/\S+)\]", request.messages[-1].text)
    assert found
    return Choice(offer_id=found[1], reason="It suits you.")


async def asked(run: Run[Itinerary]) -> str:
    """Wait for the question of the price; its details."""
    return await until(lambda: _details(run))


async def _details(run: Run[Itinerary]) -> str:
    return next((one.details for one in (await run.approvals()).questions if one.status == "open"), "")


async def test_three_bookings_stand_when_the_price_is_agreed_to(temporal: str, rows: Rows) -> None:
    async with environment(app, ScriptedProvider(first_offer), address=temporal) as env:
        run = await env.client.start(TravelAgent.run, PORTO, id=env.id())
        assert "**873 €** in all" in await asked(run)
        assert set(rows()) == {"porto/flight-1", "porto/hotel-1"}, "what goes fast is held before anybody is asked"
        await run.approve("price", by="ana")

        itinerary = await run.result()
        assert (itinerary.failure, itinerary.undone) == (None, [])
        assert [booking.offer.kind for booking in itinerary.bookings] == ["flight", "hotel", "car"]
        assert rows() == dict.fromkeys(["porto/flight-1", "porto/hotel-1", "porto/car-1"], "booked")
        assert (await activities_of(run))[-4:] == [*BOOKED, "book/reach#1", "book/book_car/book_car#1"]
        assert {one.status for one in (await run.progress()).compensations} == {"not needed"}
        await assert_replays(run, app)


async def test_a_car_that_is_sold_out_undoes_the_flight_and_the_hotel(temporal: str, rows: Rows) -> None:
    async with environment(app, ScriptedProvider(first_offer), address=temporal) as env:
        run = await env.client.start(TravelAgent.run, LISBON, id=env.id())
        await asked(run)
        await run.approve("price", by="ana")

        itinerary = await run.result()
        assert (itinerary.bookings, itinerary.failure) == ([], "lisbon/car-1 is sold out")
        assert [booking.offer.id for booking in itinerary.undone] == ["lisbon/flight-1", "lisbon/hotel-1"]
        assert rows() == {
            "lisbon/flight-1": "cancelled",
            "lisbon/hotel-1": "cancelled",
            "lisbon/car-1": "never booked",
        }
        assert [name.rpartition("/")[2] for name in (await activities_of(run))[-3:]] == [
            *("cancel_car#1", "cancel_hotel#1", "cancel_flight#1")
        ]
        assert [one.status for one in (await run.progress()).compensations] == ["undone"] * 3
        await assert_replays(run, app)


async def test_a_price_that_is_rejected_undoes_what_was_held(temporal: str, rows: Rows) -> None:
    async with environment(app, ScriptedProvider(first_offer), address=temporal) as env:
        run = await env.client.start(TravelAgent.run, PORTO, id=env.id())
        await asked(run)
        await run.reject("price", by="ana", comment="too much")

        itinerary = await run.result()
        assert itinerary.failure == "ana rejected `price`: too much"
        assert rows() == {"porto/flight-1": "cancelled", "porto/hotel-1": "cancelled"}
        await assert_replays(run, app)


async def test_a_price_that_nobody_agrees_to_in_time_undoes_it_too(temporal: str, rows: Rows) -> None:
    model = ScriptedProvider(first_offer)
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(TravelAgent.run, PORTO, id=env.id())
        await asked(run)
        await env.skip(run, timedelta(hours=12))

        assert "no decision within 12 h" in str((await run.result()).failure)
        assert rows() == {"porto/flight-1": "cancelled", "porto/hotel-1": "cancelled"}


async def test_a_model_that_names_no_offer_is_told_once(temporal: str, rows: Rows) -> None:
    model = ScriptedProvider(lambda _: Choice(offer_id="mars/flight-1", reason="Nice."))
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(TravelAgent.run, PORTO, id=env.id())

        with pytest.raises(RunNotCompleted, match=r"NoOffer: the model chose no (flight|hotel|car)"):
            await run.result()
    complaints = [one.messages[-1].text for one in model.requests if len(one.messages) > 2]
    assert "There is no offer mars/flight-1. Choose one of: porto/flight-1." in complaints


def test_a_key_is_one_booking_and_once_cancelled_none(rows: Rows) -> None:
    [flight] = vendors.offers("flight", "Porto")
    assert vendors.book("a", flight, "Mia") == vendors.book("a", flight, "Mia")
    assert [vendors.cancel("a", flight, "Mia"), vendors.cancel("a", flight, "Mia")] == ["cancelled", "cancelled"]
    with pytest.raises(ToolRefused, match="was cancelled"):
        vendors.book("a", flight, "Mia")
    assert rows() == {"porto/flight-1": "cancelled"}


def test_a_booking_that_arrives_after_its_cancellation_is_refused(rows: Rows) -> None:
    [car] = vendors.offers("car", "Porto")
    assert vendors.cancel("b", car, "Mia") == "never booked"
    with pytest.raises(ToolRefused, match="was cancelled"):
        vendors.book("b", car, "Mia")
    assert rows() == {"porto/car-1": "never booked"}
