"""Data of customer support. Amounts are whole euros."""

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, Field

Topic = Literal["question", "refund", "complaint"]


class Ticket(BaseModel):
    """The input of a run."""

    customer: str = Field(min_length=1)
    text: str = Field(min_length=3, max_length=4000)
    """Message of the customer."""
    refund_limit: int = Field(default=50, ge=0)
    """Amount up to which no approval is needed."""
    agents: list[str] = ["sam", "kim"]
    """Agents who approve refunds, and answer complaints."""
    lead: str = "lena"
    """Lead who is asked when no agent decides before the deadline."""
    answer_within: timedelta = timedelta(hours=4)
    """Deadline of agents and lead, each."""


class Triage(BaseModel):
    """Request of the customer."""

    topic: Topic = Field(
        description="`refund` if they want money back, `complaint` if they are unhappy and want to be heard, else "
        "`question`"
    )


class Reply(BaseModel):
    """Reply to the customer."""

    text: str = Field(description="Two to four sentences, friendly and to the point")
    sources: list[str] = Field(max_length=3, description="Ids of the passages it rests on, without brackets")


class Claim(BaseModel):
    """Refund request of the customer."""

    order: str = Field(pattern=r"^[A-Z]-\d{4}$", description="Number of the order, such as A-1042")
    reason: str = Field(description="Why, in one sentence")


class Order(BaseModel):
    """An order, as the shop knows it."""

    number: str
    customer: str
    item: str
    paid: int


class RefundForm(BaseModel):
    """Form for the approver of a refund."""

    amount: int = Field(gt=0, description="Whole euros to pay back")
    reason: str = Field(min_length=3, description="For the books, in a few words")


class ReplyForm(BaseModel):
    """Form for the answer to a complaint."""

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
    """Passages of the handbook that the reply rests on."""
    refund: Receipt | None = None
    decided_by: list[str] = []
    """People who decided."""
