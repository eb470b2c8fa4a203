"""Data of the claims desk. Amounts are whole cents; models copy them as they are written."""

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, Field

Kind = Literal["water", "storm", "theft", "glass"]
Status = Literal["paid", "rejected"]


class Folder(BaseModel):
    """The input of a run."""

    documents: str = Field(min_length=1)
    """Folder of the letters, a claim in each; relative to the folder that the worker may read."""
    limit: int = Field(default=50_000, ge=0)
    """Cents up to which no approval is needed."""
    adjusters: list[str] = ["ida", "jon"]
    """People who approve larger payments."""
    answer_within: timedelta = timedelta(days=2)
    """Time that they have for each; then the claim is rejected."""


class Letter(BaseModel):
    """A letter to the claims desk."""

    path: str
    text: str


class Job(BaseModel):
    """One letter of a run."""

    folder: Folder
    path: str


class Sorted(BaseModel):
    """Kind of the damage."""

    kind: Kind = Field(description="The damage that the letter is about")


class Facts(BaseModel):
    """Facts of a claim, copied from the letter."""

    number: str = Field(pattern=r"^C-\d{4}$", description="Number of the claim, such as C-1001")
    account: str = Field(pattern=r"^DE\d{20}$", description="Account for the payment")
    amount: str = Field(pattern=r"^\d{1,6}\.\d{2} EUR$", description="Amount of the damage, such as 120.00 EUR")

    @property
    def cents(self) -> int:
        """Amount in cents."""
        return int(self.amount.removesuffix(" EUR").replace(".", ""))


class Approval(BaseModel):
    """Form for the adjuster of a claim above the limit."""

    cents: int = Field(gt=0, description="Cents to pay")
    reason: str = Field(min_length=3, description="For the file, in a few words")


class Claim(BaseModel):
    """A claim that may be paid."""

    number: str
    account: str
    cents: int


class Settled(BaseModel):
    """A claim that was decided."""

    number: str
    kind: Kind
    status: Status
    cents: int = 0
    """Cents that were paid."""
    decided_by: str = "the limit"


class Unsettled(BaseModel):
    """A letter that needs a person."""

    path: str
    reason: str


class Summary(BaseModel):
    """Summary of the day."""

    text: str = Field(description="Two sentences for the head of the claims desk")


class Report(BaseModel):
    """The result of a run."""

    letters: int
    settled: list[Settled]
    unsettled: list[Unsettled]
    summary: str

    @property
    def paid(self) -> int:
        """Cents that were paid in all."""
        return sum(one.cents for one in self.settled)
