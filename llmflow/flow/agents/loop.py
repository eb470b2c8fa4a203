"""`flow.run_agent`: a loop of completions and tool calls, until an answer of the agent's type."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, cast

from pydantic_core import to_json
from typing_extensions import TypeVar

from llmflow.errors import AgentStuck, ErrorDetail, TurnsExceeded
from llmflow.flow.agents.agent import Agent, AnyAgent, Handoff
from llmflow.flow.agents.calls import AgentCalls
from llmflow.flow.agents.handoffs import HandedOver, handed_over, transfer
from llmflow.flow.agents.offers import Offer
from llmflow.flow.arguments import invalid
from llmflow.flow.completions.complete import Completion, Offered, completion
from llmflow.flow.completions.output import output_of
from llmflow.flow.conversations.conversation import Conversation
from llmflow.flow.prompts import Variables
from llmflow.flow.run import current
from llmflow.flow.steps import recorded
from llmflow.types.messages import Message
from llmflow.types.usage import Cost, Usage

T = TypeVar("T", default=str)

MAX_HANDOFFS = 10
"""Handoffs of one run of an agent: more of them are a loop."""
MAX_REPEATS = 3
"""Turns in a row with the same calls."""
MAX_FAILURES = 5
"""Turns in a row in which every call failed."""

Input = str | Message | Sequence[Message]


@dataclass(frozen=True, kw_only=True)
class AgentResult(Generic[T]):
    """The answer of an agent, with what it took."""

    output: T
    """Its answer, in the type of the agent that gave it."""
    agent: str
    """Name of the agent that answered: after a handoff, another one."""
    turns: int
    """Answers of models, those of all agents of the conversation included."""
    conversation: Conversation
    """The conversation: continue it with `flow.run_agent(agent, "...", conversation=...)`."""
    usage: Usage
    cost: Cost
    """Cost of the models' answers; `usd` is `None` if the price of one is unknown."""


@dataclass
class _Spent:
    turns: int = 0
    usage: Usage = field(default_factory=Usage)
    cost: Cost | None = None

    def count(self, answer: Completion[Any]) -> None:  # Any: of every type
        self.turns += 1
        self.usage += answer.usage
        self.cost = self.cost.plus(answer.cost) if self.cost else answer.cost


async def run_agent(
    agent: Agent[T],
    input: Input = (),
    *,
    variables: Variables = None,
    conversation: Conversation | None = None,
) -> AgentResult[T]:
    """Run an agent until it answers: `result = await flow.run_agent(support, "Where is my order?")`.

    Each answer of the model and each tool call is an activity of its own, in a step with the agent's name. What fails
    in a tool, arguments that do not fit, and calls that people reject go to the model as the call's result.

    Args:
        agent: The agent.
        input: Text of the user, a message, or several; none if the prompt says it all.
        variables: Values for the agent's prompt.
        conversation: Conversation to continue; a new one by default, with the agent's name.

    Raises:
        TurnsExceeded: the agent used up its turns; `detail.conversation` has the head of what was said.
        AgentStuck: it repeats the same calls, all its calls fail, or agents hand over to each other in a circle.
        OutputInvalid, ProviderError, PromptError, BudgetExceeded, StoreUnavailable: see `flow.complete`.
        ConversationLost: the store does not have what was said.
    """
    talk = conversation or Conversation(current().conversations.begin(agent.name, None), None)
    spent, active = _Spent(), cast(AnyAgent, agent)
    begin, known = _Begin(variables, _messages(input)), {agent.name: variables}
    for _ in range(MAX_HANDOFFS + 1):
        async with recorded(active.name, total=None):
            ended = await _Work(active, talk, spent).done(begin)
        if not isinstance(ended, HandedOver):
            return AgentResult(
                output=cast(T, ended.output),
                agent=active.name,
                turns=spent.turns,
                conversation=talk,
                usage=spent.usage,
                cost=cast(Cost, spent.cost),
            )
        address = current().steps.address(ended.handoff.name)
        why = to_json(ended.data).decode()
        current().events.handed_off(address, agent=active.name, to=ended.handoff.agent.name, why=why)
        active = ended.handoff.agent
        known[active.name] = given = ended.variables if ended.handoff.variables else known.get(active.name, {})
        begin = _Begin(given, ended.messages, ended.begin(talk))
    raise AgentStuck(
        f"agent {agent.name!r}: after {MAX_HANDOFFS} handoffs, {active.name!r} is asked: do they go round in circles?",
        _kept(talk),
    )


