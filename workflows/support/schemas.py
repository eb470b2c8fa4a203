"""What customer support takes, makes and returns. Amounts are whole euros."""

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, Field

Topic = Literal["question", "refund", "complaint"]


class Ticket(BaseModel):
    """The input of a run."""

    customer: str = Field(min_length=1)
    text: str = Field(min_length=3, max_length=4000)
    """What the customer writes."""
    refund_limit: int = Field(default=50, ge=0)
    """Up to here nobody is asked."""
    agents: list[str] = ["sam", "kim"]
    """Who may agree to a refund, and answers complaints."""
    lead: str = "lena"
    """Who is asked when none of them answers in time."""
    answer_within: timedelta = timedelta(hours=4)
    """How long each of them has."""


class Triage(BaseModel):
    """What the customer wants."""

    topic: Topic = Field(
        description="`refund` if they want money back, `complaint` if they are unhappy and want to be heard, else "
        "`question`"
    )


class Reply(BaseModel):
    """What is written to the customer."""

    text: str = Field(description="Two to four sentences, friendly and to the point")
    sources: list[str] = Field(max_length=3, description="Ids of the passages it rests on, without brackets")


class Claim(BaseModel):
    """What the customer wants back."""

    order: str = Field(pattern=r"^[A-Z]-\d{4}$", description="Number of the order, such as A-1042")
    reason: str = Field(description="Why, in one sentence")


class Order(BaseModel):
    """An order, as the shop knows it."""

    number: str
    customer: str
    item: str
    paid: int


class RefundForm(BaseModel):
    """What whoever agrees to a refund fills in."""

    amount: int = Field(gt=0, description="Whole euros to pay back")
    reason: str = Field(min_length=3, description="For the books, in a few words")


class ReplyForm(BaseModel):
    """What whoever answers a complaint fills in."""

    text: str = Field(min_length=3, description="What is written to the customer")


class Receipt(BaseModel):
    """Money that was paid back."""

    number: str
    order: str
    amount: int


class Solved(BaseModel):
    """The result of a run."""

    topic: Topic
    reply: str
    sources: list[str] = []
    """The passages of the handbook that the reply rests on."""
    refund: Receipt | None = None
    decided_by: list[str] = []
    """The people who were asked, and said yes or no."""
