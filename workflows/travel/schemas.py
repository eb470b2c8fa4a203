"""What the travel agent takes, makes and returns."""

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, Field

Kind = Literal["flight", "hotel", "car"]


class Trip(BaseModel):
    """The input of a run."""

    traveller: str = Field(min_length=1)
    destination: Literal["Lisbon", "Porto"]
    text: str = Field(min_length=3, max_length=2000)
    """What the traveller wishes, in their own words."""
    approver: str = "ana"
    """Who agrees to the price."""
    answer_within: timedelta = timedelta(hours=12)
    """How long the airline and the hotel keep what is booked; no answer within it is a no."""


class Offer(BaseModel):
    """Something that can be booked."""

    id: str
    """Such as `lisbon/hotel-2`."""
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
    """By which the vendor knows it."""
    offer: Offer
    traveller: str


class Quote(BaseModel):
    """What is to be agreed to."""

    traveller: str
    offers: list[Offer]
    total: int
    """Whole euros."""


class Itinerary(BaseModel):
    """The result of a run: everything that was wished for, or nothing."""

    traveller: str
    chosen: list[Offer]
    reasons: list[str]
    """Of the choices, in the same order."""
    bookings: list[Booking]
    """Those that stand: all three, or none."""
    undone: list[Booking]
    """Those that were made and cancelled again."""
    failure: str | None
    """Why nothing is booked."""