def _messages(input: Input) -> Sequence[Message]:
    if isinstance(input, str):
        return (Message.user(input),) if input else ()
    return (input,) if isinstance(input, Message) else input


@dataclass(frozen=True)
class _Begin:
    """Beginning of an agent's work."""

    variables: Variables = None
    messages: Sequence[Message] = ()
    turns: int | None = None
    """Number of last turns that it reads of a conversation that was handed over; `None` for all."""


@dataclass(frozen=True)
class _Work:
    """The work of one agent, until it answers or hands over."""

    agent: AnyAgent
    talk: Conversation
    spent: _Spent

    async def done(self, begin: _Begin) -> Completion[Any] | HandedOver:  # Any: any type
        offers = self.agent.offers()
        calls = AgentCalls(self.agent.name, self.talk, offers)
        failed, repeated, before = 0, 0, ()
        for turns_left in reversed(range(self.agent.max_turns)):
            handoffs = {one.name: one for one in self.agent.hands_over_to() if one.when is None or one.when()}
            if both := offers.keys() & handoffs.keys():
                raise invalid("handoffs", f"agent {self.agent.name!r} has a tool and a handoff {min(both)!r}")
            answer = await self._asked(offers, handoffs, begin)
            begin = _Begin()
            if not answer.tool_calls:
                return answer
            made = tuple((call.name, call.arguments) for call in answer.tool_calls)
            repeated, before = (repeated + 1 if made == before else 1), made
            if repeated >= MAX_REPEATS:  # each further turn would only cost money
                raise self._stuck(f"asked for the same calls {repeated} times")
            if not turns_left:  # nobody would read the results
                break
            if any(call.name in handoffs for call in answer.tool_calls):
                results, ended = handed_over(answer.tool_calls, handoffs)
            else:
                results, ended = await calls.results(answer.tool_calls, answer.text), None
            self.talk.answer([result.answered for result in results])
            if ended:
                return ended
            failed = failed + 1 if all(result.is_error for result in results) else 0
            if failed >= MAX_FAILURES:
                raise self._stuck("had only failing calls")
        raise TurnsExceeded(
            f"agent {self.agent.name!r} did not answer in {self.agent.max_turns} turns: raise its `max_turns`, or ask"
            " for less",
            _kept(self.talk),
        )

    async def _asked(
        self, offers: dict[str, Offer], handoffs: dict[str, Handoff], begin: _Begin
    ) -> Completion[Any]:  # Any: as above
        agent = self.agent
        answer = await completion(
            agent.prompt,
            begin.variables,
            output=output_of(agent.output),
            model=agent.model,
            messages=begin.messages,
            conversation=self.talk,
            offered=Offered(
                names=tuple(name for name, offer in offers.items() if offer.is_served),
                specs=(
                    *(offer.spec for offer in offers.values() if not offer.is_served),
                    *map(transfer, handoffs.values()),
                ),
            ),
            options=agent.options,
            call=agent.call,
            repairs=agent.repairs,
            says="once",
            turns=begin.turns,
        )
        self.spent.count(answer)
        return answer

    def _stuck(self, how: str) -> AgentStuck:
        return AgentStuck(f"agent {self.agent.name!r} {how} in a row, and makes no progress", _kept(self.talk))


def _kept(talk: Conversation) -> ErrorDetail:
    return ErrorDetail(conversation=str(talk.head) if talk.head else None)
