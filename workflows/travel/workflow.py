"""The travel agent: choose, hold what goes fast, ask for the price, book the rest; all of it, or nothing."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from llmflow import flow
from llmflow.errors import ApprovalError, ToolRefused
from workflows.travel.schemas import Booking, Choice, Itinerary, Kind, Offer, Quote, Trip
from workflows.travel.tools import (
    book_car,
    book_flight,
    book_hotel,
    cancel_car,
    cancel_flight,
    cancel_hotel,
    find_offers,
)


@workflow.defn
class TravelAgent:
    """Books a flight, a hotel and a car. Bookings are cancelled again if the rest is not available."""

    @workflow.run
    async def run(self, trip: Trip) -> Itinerary:
        """Book all. Whatever fails or crashes on the way: at the end there are three bookings, or none."""

        async def choose(kind: Kind) -> tuple[Offer, str]:
            return await self.choose(trip, kind)

        kinds: tuple[Kind, ...] = ("flight", "hotel", "car")
        choices = (await flow.fan_out(kinds, choose)).values
        offers = [offer for offer, _ in choices]
        made: list[Booking] = []
        failure = None
        try:
            await self.book(trip, offers, made)
        except (ToolRefused, ApprovalError) as error:
            failure = error.message
        return Itinerary(
            traveller=trip.traveller,
            chosen=offers,
            reasons=[reason for _, reason in choices],
            bookings=[] if failure else made,
            undone=made if failure else [],
            failure=failure,
        )

    async def book(self, trip: Trip, offers: list[Offer], made: list[Booking]) -> None:
        """Book flight and room first, because they sell out, then ask for approval of the price; the car comes last."""
        flight, hotel, car = offers
        async with flow.step("book"), flow.Saga() as saga:
            made.append(await saga.do(book_flight, flight, trip.traveller, undo=cancel_flight))
            made.append(await saga.do(book_hotel, hotel, trip.traveller, undo=cancel_hotel))
            quote = Quote(traveller=trip.traveller, offers=offers, total=sum(offer.price for offer in offers))
            agreed = await flow.approval(
                "price",
                quote,
                timeout=trip.answer_within,
                on_timeout="reject",
                approvers=[trip.approver],
                details=_details(quote),
            )
            agreed.require()
            made.append(await saga.do(book_car, car, trip.traveller, undo=cancel_car))

    async def choose(self, trip: Trip, kind: Kind) -> tuple[Offer, str]:
        """Choose the offer that suits best, with a reason. A model that names an unknown offer is corrected once."""
        offers = {offer.id: offer for offer in await flow.call_tool(find_offers, kind, trip.destination)}
        asked = {"kind": kind, "wish": trip.text, "offers": list(offers.values())}
        messages: list[flow.Message] = []
        for _ in range(2):
            choice = await flow.complete("travel/choose", asked, output=Choice, messages=messages)
            if choice.output.offer_id in offers:
                return offers[choice.output.offer_id], choice.output.reason
            complaint = f"There is no offer {choice.output.offer_id}. Choose one of: {', '.join(offers)}."
            messages = [flow.Message.assistant(choice.text), flow.Message.user(complaint)]
        raise ApplicationError(f"the model chose no {kind} of those that there are", type="NoOffer", non_retryable=True)


def _details(quote: Quote) -> str:
    """Format the price for the approver."""
    lines = [f"- {offer.text} **{offer.price} €**" for offer in quote.offers]
    return "\n".join([f"{quote.traveller} travels for **{quote.total} €** in all", "", *lines])
