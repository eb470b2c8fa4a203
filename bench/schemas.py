"""Data of both sides: a customer's mail comes in, a reply goes out."""

from pydantic import BaseModel, ConfigDict, Field


class Mail(BaseModel):
    product: str
    subject: str
    text: str


class Outline(BaseModel):
    """Points of the reply. Closed, as the strict mode of the vendor wants it."""

    model_config = ConfigDict(extra="forbid")

    intent: str = Field(description="what the customer wants, in one sentence")
    tone: str
    points: list[str] = Field(description="what the reply has to say, in this order")


class Reply(BaseModel):
    model_config = ConfigDict(extra="forbid")

    subject: str
    body: str
    confidence: float = Field(ge=0, le=1)
    needs_person: bool


MAIL = Mail(
    product="Fernwood 400 espresso machine",
    subject="Pressure drops after two weeks, second mail",
    text=(
        "Hello, I bought the Fernwood 400 in your Leipzig shop on the third of the month. For two weeks it was lovely. "
        "Since Tuesday the pressure climbs to nine bar, holds for a few seconds and falls to about four, and the "
        "coffee comes out thin and sour. I have descaled it twice with your own descaler, changed the water and tried "
        "two other coffees. I wrote to you on Wednesday and got an automatic answer only. We have guests at the end "
        "of next week, so please tell me soon whether there is something I can do myself, or where I should send it, "
        "and who pays for the parcel. I still have the box and the receipt. Kind regards, Annika Voss"
    ),
)
MAILS = [MAIL.model_copy(update={"subject": f"{MAIL.subject} ({number})"}) for number in range(200)]

OUTLINE = Outline(
    intent="Get a machine that loses pressure working again before guests come next week.",
    tone="warm, direct, a little apologetic",
    points=[
        "Apologise for the automatic answer on Wednesday.",
        "Ask her to clean the shower screen and to run the pump without the portafilter for thirty seconds.",
        "If the pressure still falls, it is the expansion valve: covered by the warranty, the parcel is paid by us.",
        "Offer a machine on loan from the Leipzig shop, so that her guests are safe either way.",
    ],
)

DRAFT = (
    "Dear Ms Voss, I am sorry that a machine answered you on Wednesday; you should have heard from a person. Thank you "
    "for describing it so exactly, it saves us both a round of questions. Please unscrew the shower screen (one screw, "
    "in the middle), rinse it under hot water, and let the pump run for thirty seconds without the portafilter. If the "
    "pressure holds after that, coffee oil was the culprit and you are done. If it still falls, the expansion valve is "
    "worn. That is covered by your warranty: we send you a label, you put the machine into its box, and it is back "
    "within five working days. So that your guests are safe either way, our shop in Leipzig keeps a Fernwood on loan "
    "for you from Monday on; just mention this mail."
)

REPLY = Reply(
    subject="Your Fernwood 400: one thing to try, and a machine on loan",
    body=f"{DRAFT} With kind regards, the Fernwood workshop",
    confidence=0.86,
    needs_person=False,
)


def found_order(number: int) -> str:
    """Return the 4 KB that the tool of the agents says."""
    return f"order {number}: " + "a kettle, sent on Monday, not yet delivered. " * 91
