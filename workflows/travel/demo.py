"""`llmflow demo travel`: the last of three bookings fails, and the other two are undone."""

from llmflow.dev.demos import Demo, ScriptedDecision
from llmflow.types.approvals import Decide
from workflows.travel.app import app
from workflows.travel.schemas import Itinerary, Trip
from workflows.travel.workflow import TravelAgent


def show(itinerary: Itinerary) -> str:
    """Render the choices, and the outcome of each."""
    made = {booking.offer.id: booking.number for booking in (*itinerary.bookings, *itinerary.undone)}
    fate = "cancelled again" if itinerary.failure else "booked"
    lines = [f"# A journey for {itinerary.traveller}", ""]
    lines += [f"**Nothing is booked: {itinerary.failure}.**" if itinerary.failure else "**Everything is booked.**", ""]
    for offer, reason in zip(itinerary.chosen, itinerary.reasons, strict=True):
        became = f"{made[offer.id]}, {fate}" if offer.id in made else "not booked"
        lines.append(f"- **{offer.kind}** {offer.id}, {offer.price} €: {became}  \n  {reason}")
    return "\n".join(lines) + "\n"


demo = Demo(
    app=app,
    about="Three bookings that all stand, or are all undone: here the car is sold out when its turn comes",
    workflow=TravelAgent.run,
    input=Trip(
        traveller="Mia",
        destination="Lisbon",
        text="A direct flight in the morning, a quiet hotel with a family room and breakfast, and a small car with a "
        "child seat.",
    ),
    decisions=[ScriptedDecision(decide=Decide(approval="price", approved=True, by="ana", comment="a fair price"))],
    show=show,
)
