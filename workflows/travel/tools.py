"""Tools of the travel agent: search, book, and cancel bookings."""

from llmflow.tools import idempotency_key, tool
from workflows.travel import vendors
from workflows.travel.schemas import Booking, Kind, Offer


@tool
def find_offers(kind: Kind, destination: str) -> list[Offer]:
    """Find what can be booked at a destination."""
    return vendors.offers(kind, destination)


@tool
def book_flight(offer: Offer, traveller: str) -> Booking:
    """Book a flight."""
    return vendors.book(idempotency_key(), offer, traveller)


@tool
def cancel_flight(offer: Offer, traveller: str) -> str:
    """Cancel a flight, if it was booked."""
    return vendors.cancel(idempotency_key(), offer, traveller)


@tool
def book_hotel(offer: Offer, traveller: str) -> Booking:
    """Book a hotel."""
    return vendors.book(idempotency_key(), offer, traveller)


@tool
def cancel_hotel(offer: Offer, traveller: str) -> str:
    """Cancel a hotel, if it was booked."""
    return vendors.cancel(idempotency_key(), offer, traveller)


@tool
def book_car(offer: Offer, traveller: str) -> Booking:
    """Book a car."""
    return vendors.book(idempotency_key(), offer, traveller)


@tool
def cancel_car(offer: Offer, traveller: str) -> str:
    """Cancel a car, if it was booked."""
    return vendors.cancel(idempotency_key(), offer, traveller)
