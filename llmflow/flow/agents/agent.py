"""An agent as data: a prompt, a model, tools, handoffs and the type of its answer."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal

from pydantic import JsonValue
from typing_extensions import TypeForm, TypeVar

from llmflow.flow.agents.offers import AnyOffer, Offer, offered
from llmflow.flow.arguments import invalid
from llmflow.types.calls import CallOptions
from llmflow.types.models import ModelOptions
from llmflow.types.prompts import Prompt

T = TypeVar("T", default=str)

MAX_TURNS = 20
"""Turns of an agent that says no other number: answers of its model."""
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,50}")


@dataclass(frozen=True)
class Agent(Generic[T]):
    """An agent: `flow.run_agent(agent, "Where is my order?")` runs it.

    ```python
    support = flow.Agent(
        "support", prompt="helpdesk/support", tools=[find_order, flow.agents.approved(refund)], output=Reply
    )
    ```
    """

    name: str
    """Name of its step in a run, and of the tool by which others hand over to it: letters, digits, `_` and `-`."""
    prompt: str | Prompt
    """Prompt with its instructions: name, or a `flow.Prompt`. Its model is the agent's unless `model` is given."""
    output: TypeForm[T] = field(default=str, kw_only=True)  # pyright: ignore[reportAssignmentType]  # the default of T
    """Type of its answer; text by default."""
    model: str | None = field(default=None, kw_only=True)
    """Alias of models.yaml or `provider:model`, instead of the prompt's own."""
    tools: Sequence[AnyOffer] = field(default=(), kw_only=True)
    """Tools that its model may call."""
    handoffs: "Sequence[AnyHandoff] | Callable[[], Sequence[AnyHandoff]]" = field(default=(), kw_only=True)
    """Agents that it may hand over to. A function returns them where two agents hand over to each other."""
    description: str = field(default="", kw_only=True)
    """Its subject, for agents that hand over to it or ask it."""
    max_turns: int = field(default=MAX_TURNS, kw_only=True)
    """Limit on the answers of its model, before `TurnsExceeded`."""
    options: ModelOptions | None = field(default=None, kw_only=True)
    call: CallOptions | None = field(default=None, kw_only=True)
    repairs: int = field(default=1, kw_only=True)
    """See `flow.complete`."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise invalid("name", f"agent name {self.name!r}: use at most 50 letters, digits, `_` and `-`")
        if agents := [one.name for one in self.tools if isinstance(one, Agent)]:
            raise invalid(
                "tools", f"agent {agents[0]!r} is no tool: give flow.agents.agent_tool({agents[0]}), or a handoff"
            )
        if self.max_turns < 1:
            raise invalid("max_turns", f"max_turns={self.max_turns}: give 1 or more")

    def offers(self) -> dict[str, Offer]:
        """Return the tools by the names that the model sees.

        Raises:
            InputInvalid: two have the same name.
        """
        return _by_name(self.name, map(offered, self.tools))

    def hands_over_to(self) -> "list[Handoff]":
        """Return its handoffs."""
        listed = self.handoffs() if callable(self.handoffs) else self.handoffs
        return [one if isinstance(one, Handoff) else Handoff(one) for one in listed]


AnyAgent = Agent[Any]  # Any: agents with answers of every type


@dataclass(frozen=True)
class Handoff:
    """A way from one agent to another, which goes on with the conversation."""

    agent: AnyAgent
    data: type | None = field(default=None, kw_only=True)
    """Type of what the model has to say with the handoff, such as a pydantic model; by default its reason, a text."""
    when: Callable[[], bool] | None = field(default=None, kw_only=True)
    """Condition, asked before each turn: the model sees no handoff that is not possible. It is workflow code."""
    keeps: Literal["all", "none"] | int = field(default="all", kw_only=True)
    """The part of the conversation that the other agent reads: everything, nothing, or the last turns."""
    variables: Callable[[Mapping[str, JsonValue]], object] | None = field(default=None, kw_only=True)
    """Makes the variables of the other agent's prompt from the handoff's data. By default it has those that it had when
    it was asked before, or none."""

    def __post_init__(self) -> None:
        if isinstance(self.keeps, int) and self.keeps < 1:
            raise invalid("keeps", f"keeps={self.keeps}: give `all`, `none`, or 1 or more turns")

    @property
    def name(self) -> str:
        """Name of the tool that hands over."""
        return f"transfer_to_{self.agent.name}"


AnyHandoff = Handoff | AnyAgent


def _by_name(agent: str, offers: Any) -> dict[str, Offer]:  # Any: an iterable of offers
    found: dict[str, Offer] = {}
    for offer in offers:
        if offer.name in found:
            raise invalid("tools", f"agent {agent!r} has two tools {offer.name!r}: rename one with flow.agents.renamed")
        found[offer.name] = offer
    return found
