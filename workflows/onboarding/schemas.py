"""Data of an onboarding."""

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, Field

System = Literal["mail", "chat", "code"]


class Hire(BaseModel):
    """The input of a run."""

    name: str = Field(min_length=1)
    role: str = Field(min_length=1)
    manager: str = "ana"
    """Person who approves orders."""
    lead: str = "kai"
    """Person who is asked when the manager misses the deadline."""
    text: str = Field(min_length=3, max_length=4000)
    """First week, in the manager's words."""
    systems: list[System] = ["mail", "chat", "code"]
    """Systems in which they need an account."""
    answer_within: timedelta = timedelta(days=2)
    """Deadline of manager and lead, each."""
    check_after: timedelta = timedelta(days=5)
    """Time until they are asked about their first week."""


class Acceptance(BaseModel):
    """Form with which the new colleague accepts the offer."""

    needs: list[str] = Field(min_length=1, max_length=5, description="What you need to work, such as a laptop")


class FirstWeek(BaseModel):
    """Form for the end of the first week."""

    missing: list[str] = Field(default=[], max_length=5, description="What is still missing; empty if nothing is")


class Account(BaseModel):
    """An account that was created."""

    system: System
    login: str


class Order(BaseModel):
    """Equipment that was ordered."""

    number: str
    items: list[str]


class Letter(BaseModel):
    """The welcome letter."""

    lines: list[str] = Field(min_length=1, max_length=5, description="What awaits them, a sentence each")


class Journey(BaseModel):
    """Facts collected on the way, and the result of a run."""

    hire: Hire
    ended: Literal["done", "lapsed"] | None = None
    """`lapsed`: the offer was declined, or never answered."""
    reminders: int = 0
    """Number of times that the offer was sent again."""
    needs: list[str] = []
    """Equipment to order next."""
    accounts: list[Account] = []
    orders: list[Order] = []
    checks: int = 0
    """Number of times that they named missing equipment."""
    refused: list[str] = []
    """Equipment that was not approved."""
    letter: Letter | None = None
