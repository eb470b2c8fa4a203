"""Data of the travel agent."""

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, Field

Kind = Literal["flight", "hotel", "car"]


class Trip(BaseModel):
    """The input of a run."""

    traveller: str = Field(min_length=1)
    destination: Literal["Lisbon", "Porto"]
    text: str = Field(min_length=3, max_length=2000)
    """Wishes of the traveller, in their own words."""
    approver: str = "ana"
    """Person who approves the price."""
    answer_within: timedelta = timedelta(hours=12)
    """Time for which airline and hotel keep a booking; without a decision by then, it is undone."""


class Offer(BaseModel):
    """Something that can be booked."""

    id: str
    """Id such as `lisbon/hotel-2`."""
    kind: Kind
    destination: str
    text: str
    price: int
    """Whole euros."""


class Choice(BaseModel):
    """The offer that suits the traveller best."""

    offer_id: str = Field(description="Id of one of the offers, without brackets")
    reason: str = Field(description="Why, in a sentence that the traveller understands")


class Booking(BaseModel):
    """An offer that somebody has booked."""

    number: str
    """Number of the booking at the vendor."""
    offer: Offer
    traveller: str


class Quote(BaseModel):
    """Price to approve."""

    traveller: str
    offers: list[Offer]
    total: int
    """Whole euros."""


class Itinerary(BaseModel):
    """Result of a run: everything that was requested, or nothing."""

    traveller: str
    chosen: list[Offer]
    reasons: list[str]
    """Offers of the choices, in the same order."""
    bookings: list[Booking]
    """Active bookings: all three, or none."""
    undone: list[Booking]
    """Bookings that were made and cancelled again."""
    failure: str | None
    """Reason if nothing is booked."""
