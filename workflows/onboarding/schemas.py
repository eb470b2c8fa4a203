"""What an onboarding takes, makes and returns."""

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, Field

System = Literal["mail", "chat", "code"]


class Hire(BaseModel):
    """The input of a run."""

    name: str = Field(min_length=1)
    role: str = Field(min_length=1)
    manager: str = "ana"
    """Who agrees to what is ordered."""
    lead: str = "kai"
    """Who is asked when the manager does not answer in time."""
    text: str = Field(min_length=3, max_length=4000)
    """What awaits them, in the manager's words."""
    systems: list[System] = ["mail", "chat", "code"]
    """Where they need an account."""
    answer_within: timedelta = timedelta(days=2)
    """How long manager and lead have."""
    check_after: timedelta = timedelta(days=5)
    """When they are asked how their first week was."""


class Acceptance(BaseModel):
    """What the new colleague fills in to accept the offer."""

    needs: list[str] = Field(min_length=1, max_length=5, description="What you need to work, such as a laptop")


class FirstWeek(BaseModel):
    """What they fill in at the end of the first week."""

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
    """What is known on the way, and the result of a run."""

    hire: Hire
    ended: Literal["done", "lapsed"] | None = None
    """`lapsed`: the offer was declined, or never answered."""
    reminders: int = 0
    """How often the offer was sent again."""
    needs: list[str] = []
    """What is to be ordered next."""
    accounts: list[Account] = []
    orders: list[Order] = []
    checks: int = 0
    """How often they said what is missing."""
    refused: list[str] = []
    """What nobody agreed to order."""
    letter: Letter | None = None
